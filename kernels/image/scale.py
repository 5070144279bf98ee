"""Rolled-in scale: flecks of oxide drawn out along the rolling direction, in swarms, dark with bright specks."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numba import njit

from sliceforge.engine.keys import Keys
from sliceforge.engine.op import Columns, Paint, Real, Shapes, setting, stack
from sliceforge.kernels.image.affine import turn
from sliceforge.kernels.noise import gradient, pieces
from sliceforge.kernels.paint import begun, painted, settled
from sliceforge.kernels.texture import fbm

_ONE, _TWO, _FIFTH = np.float32(1), np.float32(2), np.float32(0.2)
_STEEP = 2.0  # per fleck's width, the typical slope where the level crosses its cut
_DETAIL = np.float32(0.5)


@dataclass(frozen=True)
class Scale(Paint):
    """Where stretched fractional Brownian motion with swarms lies above a cut: value + amplitude · rise · texture.

    Args:
        label: the class that it is.
        label_above: grey levels of 255; the mask is where a value changed by at least so much.
        rolling: degrees from the x axis towards the y axis, which points down; 0 is horizontal, 90 vertical.
        area: share of the image that is covered.
        contrast: grey levels of 255, the median of the change inside.
        cell: pixels, about the width of a fleck.
        aspect: how much longer than wide flecks are along the rolling direction.
        swarm: how much more of them there are in some places; 0 is evenly spread.
        edge: pixels, about the width of a fleck's border.
        rough: fraction by which the change varies inside; from a half on the brightest specks are above the strip.

    Batch:
        image (H, W, C) float32 in 0…1, all channels alike.
    """

    pixel: ClassVar[Any]

    label: str = "rolled-in_scale"
    label_above: float = setting(1.0, "grey levels", low=0, high=255)
    rolling: float = setting(90.0, "degrees", low=-180, high=180)
    area: Real = setting([0.1, 0.6], "of the image", low=0, high=1)
    contrast: Real = setting([15, 60], "grey levels", low=0, high=255)
    cell: Real = setting(["log", 4, 9], "pixels", low=1, high=10000)
    aspect: Real = setting([2, 6], "", low=0.05, high=20)
    swarm: Real = setting([0.3, 1.0], "", low=0, high=4)
    edge: Real = setting(["log", 1, 3], "pixels", low=0.5, high=100)
    rough: Real = setting([0.4, 0.8], "of the change", low=0, high=1)

    def draw(self, keys: Keys, shapes: Shapes) -> Columns:
        """Every setting that varies, and the key of the noise."""
        plan = super().draw(keys, shapes)
        return plan | {"rolling": np.full(len(keys), self.rolling, np.float32), "key": keys.field()}

    def row(self, height: int, width: int, /, **plan: Any) -> np.ndarray:
        """(…, 13) float32: the four of a mark, the direction in flecks a pixel, swarm, rough, the key."""
        cos, sin = turn(plan["rolling"])
        long, wide = plan["cell"] * plan["aspect"], plan["cell"] * 1.0
        numbers = begun(-1.0, plan["contrast"], wide / (plan["edge"] * _STEEP), self.label_above)
        numbers += [cos / long, sin / long, -sin / wide, cos / wide, plan["swarm"], plan["rough"]]
        rows = stack(*numbers, *pieces(plan["key"]))
        return settled(scale_field, rows, (height, width), plan["contrast"], plan["area"])


@njit(inline="always")
def scale_field(x, y, row):
    """Level and shade at (x, y)."""
    u, v = x * row[4] + y * row[5], x * row[6] + y * row[7]
    # The third octave is the swarm's: far larger, and it leaves the flecks' own shape alone.
    swarm = gradient(u * _FIFTH, v * _FIFTH, 3, row[10], row[11], row[12])
    level = fbm(u, v, _DETAIL, _DETAIL * _DETAIL, 0, row[10], row[11], row[12]) + row[8] * swarm
    # Ripples across the rolling direction, as scale cracks when it is rolled out.
    ripple = gradient(u * _TWO * _TWO, v, 4, row[10], row[11], row[12])
    return level, _ONE - row[9] * (_ONE + ripple)


def scale_pixel(value, x, y, row):
    """The value with scale over it; exactly `value` outside all flecks."""
    level, shade = scale_field(x, y, row)
    return painted(value, level, shade, row)


Scale.pixel = staticmethod(scale_pixel)
