"""A box is the tight box of what really changed in the item as it is written, and nothing changed elsewhere."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from sliceforge.engine.errors import SettingError
from sliceforge.engine.gates import Gate, Made, Verdict
from sliceforge.engine.op import setting
from sliceforge.engine.picture import tight_box
from sliceforge.engine.scene import BROUGHT
from sliceforge.kernels.contrast import changed

STRAY = 2
"""Grey levels of a change outside every mask, from which on it counts: less is what a faint tail rounds to."""


@dataclass(frozen=True)
class Box(Gate):
    """The greatest distance between an edge of the mask's box and that of the box of the pixels in it that changed.

    A pixel changed where any channel of the item is not the parent's. For recipes whose steps but the paints move no
    pixel and change no light.

    Args:
        step: the paint whose box is measured.
        most: pixels; the greatest distance that passes.
        stray: the greatest share of pixels changed by 2 grey levels or more that may lie outside every mask.
    """

    most: float = setting(0.0, "pixels", low=0)
    stray: float = setting(0.01, "of the changed pixels", low=0, high=1)

    def suits(self, op: Any) -> bool:
        """A step that paints."""
        return bool(op.paints)

    def measure(self, made: Made, op: Any, plan: Mapping[str, Any], /) -> Verdict:
        """In pixels; an empty mask has no box and does not pass; more: `stray_share`."""
        mask = made.masks[self.step]
        if made.parent.shape != made.item.shape:
            raise SettingError(f"gates: box: {self.step}: another size than its item's; expected no such step")
        change = changed(made.parent, made.item)
        said, found = tight_box(mask), tight_box(mask & (change > 0))
        got = max(abs(a - b) for a, b in zip(said, found, strict=True)) if said and found else float(max(mask.shape))
        loud = change >= STRAY * (np.iinfo(change.dtype).max // 255)
        covered = np.any([one for name, one in made.masks.items() if name != BROUGHT], axis=0)
        stray = float((loud & ~covered).sum() / max(loud.sum(), 1))
        return Verdict(got <= self.most and stray <= self.stray, self.most, float(got), {"stray_share": stray})
