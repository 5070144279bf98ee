"""Patches: broad sheets, darker or brighter than the strip, with ragged borders."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numba import njit

from sliceforge.engine.keys import Keys
from sliceforge.engine.op import Columns, Paint, Real, Shapes, Whole, setting, stack
from sliceforge.kernels.image.affine import turn
from sliceforge.kernels.noise import gradient, pieces
from sliceforge.kernels.paint import begun, painted, settled, sign
from sliceforge.kernels.texture import fbm

_ONE, _HALF, _FINE = np.float32(1), np.float32(0.5), np.float32(0.16)
_STEEP = 1.15  # per lump, the typical slope of one octave where it crosses its cut


@dataclass(frozen=True)
class Patches(Paint):
    """Where fractional Brownian motion lies above a cut: value + amplitude · rise((fbm − cut) / rim) · texture.

    Args:
        label: the class that it is.
        label_above: grey levels of 255; the mask is where a value changed by at least so much.
        rolling: degrees from the x axis towards the y axis, which points down; 0 is horizontal, 90 vertical.
        area: share of the image that is covered.
        contrast: grey levels of 255, the median of the change inside.
        dark: share of items whose patches are darker than the strip; the others are brighter.
        cell: pixels, about the width of a lump across the rolling direction.
        aspect: how much longer than wide lumps are along it.
        octaves: how many scales of lumps there are, each half of the last.
        detail: weight of each further octave, of the last.
        rim: pixels, about the width of the border.
        ragged: pixels, about how far the border strays from a smooth one.
        rough: fraction by which the change varies inside.

    Batch:
        image (H, W, C) float32 in 0…1, all channels alike.
    """

    pixel: ClassVar[Any]

    label: str = "patches"
    label_above: float = setting(1.0, "grey levels", low=0, high=255)
    rolling: float = setting(90.0, "degrees", low=-180, high=180)
    area: Real = setting([0.05, 0.4], "of the image", low=0, high=1)
    contrast: Real = setting([15, 60], "grey levels", low=0, high=255)
    dark: float = setting(0.5, "share", low=0, high=1)
    cell: Real = setting(["log", 25, 70], "pixels", low=1, high=10000)
    aspect: Real = setting([1, 2], "", low=0.05, high=20)
    octaves: Whole = setting([1, 3], "", low=1, high=3)
    detail: Real = setting([0.35, 0.6], "of the last", low=0, high=1)
    rim: Real = setting(["log", 1, 4], "pixels", low=0.5, high=100)
    ragged: Real = setting([0.5, 2.5], "pixels", low=0, high=100)
    rough: Real = setting([0.1, 0.5], "of the change", low=0, high=1)

    def draw(self, keys: Keys, shapes: Shapes) -> Columns:
        """Every setting that varies, the sign (−1 darker, 1 brighter) and the key of the noise."""
        plan = super().draw(keys, shapes)
        plan["rolling"] = np.full(len(keys), self.rolling, np.float32)
        plan["sign"] = sign(keys, self.dark)
        plan["key"] = keys.field()
        return plan

    def row(self, height: int, width: int, /, **plan: Any) -> np.ndarray:
        """(…, 15) float32: the four of a mark, the direction in lumps a pixel, weights, ragged, rough, the key."""
        cos, sin = turn(plan["rolling"])
        long, wide = plan["cell"] * plan["aspect"], plan["cell"] * 1.0
        second = np.where(plan["octaves"] > 1, plan["detail"], 0)
        third = np.where(plan["octaves"] > 2, plan["detail"] ** 2, 0)
        steep = _STEEP * np.sqrt(1 + (2 * second) ** 2 + (4 * third) ** 2) / np.sqrt(long * wide)
        numbers = begun(plan["sign"], plan["contrast"], 1 / (plan["rim"] * steep), self.label_above)
        numbers += [
            cos / long,
            sin / long,
            -sin / wide,
            cos / wide,
            second,
            third,
            plan["ragged"] * steep,
            plan["rough"],
        ]
        rows = stack(*numbers, *pieces(plan["key"]))
        return settled(patches_field, rows, (height, width), plan["contrast"], plan["area"])


@njit(inline="always")
def patches_field(x, y, row):
    """Level and shade at (x, y)."""
    u, v = x * row[4] + y * row[5], x * row[6] + y * row[7]
    cloud = gradient(x * _FINE + u, y * _FINE + v, 3, row[12], row[13], row[14])
    level = fbm(u, v, row[8], row[9], 0, row[12], row[13], row[14]) + row[10] * cloud
    return level, _ONE - row[11] * (_HALF + _HALF * cloud)


def patches_pixel(value, x, y, row):
    """The value with a patch over it; exactly `value` outside all patches."""
    level, shade = patches_field(x, y, row)
    return painted(value, level, shade, row)


Patches.pixel = staticmethod(patches_pixel)
