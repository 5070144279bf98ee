"""A defect lies on the thing that is looked at, not beside it: the share of painted pixels inside a region."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.ndimage import binary_fill_holes, uniform_filter

from sliceforge.engine.errors import SettingError
from sliceforge.engine.gates import Gate, Made, Verdict
from sliceforge.engine.op import setting
from sliceforge.kernels.contrast import grey

RIM = 2
"""Pixels along the picture's edges that say what the background is like."""

SPREADS, FLOOR = 6.0, 12.0
"""A pixel is no background from so many standard deviations of the rim on, and from so many grey levels on."""

LEAST = 0.2
"""A thing that covers less of the picture is none: the picture is all surface."""


@dataclass(frozen=True)
class Inside(Gate):
    """Painted pixels that lie inside the region, as a share of all painted ones. For recipes that move no pixel.

    The region is the mask that a column of the parent's metadata names, a path under the data's folder; of a parent
    that names none, what differs in brightness from the rim of its picture, with holes filled. A picture whose rim is
    like the rest, as of a strip of steel, is all region.

    Args:
        step: the paint whose mask is measured.
        least: the least share that passes.
        column: of the parent's metadata, the region's mask.
    """

    least: float = setting(0.99, "of the painted pixels", low=0, high=1)
    column: str = "region"

    def suits(self, op: Any) -> bool:
        """A step that paints."""
        return bool(op.paints)

    def columns(self) -> tuple[str, ...]:
        """The region's."""
        return (self.column,)

    def measure(self, made: Made, op: Any, plan: Mapping[str, Any], /) -> Verdict:
        """An empty mask does not pass; more: `region_share` of the image."""
        mask = made.masks[self.step]
        region = made.regions.get(self.column)
        region = stands_apart(made.parent) if region is None else region
        if region.shape != mask.shape:
            raise SettingError(f"gates: inside: {self.step}: another size than its item's; expected no such step")
        got = float(region[mask].mean()) if mask.any() else 0.0
        return Verdict(got >= self.least, self.least, got, {"region_share": float(region.mean())})


def stands_apart(image: np.ndarray) -> np.ndarray:
    """(H, W) bool: what differs in brightness from an image's rim; all of it where that is next to nothing.

    Args:
        image: (H, W, C) uint8 or uint16.
    """
    values = grey(image)
    inner = np.zeros(values.shape, bool)
    inner[RIM:-RIM, RIM:-RIM] = True
    rim = values[~inner]
    middle = np.median(rim)
    spread = 1.4826 * np.median(np.abs(rim - middle))
    apart = np.abs(values - middle) > max(SPREADS * spread, FLOOR)
    # Of nine neighbours most: what grain lifts over the limit stands alone.
    found: np.ndarray = binary_fill_holes(uniform_filter(apart.astype(np.float32), 3) > 0.5)
    return found if found.mean() >= LEAST else np.ones(values.shape, bool)
