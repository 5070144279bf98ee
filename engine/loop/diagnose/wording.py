"""What a transcript says apart from how it is written, and how it is written."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from sliceforge.engine.loop.diagnose.numerals import numeral

FILLER = re.compile(r"u+h*m+|u+h+|e+r+m*|h+m+|m+h+m+|mm+|a+h+m*|e+h+|ä+h+m*|ö+h+m*|euh+", re.IGNORECASE)
"""Sounds of hesitation: um, uhm, uh, er, erm, hmm, mhm, mm, ah, eh, äh, ähm, öh, euh."""

_TOKEN = re.compile(
    r"(?P<number>\d+(?:[.,:]\d+)*(?:st|nd|rd|th)?(?!\w))|(?P<word>[^\W_]+(?:['’][^\W_]+)*)|(?P<mark>\.{2,}|[^\w\s]|_)",
    re.IGNORECASE,
)
_IS = {"it", "he", "she", "that", "what", "there", "here", "who", "where", "how", "when", "i", "you", "we", "they"}
_ENDINGS = {"re": "are", "ve": "have", "ll": "will", "m": "am", "d": "would"}
_WHOLE = {"let's": "let us", "cannot": "can not", "can't": "can not", "won't": "will not", "shan't": "shall not"}
_WHOLE |= {"gonna": "going to", "wanna": "want to", "gotta": "got to", "im": "i am", "ive": "i have"}
_WHOLE |= {"cant": "can not", "wont": "will not", "youre": "you are", "theyre": "they are"}
_BARE = {"do", "does", "did", "is", "are", "was", "were", "has", "have", "had"}
_BARE |= {"could", "would", "should", "must", "need"}


@dataclass(frozen=True)
class Token:
    """A word, a number or a mark as it stands; `joined` where a hyphen before it ties it to the word before."""

    kind: str
    text: str
    joined: bool = False

    @property
    def filler(self) -> bool:
        return self.kind == "word" and FILLER.fullmatch(self.text) is not None


@dataclass(frozen=True)
class Wording:
    """A transcript taken apart.

    Args:
        tokens: as they stand.
        words: what is said: lower case, no fillers, no marks, contractions written out, numbers as digits.
        contracted: the words of each contraction that was written out.
        numbers: (digits, whether it stands in digits) of each number.
    """

    tokens: tuple[Token, ...]
    words: tuple[str, ...]
    contracted: tuple[tuple[str, ...], ...]
    numbers: tuple[tuple[str, bool], ...]

    @property
    def key(self) -> str:
        """The same for two transcripts that differ only in how they are written."""
        return "".join(self.words)


@lru_cache(maxsize=1 << 16)
def wording(text: str) -> Wording:
    """Take a transcript apart.

    >>> wording("Um, don't buy twenty-five e-mails!").words
    ('do', 'not', 'buy', '25', 'e', 'mails')
    """
    tokens = _tokens(text)
    words: list[tuple[str, bool]] = []
    contracted = []
    for token in tokens:
        if token.kind == "mark" or token.filler:
            words += [("percent", True)] if token.text == "%" and words else []
            continue
        plain = token.text.casefold().replace("’", "'")
        if token.kind == "number":
            words.append((re.sub(r",(?=\d{3}(?!\d))", "", plain), True))
            continue
        expanded = _expanded(plain)
        if len(expanded) > 1:
            contracted.append(expanded)
        words += [(word.replace("'", ""), False) for word in expanded]
    said, numbers = _in_digits(words)
    return Wording(tokens, said, tuple(contracted), numbers)


def _tokens(text: str) -> tuple[Token, ...]:
    found: list[Token] = []
    end, hyphen = 0, False
    for match in _TOKEN.finditer(text.replace("…", "...")):
        kind, said = str(match.lastgroup), match.group()
        touching = match.start() == end and bool(found)
        end = match.end()
        if said in "-‐‑" and touching and found[-1].kind != "mark":
            following = match.string[end : end + 1]
            hyphen = following.isalnum()
            if hyphen:
                continue
        # 5 mm is a length, and mm a filler only elsewhere.
        if said.casefold() == "mm" and found and found[-1].kind == "number":
            kind = "unit"
        found.append(Token(kind, said, hyphen and touching))
        hyphen = False
    return tuple(found)


def _expanded(word: str) -> tuple[str, ...]:
    """The words of a contraction in lower case; any other word alone."""
    if word in _WHOLE:
        return tuple(_WHOLE[word].split())
    if word.endswith(("n't", "nt")) and word.removesuffix("t").removesuffix("'").removesuffix("n") in _BARE:
        return word.removesuffix("t").removesuffix("'").removesuffix("n"), "not"
    stem, mark, ending = word.rpartition("'")
    if mark and ending in _ENDINGS:
        return stem, _ENDINGS[ending]
    if mark and ending == "s" and stem in _IS:
        return stem, "is"
    return (word,)


def _in_digits(words: list[tuple[str, bool]]) -> tuple[tuple[str, ...], tuple[tuple[str, bool], ...]]:
    """Words with their numbers in digits, and (digits, whether it was so) of each number."""
    texts = [word for word, _ in words]
    said, numbers, at = [], [], 0
    while at < len(texts):
        digits, taken = (texts[at], 1) if words[at][1] else numeral(texts, at)
        if taken:
            numbers.append((digits, words[at][1]))
        said.append(digits if taken else texts[at])
        at += taken or 1
    return tuple(said), tuple(numbers)
