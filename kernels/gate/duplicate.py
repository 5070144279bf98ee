"""A made item is something new: neither its parent once more nor what its shard holds already."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from sliceforge.engine.gates import Gate, Made, Mark, Verdict
from sliceforge.engine.op import setting
from sliceforge.kernels.contrast import changed, grey
from sliceforge.kernels.hashes import apart

CELL = 8
"""Pixels: the side of the squares that an image is compared with its parent in."""

STEP = 2.0**-15
"""One step of 16 bits: what rounding alone changes has a smaller RMS."""

LEAST_DB, MOST_DB = -200.0, 200.0


@dataclass(frozen=True)
class Duplicate(Gate):
    """Change against the parent at least `change`; and no item before it in the shard that is nearly the same.

    The parent is compared by what can be measured, not by a hash: a hash of the whole image does not see a small
    defect, and that is what was asked for. Of an image it is the RMS change, of the mean over channels, of the square
    of 8 × 8 pixels where that is greatest; of a clip the level of (item − parent) against that of the parent, which
    must also reach one step of 16 bits. Another size or length is a change.

    Two items of a shard are nearly the same where at most `bits` of their hashes differ and, if both are painted, what
    is painted in them overlaps by half. Such an item is drawn again after those that came before it; so what a shard
    holds depends on its plan alone.

    Args:
        step: empty, or only items to which this step happened.
        change: grey levels of an image.
        level: dB of a clip, against the parent.
        bits: of 64, of `kernels/hashes.py`; −1: items of a shard are not compared. A picture that is moved by one pixel
            keeps all but 7 bits, almost always; no two that have nothing in common are so near.
    """

    whole: ClassVar[bool] = True

    step: str = ""
    change: float = setting(1.0, "grey levels", low=0, high=255)
    level: float = setting(-60.0, "dB", low=-100, high=0)
    bits: int = setting(7, "of 64", low=-1, high=32)

    def measure(self, made: Made, op: Any, plan: Mapping[str, Any], /) -> Verdict:
        """The change: grey levels, or dB."""
        if made.rate:
            got = _level(made.parent, made.item)
            return Verdict(got >= self.level, self.level, got)
        if made.parent.shape != made.item.shape:
            return Verdict(True, self.change, 255.0)
        got = _greatest(made.parent, made.item)
        return Verdict(got >= self.change, self.change, got)

    def near(self, one: Mark, other: Mark) -> bool:
        """Whether two items are nearly the same."""
        if apart(one.hash, other.hash) > self.bits:
            return False
        if one.painted is None or other.painted is None or one.painted.shape != other.painted.shape:
            return True
        either = (one.painted | other.painted).sum()
        return bool(2 * (one.painted & other.painted).sum() >= either)


def _level(parent: np.ndarray, item: np.ndarray) -> float:
    if len(parent) != len(item):
        return MOST_DB
    change = math.sqrt(np.mean(np.square(item.astype(np.float64) - parent))) if len(item) else 0.0
    whole = math.sqrt(np.mean(np.square(parent, dtype=np.float64))) if len(item) else 0.0
    if change < STEP:
        return LEAST_DB
    return min(20 * math.log10(change / max(whole, STEP)), MOST_DB)


def _greatest(parent: np.ndarray, item: np.ndarray) -> float:
    """The greatest RMS change of a square."""
    # Only where anything changed, in whole squares: a defect leaves most of a picture alone.
    there = changed(parent, item) > 0
    window = []
    for axis in (1, 0):
        places = np.flatnonzero(there.any(axis=axis))
        if not len(places):
            return 0.0
        window.append(slice(places[0] // CELL * CELL, (places[-1] // CELL + 1) * CELL))
    cut = tuple(window)
    energy = np.square(grey(item[cut]) - grey(parent[cut]))
    for axis in (0, 1):
        starts = np.arange(0, energy.shape[axis], CELL)
        counts = np.minimum(CELL, energy.shape[axis] - starts)
        energy = np.add.reduceat(energy, starts, axis=axis) / np.expand_dims(counts, 1 - axis)
    return float(np.sqrt(energy.max()))
