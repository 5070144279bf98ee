"""English number words as digits: twenty-five is 25, two hundred and five is 205, third is 3rd."""

from __future__ import annotations

from collections.abc import Sequence

_ONES = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]
_ONES += ["eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"]
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_SCALES = {"hundred": 100, "thousand": 1000, "million": 10**6, "billion": 10**9}
_VALUES = {word: i for i, word in enumerate(_ONES)} | {word: 10 * i for i, word in enumerate(_TENS, 2)}
_ODD = {"first": "one", "second": "two", "third": "three", "fifth": "five", "eighth": "eight", "ninth": "nine"}
_ODD |= {"twelfth": "twelve"}


def numeral(words: Sequence[str], start: int) -> tuple[str, int]:
    """The number that begins at a word.

    Args:
        words: in lower case, without hyphens.
        start: of the word.

    Returns:
        Its digits and how many words it takes; ("", 0) where there is no number.

    >>> numeral("two hundred and five of them".split(), 0)
    ('205', 4)
    >>> numeral("twenty first".split(), 0)
    ('21st', 2)
    >>> numeral("one two".split(), 0)
    ('1', 1)
    """
    total, part, room, at = 0, 0, 999, start
    while at < len(words):
        taken = at
        if words[at] == "and" and room in (99, 999) and at > start and at + 1 < len(words):
            taken += 1
        word, ordinal = _cardinal(words[taken])
        value, scale = _VALUES.get(word), _SCALES.get(word)
        if words[at] == "a" and at == start and words[at + 1 : at + 2] and words[at + 1] in _SCALES:
            value = 1
        if (value is not None and 0 < value <= room) or (value == 0 and at == start):
            part += value or 0
            room = 9 if value in range(20, 100, 10) else 0
        elif scale is not None and taken == at and at > start and part and (scale > 100 or part < 100):
            part *= scale
            room = 99
            if scale > 100:
                total, part, room = total + part, 0, 999
        else:
            break
        at = taken + 1
        if ordinal:
            return _ranked(total + part), at - start
    return (str(total + part), at - start) if at > start else ("", 0)


def _cardinal(word: str) -> tuple[str, bool]:
    """A number word without its ordinal ending, and whether it had one."""
    if word in _ODD:
        return _ODD[word], True
    for ending, instead in (("ieth", "y"), ("th", "")):
        stem = word.removesuffix(ending) + instead
        if word.endswith(ending) and (stem in _VALUES or stem in _SCALES):
            return stem, True
    return word, False


def _ranked(number: int) -> str:
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"
