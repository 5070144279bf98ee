"""A pasted cut-out shows a step all around: gradients across a mask's border against those nearby."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.ndimage import maximum_filter

from sliceforge.engine.gates import Gate, Made, Verdict
from sliceforge.engine.op import setting
from sliceforge.kernels.contrast import grey

REACH = 8
"""Pixels from the mask within which the picture is compared."""

FLOOR = 1.0
"""Grey levels between neighbours: no background counts as smoother than this."""


@dataclass(frozen=True)
class Seam(Gate):
    """score = mean |a − b| of neighbours across the border / max(that of neighbours beside the mask, 1 grey level).

    Of the mean over channels, inside the finished item, with the neighbours beside the mask weighted to lie as those
    across its border do, one above the other or side by side: brushed steel is rough one way only. About 1 where a
    border cannot be told from its surroundings. For what is blended in; a crack's or a hole's own edge is a step.

    Args:
        step: the paint whose mask is measured.
        most: the greatest score that passes.
    """

    most: float = setting(2.5, "", low=0)

    def suits(self, op: Any) -> bool:
        """A step that paints."""
        return bool(op.paints)

    def measure(self, made: Made, op: Any, plan: Mapping[str, Any], /) -> Verdict:
        """More: `step_grey`, the mean step across the border in grey levels. A mask with no border passes, with 0."""
        mask = made.masks[self.step]
        others = np.any([other for name, other in made.masks.items() if name != self.step] or [~mask & mask], axis=0)
        across, beside, counts = np.zeros(2), np.zeros(2), np.zeros(2)
        window = _window(mask)
        image, inside, taken = grey(made.item[window]), mask[window], others[window]
        near = maximum_filter(inside, size=2 * REACH + 1, mode="constant") & ~inside & ~taken
        for axis in (0, 1):
            step = np.abs(np.diff(image, axis=axis))
            border = _pairs(inside, axis, np.not_equal)
            plain = step[_pairs(near, axis, np.logical_and)]
            counts[axis], across[axis] = border.sum(), step[border].sum()
            beside[axis] = plain.mean() if len(plain) else 0.0
        total = counts.sum()
        if not total:
            return Verdict(True, self.most, 0.0, {"step_grey": 0.0})
        found = float(across.sum() / total)
        got = found / max(float(counts @ beside / total), FLOOR)
        return Verdict(got <= self.most, self.most, got, {"step_grey": found})


def _pairs(mask: np.ndarray, axis: int, how: Any) -> np.ndarray:
    """`how` of each two neighbours along an axis."""
    first, second = (mask[:-1], mask[1:]) if axis == 0 else (mask[:, :-1], mask[:, 1:])
    found: np.ndarray = how(first, second)
    return found


def _window(mask: np.ndarray) -> tuple[slice, slice]:
    """The box of a mask, grown by what is compared; the upper left pixel of an empty one."""
    spans = []
    for axis in (1, 0):
        places = np.flatnonzero(mask.any(axis=axis))
        first, last = (places[0], places[-1]) if len(places) else (0, 0)
        spans.append(slice(max(first - REACH - 1, 0), last + REACH + 2))
    return spans[0], spans[1]
