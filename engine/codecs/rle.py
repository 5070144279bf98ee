"""Masks as run lengths in COCO's order, column by column, as a list of counts or as COCO's text of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sliceforge.engine.errors import InputError

_GROUPS = 7
"""Letters that a difference of two 32-bit counts can take, five bits each."""


def counts(mask: np.ndarray) -> np.ndarray:
    """Lengths of the runs of a mask (H, W) bool, down its columns; the first is of what is not in it and may be 0."""
    flat = np.asarray(mask, bool).ravel(order="F")
    turns = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    first = [0] if flat.size and flat[0] else []
    return np.diff(np.concatenate([first, [0], turns, [flat.size]])).astype(np.int64)


def mask(runs: np.ndarray, height: int, width: int) -> np.ndarray:
    """The mask of some run lengths, (H, W) bool.

    Raises:
        InputError: they are not those of an image of this size.
    """
    fits = not len(runs) or (runs.min() >= 0 and runs.max() <= height * width)
    if not fits or runs.sum() != height * width:
        raise InputError("unreadable", f"mask: its run lengths are not those of {width} × {height} pixels")
    inside = np.arange(len(runs)) % 2 == 1
    return np.repeat(inside, runs).reshape(width, height).T


def text(runs: np.ndarray) -> str:
    """COCO's text of run lengths: from the fourth on the difference to the last but one, five bits a letter.

    >>> text(np.array([6, 1, 40, 4, 5]))
    '61X13mN'
    """
    values = runs.astype(np.int64)
    values[3:] -= runs[1:-2]
    shifts = 5 * np.arange(_GROUPS)
    rest = values[:, None] >> (shifts + 5)
    groups = (values[:, None] >> shifts) & 31
    # A value ends with the group whose highest bit is its sign and behind which nothing but the sign is left.
    ends = rest == np.where(groups & 16, -1, 0)
    last = np.argmax(ends, axis=1)
    at = np.arange(_GROUPS)
    letters = groups + np.where(at < last[:, None], 32, 0) + 48
    return letters[at <= last[:, None]].astype(np.uint8).tobytes().decode("ascii")


def parsed(said: str | Sequence[int]) -> np.ndarray:
    """Run lengths from COCO's text or from a list of counts.

    Raises:
        InputError: they are neither.
    """
    if not isinstance(said, str):
        try:
            found = np.array(said, np.float64)
        except (ValueError, TypeError):
            found = np.array([np.nan])
        if found.ndim != 1 or not (np.isfinite(found).all() and (np.abs(found) < 1 << 31).all()):
            raise InputError("unreadable", "mask: its run lengths are no list of whole numbers")
        return found.astype(np.int64)
    letters = np.frombuffer(said.encode("ascii", "replace"), np.uint8).astype(np.int64) - 48
    ends = np.flatnonzero(letters & 32 == 0)
    size = np.diff(np.concatenate([[-1], ends]))
    if len(letters) and (letters.min() < 0 or letters.max() > 63 or letters[-1] & 32 or size.max() > _GROUPS):
        raise InputError("unreadable", "mask: its run lengths are not COCO's text")
    place = np.arange(len(letters)) - np.repeat(ends - size + 1, size)
    values = np.zeros(len(ends), np.int64)
    np.add.at(values, np.repeat(np.arange(len(ends)), size), (letters & 31) << (5 * place))
    values -= np.where(letters[ends] & 16, np.int64(1) << (5 * size), 0)
    for first in (1, 2):
        values[first::2] = np.cumsum(values[first::2])
    return values
