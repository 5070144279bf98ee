"""Writing is told from saying: each convention comes out with who follows it, and what is left is real."""

import json

import numpy as np
import pytest

from sliceforge.engine.errors import SettingError
from sliceforge.engine.loop.diagnose.conventions import Conventions, Difference, conventions
from sliceforge.engine.loop.diagnose.numerals import numeral
from sliceforge.engine.loop.diagnose.wording import wording

ONES = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]
ONES += ["thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"]
TENS = ["", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]


def spoken(number: int) -> str:
    """A number in words, British: two hundred and five."""
    if number < 20:
        return ONES[number]
    if number < 100:
        return f"{TENS[number // 10]} {ONES[number % 10] if number % 10 else ''}".strip()
    size, name = next((s, n) for s, n in ((10**6, "million"), (1000, "thousand"), (100, "hundred")) if number >= s)
    head, rest = f"{spoken(number // size)} {name}", number % size
    return f"{head} {'and ' if rest < 100 else ''}{spoken(rest)}" if rest else head


def of_kind(found: Conventions, kind: str) -> Difference:
    return next(one for one in found.differences if one.kind == kind)


def ways(*texts: str) -> dict[str, list[str]]:
    """Kind → how each text writes it, for texts by labellers a, b, c of one clip."""
    found = conventions(["clip"], {name: [text] for name, text in zip("abcd", texts, strict=False)})
    assert not found.disputed
    said = {}
    for one in found.differences:
        told = {name: choice.way for choice in one.choices for name in choice.labellers}
        said[one.kind] = [told.get(name, "") for name in "abcd"[: len(texts)]]
    return said


def test_todays_weather_comes_out_as_three_conventions_of_one_thing() -> None:
    texts = {"ann": ["Um, today's weather"], "bob": ["Um... today's weather"], "cy": ["Today's weather"]}
    found = conventions(["7"], texts)
    assert [one.kind for one in found.differences] == ["fillers"]
    choices = {choice.way: (choice.labellers, choice.examples) for choice in found.differences[0].choices}
    assert choices == {
        "kept with a comma": ({"ann": 1}, ("Um, today's weather",)),
        "kept with an ellipsis": ({"bob": 1}, ("Um... today's weather",)),
        "dropped": ({"cy": 1}, ("Today's weather",)),
    }
    assert (found.written, found.disputed) == (1, ())
    assert found.as_written.alpha < 0.667
    assert found.as_said.reliable


def test_who_does_what_is_counted_over_clips() -> None:
    generator = np.random.default_rng(0)
    words = ["turn", "it", "up", "please", "play", "music", "now"]
    said = [" ".join(generator.choice(words, 5)) for _ in range(24)]
    hesitates = generator.random(24) < 0.5
    kept = [f"uh, {text}" if h else text for text, h in zip(said, hesitates, strict=True)]
    found = conventions([str(i) for i in range(24)], {"ann": kept, "bob": said, "cy": kept})
    count = int(hesitates.sum())
    (fillers,) = found.differences
    assert fillers.clips == count
    assert [(c.way, c.labellers) for c in fillers.choices] == [
        ("kept with a comma", {"ann": count, "cy": count}),
        ("dropped", {"bob": count}),
    ]
    assert (found.same, found.written, found.disputed) == (24 - count, count, ())
    assert found.as_said.alpha == 1


@pytest.mark.parametrize(
    ("texts", "kind", "expected"),
    [
        (
            ("so, uh, play it", "so play it", "so (uh) play it"),
            "fillers",
            ["kept with a comma", "dropped", "kept in brackets"],
        ),
        (("hmm – yes", "hmm yes", "yes"), "fillers", ["kept with a dash", "kept bare", "dropped"]),
        (("um, so um, yes", "um, so yes"), "fillers", ["kept with a comma", "kept with a comma and some dropped"]),
        (("Äh, ja", "Ja"), "fillers", ["kept with a comma", "dropped"]),
        (
            ("HELLO WORLD", "hello world", "Hello world"),
            "case",
            ["all capitals", "no capitals", "a capital at the start"],
        ),
        (("Play Some Music", "play some music"), "case", ["capitals for every word", "no capitals"]),
        (("Yes, please.", "Yes please"), "punctuation", ["with commas, full stops", "without marks"]),
        (("ready?", "ready"), "punctuation", ["with question marks", "without marks"]),
        (("set 25", "set twenty-five"), "numbers", ["in digits", "in words"]),
        (("the 3rd of 1,205", "the third of one thousand two hundred and five"), "numbers", ["in digits", "in words"]),
        (("set 1984", "set nineteen eighty four"), "numbers", ["in digits", "in words"]),
        (("I don't", "I do not", "I dont"), "contractions", ["contracted", "written out", "contracted"]),
        (
            ("I’m gonna", "I am going to", "I'm going to"),
            "contractions",
            ["contracted", "written out", "contracted in part"],
        ),
        (("my e-mail", "my email", "my e mail"), "spacing", ["with a hyphen", "as one word", "as separate words"]),
        (("ice cream", "icecream"), "spacing", ["as separate words", "as one word"]),
    ],
)
def test_each_way_to_write_has_its_name(texts: tuple[str, ...], kind: str, expected: list[str]) -> None:
    assert ways(*texts)[kind] == expected


def test_a_thing_that_all_write_alike_is_no_choice() -> None:
    assert set(ways("Um, the big one, don't", "um, the big one, don't")) == {"case"}
    assert set(ways("take one of 2", "take one of two")) == {"numbers"}
    assert ways("erm yes", "err yes") == {"other": ["erm yes", "err yes"]}


def test_other_words_stay_a_disagreement_however_they_are_written() -> None:
    ids = ["a", "b", "c", "d"]
    found = conventions(
        ids,
        {
            "ann": ["Um, turn it on.", "5 mm", "recognise speech", "it's its"],
            "bob": ["turn it off", "5", "wreck a nice beach", "it is its"],
        },
    )
    assert found.disputed == ("a", "b", "c")
    assert (found.written, found.same) == (1, 0)
    assert of_kind(found, "contractions").clips == 1
    assert found.as_said.alpha < 1


def test_taking_conventions_away_never_makes_transcripts_differ() -> None:
    generator = np.random.default_rng(1)
    words = [
        "Um,",
        "uh...",
        "don't",
        "do",
        "not",
        "25",
        "twenty-five",
        "e-mail",
        "email",
        "Paris",
        "it's",
        "?",
        "—",
        "l'eau",
    ]
    for _ in range(300):
        text = " ".join(generator.choice(words, int(generator.integers(1, 8))))
        said = wording(text).words
        assert wording(" ".join(said)).words == said
        assert wording(text.upper()).key == wording(text.lower()).key == "".join(said)


def test_number_words_are_their_digits() -> None:
    numbers = [*range(1200), *np.random.default_rng(2).integers(0, 10**9, 300).tolist()]
    for number in numbers:
        words = spoken(number).split()
        assert numeral([*words, "cars"], 0) == (str(number), len(words))
    assert wording("one two three").words == ("1", "2", "3")
    assert wording("a hundred and one, and two").words == ("101", "and", "2")
    assert wording("hundred of them").words[0] == "hundred"


def test_lines_and_plain_say_it_in_words() -> None:
    found = conventions(["1", "2"], {"ann": ["Um, yes", "no"], "bob": ["Yes", "go"], "cy": [None, "no"]})
    first, *others = found.lines()
    assert first.startswith("of 2 clips 0 are written alike, 1 differ only in how they are written, 1 in the words")
    assert "fillers, 2 conventions to choose from in 1 of 2 clips" in " ".join(others)
    assert "kept with a comma (ann 1: «Um, yes»)" in " ".join(others)
    assert json.loads(json.dumps(found.plain(), allow_nan=False))["disputed"] == ["2"]


def test_transcripts_that_do_not_fit_are_one_clear_line() -> None:
    with pytest.raises(SettingError, match="1 transcripts of ann for 2 clips"):
        conventions(["1", "2"], {"ann": ["yes"], "bob": ["yes", "no"]})
    with pytest.raises(SettingError, match="no clip of 1 has transcripts of two labellers"):
        conventions(["1"], {"ann": ["yes"], "bob": [None]})
