"""Crazing: a closed network of fine cracks."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numba import njit

from sliceforge.engine.keys import Keys
from sliceforge.engine.op import Columns, Paint, Real, Shapes, setting, stack
from sliceforge.kernels.image.affine import turn
from sliceforge.kernels.noise import gradient, pieces
from sliceforge.kernels.paint import begun, painted, settled
from sliceforge.kernels.texture import border

_ONE, _HALF, _ASIDE = np.float32(1), np.float32(0.5), np.float32(31.7)
_APERTURE = 0.9  # pixels, what the camera adds to a line's width
_LEAST = np.float32(0.2)  # of a line's depth, left where it is faintest: the network stays closed
_BEND = np.float32(1.7)  # bends, per cell


@dataclass(frozen=True)
class Crazing(Paint):
    """value − depth · line(distance to the nearest border between random cells) · texture.

    Args:
        label: the class that it is.
        label_above: grey levels of 255; the mask is where a value changed by at least so much.
        rolling: degrees from the x axis towards the y axis, which points down; 0 is horizontal, 90 vertical.
        contrast: grey levels of 255, the median of the change on the lines.
        cell: pixels, about the width of a cell across the rolling direction.
        aspect: how much longer than wide cells are along it.
        width: pixels, of a line at half its depth.
        bend: fraction of a cell by which lines bend.
        uneven: fraction by which depth and width vary along the lines.

    Batch:
        image (H, W, C) float32 in 0…1, all channels alike.
    """

    pixel: ClassVar[Any]
    line: ClassVar[bool] = True

    label: str = "crazing"
    label_above: float = setting(1.0, "grey levels", low=0, high=255)
    rolling: float = setting(90.0, "degrees", low=-180, high=180)
    contrast: Real = setting([5, 25], "grey levels", low=0, high=255)
    cell: Real = setting(["log", 6, 30], "pixels", low=2, high=10000)
    aspect: Real = setting([0.7, 1.5], "", low=0.05, high=20)
    width: Real = setting(["log", 0.5, 2], "pixels", low=0.1, high=100)
    bend: Real = setting([0.1, 0.35], "of a cell", low=0, high=1)
    uneven: Real = setting([0.4, 0.9], "of the change", low=0, high=1)

    def draw(self, keys: Keys, shapes: Shapes) -> Columns:
        """Every setting that varies, and the key of the network."""
        plan = super().draw(keys, shapes)
        return plan | {"rolling": np.full(len(keys), self.rolling, np.float32), "key": keys.field()}

    def row(self, height: int, width: int, /, **plan: Any) -> np.ndarray:
        """(…, 14) float32: a mark's four, the direction in cells a pixel, width in cells, bend, uneven, the key."""
        cos, sin = turn(plan["rolling"])
        long, wide = plan["cell"] * plan["aspect"], plan["cell"] * 1.0
        reach = np.hypot(plan["width"], _APERTURE) / np.sqrt(long * wide)
        numbers = begun(-1.0, plan["contrast"], 1.0, self.label_above)
        numbers += [cos / long, sin / long, -sin / wide, cos / wide, 1 / reach, plan["bend"], plan["uneven"]]
        rows = stack(*numbers, *pieces(plan["key"]))
        return settled(crazing_field, rows, (height, width), plan["contrast"])


@njit(inline="always")
def crazing_field(x, y, row):
    """Level and shade at (x, y)."""
    u, v = x * row[4] + y * row[5], x * row[6] + y * row[7]
    p, q, slow = u * _BEND, v * _BEND, np.float32(0)
    for k in range(3):
        drawn = gradient(p, q, k, row[11], row[12], row[13])
        if k == 0:
            u += row[9] * drawn
        elif k == 1:
            v += row[9] * drawn
        slow = drawn
        p, q = p * _HALF + _ASIDE, q * _HALF + _ASIDE
    faint = row[10] * min(max(_HALF + slow, np.float32(0)), _ONE)
    distance = border(u, v, 3, row[11], row[12], row[13])
    return _ONE - distance * row[8] * (_ONE + faint), max(_ONE - faint, _LEAST)


def crazing_pixel(value, x, y, row):
    """The value with the network over it; exactly `value` inside its cells."""
    level, shade = crazing_field(x, y, row)
    return painted(value, level, shade, row)


Crazing.pixel = staticmethod(crazing_pixel)
