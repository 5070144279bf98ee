"""Brightness, contrast and gamma, in that order, alike for every channel."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from sliceforge.engine.op import Point, Real, setting, stack
from sliceforge.kernels.approx import exp2, log2

_ZERO, _ONE, _DARK = np.float32(0), np.float32(1), np.float32(1e-30)


@dataclass(frozen=True)
class Photometric(Point):
    """max(contrast · brightness · value + (1 − contrast) · pivot, 0) ^ gamma, with white as 1.

    As torchvision's `adjust_brightness`, `adjust_contrast` (whose pivot is each image's own mean) and `adjust_gamma`,
    but that nothing is cut at white before the end.

    Args:
        brightness: factor.
        contrast: factor of the distance from the pivot.
        gamma: exponent; above 1 darkens the middle greys.
        pivot: the value that a change of contrast leaves, 0…1.

    Batch:
        image (H, W, C) float32; with all three at 1, no bit changes.
    """

    pixel: ClassVar[Any]
    version: ClassVar[int] = 2

    brightness: Real = setting([0.8, 1.2], "factor", low=0, high=10)
    contrast: Real = setting(["log", 0.8, 1.25], "factor", low=0, high=10)
    gamma: Real = setting(["log", 0.7, 1.4], "exponent", low=0.05, high=20)
    pivot: float = setting(0.5, "of white", low=0, high=1)

    def row(self, height: int, width: int, /, **plan: Any) -> np.ndarray:
        """(…, 3) float32: factor, offset and exponent."""
        contrast = plan["contrast"]
        return stack(contrast * plan["brightness"], (1 - contrast) * self.pivot, plan["gamma"])


def photometric_pixel(value, x, y, row):
    """The new value; a gamma of one leaves what is below black as it is."""
    changed = row[0] * value + row[1]
    if row[2] == _ONE:
        return changed
    return exp2(row[2] * log2(max(changed, _DARK))) if changed > _DARK else _ZERO


Photometric.pixel = staticmethod(photometric_pixel)
