"""What can go wrong, in three kinds; each message is one line: what was given, what was expected, an example."""

from collections.abc import Iterable
from difflib import get_close_matches

REASONS = (
    "unreadable",
    "empty",
    "non_finite",
    "silent",
    "rate_mismatch",
    "too_large",
    "outside",
    "label_missing",
    "duplicate",
)


SHOWN = 12
"""Known words that a message names at most."""


class SliceforgeError(Exception):
    """Any error that a user can act on; the command line prints it as one line and exits with `code`."""

    code = 3


class SettingError(SliceforgeError):
    """A setting is wrong; nothing was made."""

    code = 2


class InputError(SliceforgeError):
    """One input cannot be used; the run goes on and the item becomes a row of rejects.parquet.

    Args:
        reason: one of `REASONS`, or `gate.<name>`.
        detail: what was found, in a few words.
    """

    code = 1

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.detail = detail

    def __reduce__(self) -> tuple[type, tuple[str, str]]:
        return type(self), (self.reason, self.detail)


class RunError(SliceforgeError):
    """The run cannot go on: disk, store, a lost worker, an interrupt."""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A tail for an error message: the nearest known word, or the first of them.

    >>> did_you_mean("snrr", ["snr", "source"])
    '; did you mean snr?'
    >>> did_you_mean("xyz", ["snr", "source"])
    '; known: snr, source'
    """
    known = sorted(known)
    near = get_close_matches(word, known, n=1)
    if near:
        return f"; did you mean {near[0]}?"
    more = f" and {len(known) - SHOWN} more" if len(known) > SHOWN else ""
    return f"; known: {', '.join(known[:SHOWN])}{more}" if known else ""
