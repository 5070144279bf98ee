"""A camera's noise: an independent Gaussian number at each pixel."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from sliceforge.engine.keys import Keys
from sliceforge.engine.op import Columns, Point, Real, Shapes, setting, stack
from sliceforge.kernels.noise import gaussian, pieces


@dataclass(frozen=True)
class Grain(Point):
    """value + sd · n, n standard normal up to 6.2 sd, white, and of (key, position) alone.

    Args:
        sd: standard deviation, grey levels of 255.

    Batch:
        image (H, W, C) float32; all channels of a pixel get the same number.
    """

    pixel: ClassVar[Any]
    version: ClassVar[int] = 2

    sd: Real = setting(["log", 1, 8], "grey levels", low=0, high=255)

    def draw(self, keys: Keys, shapes: Shapes) -> Columns:
        """The standard deviation and the key of the field."""
        return super().draw(keys, shapes) | {"key": keys.field()}

    def row(self, height: int, width: int, /, **plan: Any) -> np.ndarray:
        """(…, 4) float32: the standard deviation as a fraction of white, and the key's pieces."""
        return stack(plan["sd"] / 255, *pieces(plan["key"]))


def grain_pixel(value, x, y, row):
    """The value with its noise, not cut."""
    return value + row[0] * gaussian(np.int32(x), np.int32(y), row[1], row[2], row[3])


Grain.pixel = staticmethod(grain_pixel)
