"""What a recogniser got wrong: words and characters, by the fewest edits, over normalised words."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Hashable, Sequence
from typing import NamedTuple

_APART = re.compile(r"[^\w']|_")
_STRAY = re.compile(r"(?<!\w)'|'(?!\w)")


class Wrong(NamedTuple):
    """Edits and lengths of one transcript.

    Args:
        words: inserted, deleted and replaced.
        said: words of the reference.
        characters: likewise, spaces between words counted.
        written: characters of the reference.
    """

    words: int
    said: int
    characters: int
    written: int


def normalised(text: str) -> list[str]:
    """The words of a transcript: NFKC, case folded, punctuation apart from apostrophes inside words as spaces.

    Numbers, contractions and fillers stay as they are written.

    >>> normalised("Um, DON’T  turn_left at twenty-five!")
    ['um', "don't", 'turn', 'left', 'at', 'twenty', 'five']
    """
    text = unicodedata.normalize("NFKC", text).casefold().replace("’", "'")
    return _STRAY.sub(" ", _APART.sub(" ", text)).split()


def wrong(reference: str, hypothesis: str) -> Wrong:
    """How far what was recognised is from what was said.

    >>> wrong("Turn the light on.", "turn light on")
    Wrong(words=1, said=4, characters=4, written=17)
    """
    said, heard = normalised(reference), normalised(hypothesis)
    written = " ".join(said)
    return Wrong(edits(said, heard), len(said), edits(written, " ".join(heard)), len(written))


def edits(a: Sequence[Hashable], b: Sequence[Hashable]) -> int:
    """The fewest insertions, deletions and replacements between two sequences (Levenshtein 1966).

    A column of the table at a time, its differences as the bits of two whole numbers (Myers 1999, Hyyrö 2003).

    >>> edits("kitten", "sitting")
    3
    """
    if not a:
        return len(b)
    places: dict[Hashable, int] = {}
    for i, one in enumerate(a):
        places[one] = places.get(one, 0) | 1 << i
    every, last = (1 << len(a)) - 1, 1 << (len(a) - 1)
    up, down, distance = every, 0, len(a)
    for one in b:
        same = places.get(one, 0)
        across = (((same & up) + up) ^ up) | same | down
        right, left = down | ~(across | up) & every, up & across
        distance += bool(right & last) - bool(left & last)
        right, left = right << 1 | 1, left << 1
        up, down = (left | ~(same | down | right)) & every, right & (same | down)
    return distance
