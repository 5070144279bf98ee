"""Inclusion: one to three slag streaks along the rolling direction, ragged, dark with bright specks."""

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numba import njit

from sliceforge.engine.keys import Keys
from sliceforge.engine.op import Columns, Paint, Real, Shapes, Whole, setting, stack
from sliceforge.kernels.image.affine import turn
from sliceforge.kernels.noise import gradient, pieces
from sliceforge.kernels.paint import begun, painted, settled, sign

_ZERO, _HALF, _ONE = np.float32(0), np.float32(0.5), np.float32(1)
_COARSE, _FINE = np.float32(0.07), np.float32(0.28)  # lumps a pixel
_ROOM = 1.6  # of the semi-axes: how far a ragged streak may reach


@dataclass(frozen=True)
class Inclusion(Paint):
    """Where 1 − (elliptic distance to the nearest streak) + noise lies above a cut: value + amplitude · rise · texture.

    Args:
        label: the class that it is.
        label_above: grey levels of 255; the mask is where a value changed by at least so much.
        rolling: degrees from the x axis towards the y axis, which points down; 0 is horizontal, 90 vertical.
        angle: degrees away from the rolling direction.
        x, y: the middle of the first streak, as a fraction of the image's width and height.
        area: share of the image that all streaks cover.
        contrast: grey levels of 255, the median of the change inside.
        dark: share of items whose streaks are darker than the strip.
        count: streaks; the further ones are smaller and lie before, behind and beside the first.
        aspect: length over width.
        edge: pixels, about the width of a streak's border.
        ragged: fraction of the width by which the border strays.
        rough: fraction by which the change varies inside; from a half on the brightest specks are above the strip.

    Batch:
        image (H, W, C) float32 in 0…1, all channels alike.
    """

    pixel: ClassVar[Any]

    label: str = "inclusion"
    label_above: float = setting(1.0, "grey levels", low=0, high=255)
    rolling: float = setting(90.0, "degrees", low=-180, high=180)
    angle: Real = setting(["normal", 0, 2, -6, 6], "degrees", low=-90, high=90)
    x: Real = setting([0.08, 0.92], "of the width", low=0, high=1)
    y: Real = setting([0.15, 0.85], "of the height", low=0, high=1)
    area: Real = setting(["log", 0.002, 0.05], "of the image", low=0, high=1)
    contrast: Real = setting([20, 90], "grey levels", low=0, high=255)
    dark: float = setting(0.9, "share", low=0, high=1)
    count: Whole = setting([1, 3], "", low=1, high=3)
    aspect: Real = setting(["log", 2, 10], "", low=1, high=100)
    edge: Real = setting(["log", 1, 2.5], "pixels", low=0.5, high=100)
    ragged: Real = setting([0.2, 0.6], "of the width", low=0, high=1)
    rough: Real = setting([0.2, 0.6], "of the change", low=0, high=1)

    def draw(self, keys: Keys, shapes: Shapes) -> Columns:
        """Every setting that varies, the sign (−1 darker, 1 brighter), and the key of the noise and further streaks."""
        plan = super().draw(keys, shapes)
        plan["rolling"] = np.full(len(keys), self.rolling, np.float32)
        plan["sign"] = sign(keys, self.dark)
        plan["key"] = keys.field()
        return plan

    def row(self, height: int, width: int, /, **plan: Any) -> np.ndarray:
        """(…, 24) float32: the four of a mark, the middle, direction, texture, the key, and four for each streak."""
        cos, sin = turn(plan["rolling"] + plan["angle"])
        sizes, offsets = _streaks(plan["key"], plan["count"])
        # Semi-axes in pixels, so that the ellipses have the area that is asked; the cut then makes it exact.
        wide = np.sqrt(plan["area"] * height * width / (np.pi * plan["aspect"] * sum(size**2 for size in sizes)))
        wide = np.maximum(wide, 0.35)
        long = wide * plan["aspect"]
        numbers = begun(plan["sign"], plan["contrast"], wide / plan["edge"], self.label_above)
        x, y = plan["x"] * width - 0.5, plan["y"] * height - 0.5
        numbers += [x, y, cos, sin, plan["ragged"], plan["rough"], 1 / plan["aspect"] ** 0.5, *pieces(plan["key"])]
        half_x = half_y = 0.0
        for size, (before, beside) in zip(sizes, offsets, strict=True):
            t, d = before * long, beside * wide
            size = np.maximum(size, 1e-6)
            numbers += [t, d, 1 / (long * size), 1 / (wide * size)]
            t, d = (np.abs(t) + _ROOM * long) * (size > 1e-3), (np.abs(d) + _ROOM * wide + 2) * (size > 1e-3)
            half_x = np.maximum(half_x, np.abs(cos) * t + np.abs(sin) * d)
            half_y = np.maximum(half_y, np.abs(sin) * t + np.abs(cos) * d)
        boxes = x - half_x, y - half_y, x + half_x + 1, y + half_y + 1
        return settled(inclusion_field, stack(*numbers), (height, width), plan["contrast"], plan["area"], boxes)


def _streaks(key: Any, count: Any) -> tuple[list[Any], list[tuple[Any, Any]]]:
    """Sizes of three streaks (0: there is none), and where they are in semi-axes of the first: along and across."""
    u = [(np.asarray(key, np.int64) >> 10 * k & 1023) / 1024 for k in range(6)]
    sizes = [np.asarray(1.0), (count > 1) * (0.4 + 0.4 * u[0]), (count > 2) * (0.25 + 0.35 * u[1])]
    second = (1.1 + 0.5 * u[2]) * np.where(u[4] < 0.5, -1, 1), 3.0 * (u[3] - 0.5)
    third = 1.6 * u[4] - 0.8, (2.2 + 2 * u[5]) * np.where(u[2] < 0.5, -1, 1)
    return sizes, [(0.0, 0.0), second, third]


@njit(inline="always")
def inclusion_field(x, y, row):
    """Level and shade at (x, y)."""
    dx, dy = x - row[4], y - row[5]
    t, d = dx * row[6] + dy * row[7], dy * row[6] - dx * row[7]
    nearest = np.float32(99)
    for k in range(3):
        u, v = (t - row[14 + 4 * k]) * row[16 + 4 * k], (d - row[15 + 4 * k]) * row[17 + 4 * k]
        nearest = min(nearest, u * u + v * v)
    coarse = fine = _ZERO
    u, v = t * _COARSE * row[10] + row[4], d * _COARSE + row[5]
    for k in range(3):
        coarse, fine = fine, gradient(u, v, k, row[11], row[12], row[13])
        # The last is drawn out across the rolling direction, as slag cracks.
        u, v = (t * _FINE, d * _FINE * row[10]) if k == 1 else (u * np.float32(4), v * np.float32(4))
    return _ONE - math.sqrt(nearest) + row[8] * coarse, _ONE - row[9] * (_ONE + fine)


def inclusion_pixel(value, x, y, row):
    """The value with the inclusion in it; exactly `value` outside."""
    level, shade = inclusion_field(x, y, row)
    return painted(value, level, shade, row)


Inclusion.pixel = staticmethod(inclusion_pixel)
