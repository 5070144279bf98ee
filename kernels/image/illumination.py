"""Uneven light: a slope across the image, darker corners, and bands along one direction."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from sliceforge.engine.keys import Keys
from sliceforge.engine.op import Columns, Point, Real, Shapes, setting, stack
from sliceforge.kernels.image.affine import turn
from sliceforge.kernels.noise import curve, pieces

_ZERO, _ONE = np.float32(0), np.float32(1)


@dataclass(frozen=True)
class Illumination(Point):
    """value · (1 + slope · s) · (1 − vignette · r²) · (1 + band · b), no factor below 0.

    s runs from −½ to ½ across the image along `angle`, r from 0 in the middle to 1 in the corners, and b is smooth
    noise, −1…1, across the bands and constant along them.

    Args:
        slope: what the light gains from one side to the other, a fraction of its mean.
        angle: degrees from the x axis towards the y axis, which points down: where it grows brighter.
        vignette: what the corners lose, a fraction.
        band: the most that a band is brighter or darker by, a fraction.
        band_width: pixels, about the width of a band.
        band_angle: degrees; the direction that the bands run in, 90 is vertical.

    Batch:
        image (H, W, C) float32, all channels alike.
    """

    pixel: ClassVar[Any]
    version: ClassVar[int] = 2

    slope: Real = setting([0, 0.3], "of the mean", low=0, high=2)
    angle: Real = setting([-180, 180], "degrees", low=-360, high=360)
    vignette: Real = setting([0, 0.3], "fraction", low=0, high=1)
    band: Real = setting([0, 0.05], "fraction", low=0, high=1)
    band_width: Real = setting(["log", 4, 40], "pixels", low=1, high=10000)
    band_angle: Real = setting(90, "degrees", low=-360, high=360)

    def draw(self, keys: Keys, shapes: Shapes) -> Columns:
        """Every setting that varies, and the key of the bands."""
        return super().draw(keys, shapes) | {"key": keys.field()}

    def row(self, height: int, width: int, /, **plan: Any) -> np.ndarray:
        """(…, 11) float32: the middle, the light's growth per pixel along x and y, and the numbers of `pixel`."""
        middle_x, middle_y = (width - 1) / 2, (height - 1) / 2
        cos, sin = turn(plan["angle"])
        reach = np.maximum(np.abs(cos) * (width - 1) + np.abs(sin) * (height - 1), 1)
        corner = max(np.hypot(middle_x, middle_y), 1)
        along, across = turn(plan["band_angle"])
        numbers = [middle_x, middle_y, plan["slope"] * cos / reach, plan["slope"] * sin / reach]
        numbers += [plan["vignette"] / corner**2, plan["band"]]
        numbers += [-across / plan["band_width"], along / plan["band_width"], *pieces(plan["key"])]
        return stack(*numbers)


def illumination_pixel(value, x, y, row):
    """The value in this light; exactly `value` where slope, vignette and band are 0."""
    dx, dy = x - row[0], y - row[1]
    light = max(_ONE + row[2] * dx + row[3] * dy, _ZERO)
    light = light * (_ONE - row[4] * (dx * dx + dy * dy))
    if row[5] > _ZERO:
        light = light * (_ONE + row[5] * curve(row[6] * dx + row[7] * dy, 0, row[8], row[9], row[10]))
    return value * light


Illumination.pixel = staticmethod(illumination_pixel)
