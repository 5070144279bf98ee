"""How far a painted mark changed its parent, in grey levels, against what the plan asked for."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from sliceforge.engine.errors import SettingError
from sliceforge.engine.gates import Gate, Made, Verdict, draws
from sliceforge.engine.op import setting
from sliceforge.engine.scene import BROUGHT
from sliceforge.kernels.contrast import contrast


@dataclass(frozen=True)
class Contrast(Gate):
    """|achieved − |asked|| ≤ tolerance · |asked|, or half a step of the image where that is more.

    Achieved is the median of |item − parent|, of the mean over channels, over the mask's core, which is where it
    reaches half of its 95th percentile inside the mask, less what other steps painted over; asked is the plan's
    column `contrast`, whose sign says darker or brighter. For recipes that move no pixel and change no light.

    Args:
        step: the paint whose mask is measured; it draws a `contrast`.
        tolerance: share of what was asked.
    """

    tolerance: float = setting(0.1, "of the request", low=0)

    def suits(self, op: Any) -> bool:
        """A step that paints with a contrast."""
        return bool(op.paints) and draws(op, "contrast")

    def measure(self, made: Made, op: Any, plan: Mapping[str, Any], /) -> Verdict:
        """In grey levels of 255; an empty mask does not pass."""
        mask, asked = made.masks[self.step], abs(float(plan["contrast"]))
        if not mask.any():
            return Verdict(False, asked, 0.0)
        if made.parent.shape[:2] != mask.shape:
            raise SettingError(f"gates: contrast: {self.step}: another size than its item's; expected no such step")
        others = [other for name, other in made.masks.items() if name not in (self.step, BROUGHT)]
        alone = mask & ~np.any(others, axis=0) if others else mask
        got = contrast(made.parent, made.item, alone if alone.any() else mask)
        # Rounding moves all of a flat mark by up to half a step.
        step = 255 / np.iinfo(made.item.dtype).max
        return Verdict(abs(got - asked) <= max(self.tolerance * asked, 0.5 * step + 1e-6), asked, got)
