"""How each transcript of one clip writes what the others write otherwise: fillers, case, marks, numbers and so on."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sliceforge.engine.loop.diagnose.wording import Token, Wording, wording

AFTER = {
    ",": "kept with a comma",
    "...": "kept with an ellipsis",
    ".": "kept with a full stop",
    "-": "kept with a dash",
    ")": "kept in brackets",
}
MARKS = {
    ",": "commas",
    ".": "full stops",
    "?": "question marks",
    "!": "exclamation marks",
    "...": "ellipses",
    "-": "dashes",
    ";": "semicolons",
    ":": "colons",
    '"': "quotation marks",
}
_ALIKE = {"–": "-", "—": "-", "--": "-", "]": ")", ">": ")", "}": ")"} | dict.fromkeys("“”„«»", '"')

Manner = Callable[[Sequence[str]], list[str | None]]
"""From the texts of one clip to how each writes one thing; None where a text does not tell."""


def _mark(text: str) -> str:
    return "..." if len(text) > 1 and text.startswith("..") else _ALIKE.get(text, text)


def _without_fillers(tokens: Sequence[Token]) -> tuple[list[Token], list[str]]:
    """The other tokens, and the mark that each filler was written with; those marks go with it."""
    kept: list[Token] = []
    marks: list[str] = []
    at = 0
    while at < len(tokens):
        token = tokens[at]
        at += 1
        if not token.filler:
            kept.append(token)
            continue
        after = _mark(tokens[at].text) if at < len(tokens) and tokens[at].kind == "mark" else ""
        before = _mark(kept[-1].text) if kept and kept[-1].kind == "mark" else ""
        if after:
            at += 1
        # The comma before it is its own where one stands after it too, and a bracket where it was opened for it.
        if (before == after == ",") or (after == ")" and before in "([<{"):
            kept.pop()
        marks.append(after or ("," if before == "," else ""))
    return kept, marks


def fillers(texts: Sequence[str]) -> list[str | None]:
    """Kept, and with which mark, or dropped."""
    marks = [_without_fillers(wording(text).tokens)[1] for text in texts]
    most = max(map(len, marks))
    found: list[str | None] = []
    for own in marks:
        ways = sorted({AFTER.get(mark, "kept bare" if not mark else f"kept with {mark}") for mark in own})
        some = ["some dropped"] if 0 < len(own) < most else []
        found.append(" and ".join(ways + some) or "dropped")
    return found


def case(texts: Sequence[str]) -> list[str | None]:
    """Where the capitals are."""
    return [_case([t.text for t in wording(text).tokens if t.kind == "word"], text) for text in texts]


def _case(words: Sequence[str], text: str) -> str | None:
    letters = [letter for word in words for letter in word if letter.upper() != letter.lower()]
    if len(letters) < 2:
        return None
    if all(map(str.isupper, letters)):
        return "all capitals"
    if all(map(str.islower, letters)):
        return "no capitals"
    if not letters[0].isupper():
        return "capitals for names only"
    others = [word for word in words[1:] if word[0].upper() != word[0].lower()]
    whole = len(others) > 1 and all(word[0].isupper() for word in others)
    return "capitals for every word" if whole else "a capital at the start"


def marks(texts: Sequence[str]) -> list[str | None]:
    """Which marks are written, apart from those of fillers."""
    found: list[str | None] = []
    for text in texts:
        kept, _ = _without_fillers(wording(text).tokens)
        names = sorted({MARKS.get(mark, mark) for t in kept if t.kind == "mark" and (mark := _mark(t.text)) != "%"})
        found.append("with " + ", ".join(names) if names else "without marks")
    return found


def numbers(texts: Sequence[str]) -> list[str | None]:
    """In digits or in words; a number that every text writes in words tells nothing."""
    parts = [wording(text) for text in texts]
    digits = any(shown for part in parts for _, shown in part.numbers)
    everywhere = set.intersection(*({said for said, shown in part.numbers if not shown} for part in parts))
    found: list[str | None] = []
    for part in parts:
        ways = {shown for said, shown in part.numbers if said not in everywhere}
        both = "in digits and in words" if len(ways) > 1 else "in digits" if ways == {True} else "in words"
        found.append(both if digits and ways else None)
    return found


def contractions(texts: Sequence[str]) -> list[str | None]:
    """Contracted (don't) or written out (do not), of what some text contracts."""
    parts = [wording(text) for text in texts]
    pairs = {pair for part in parts for pair in part.contracted}
    found: list[str | None] = []
    for part in parts:
        said = sum(_count(part.words, pair) for pair in pairs)
        short = len(part.contracted)
        some = "contracted in part" if short else "written out"
        found.append(None if not said and not short else "contracted" if short >= said else some)
    return found


def _count(words: Sequence[str], run: tuple[str, ...]) -> int:
    return sum(tuple(words[i : i + len(run)]) == run for i in range(len(words) - len(run) + 1))


def spacing(texts: Sequence[str]) -> list[str | None]:
    """With a hyphen, as one word or as separate words, of what some text writes otherwise."""
    ways = [_compounds(wording(text)) for text in texts]
    single = {key for own in ways for key, way in own if way == "as one word"}
    tied = {key for own in ways for key, way in own if way == "with a hyphen"}
    apart = {key for own in ways for key, way in own if way == "as separate words"}
    told = tied | (single & apart)
    return [" and ".join(sorted({way for key, way in own if key in told})) or None for own in ways]


def _compounds(part: Wording) -> set[tuple[str, str]]:
    """(letters, way) of every word, of every hyphened group and of every two or three neighbours."""
    groups: list[list[str]] = []
    for token in part.tokens:
        if token.kind == "mark" or token.filler:
            continue
        if token.joined:
            groups[-1].append(token.text.casefold())
        else:
            groups.append([token.text.casefold()])
    found = {("".join(group), "with a hyphen" if len(group) > 1 else "as one word") for group in groups}
    words = [group[0] if len(group) == 1 else " " for group in groups]
    for size in (2, 3):
        for i in range(len(words) - size + 1):
            if " " not in words[i : i + size]:
                found.add(("".join(words[i : i + size]), "as separate words"))
    return found


MANNERS: dict[str, Manner] = {
    "fillers": fillers,
    "case": case,
    "punctuation": marks,
    "numbers": numbers,
    "contractions": contractions,
    "spacing": spacing,
}
