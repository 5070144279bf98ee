"""A pitted surface: small round pits in clusters."""

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numba import njit

from sliceforge.engine.keys import Keys
from sliceforge.engine.op import Columns, Paint, Real, Shapes, setting, stack
from sliceforge.kernels.approx import exp2, floored
from sliceforge.kernels.image.affine import turn
from sliceforge.kernels.noise import lattice, pieces
from sliceforge.kernels.paint import begun, painted, settled
from sliceforge.kernels.texture import seeded

_ZERO, _HALF, _ONE = np.float32(0), np.float32(0.5), np.float32(1)
_SMALL = 0.7  # pixels, the least radius
_KEEN = 2.2  # of the rise from a pit's rim to its floor
_REACH = 1 / (1 - 0.5 / _KEEN)  # of the radius at half depth: where a pit ends
_FULL = 0.12  # of the cells, at most, have a pit on average: nobody sees the lattice, and clusters stay dense
_STRAY = np.float32(0.12)  # of the pits, those outside the clusters
_ABOVE = np.float32(0.2)  # how far above −1…1 a cluster's weight lies; 0.6 of them are there
_MEAN = np.float32(0.109)  # of the Gaussians' sum, measured over 10⁶ places
_BEYOND = np.float32(1.5)  # an oval reaches further than a circle
_OVAL = np.float32(0.25)
_SPREAD = 1 / (0.22**2 * 2 * np.log(2))  # a cluster's standard deviation is 0.22 of their distance


@dataclass(frozen=True)
class Pitted(Paint):
    """value − depth · bowl(distance / radius) · (1 − lean), around points of a clustered process.

    The pits are a Thomas process by cells: each cell of a fine lattice has one with a probability that is the sum of
    Gaussians around random parents in a coarse one (Thomas, "A generalization of Poisson's binomial limit", 1949).

    Args:
        label: the class that it is.
        label_above: grey levels of 255; the mask is where a value changed by at least so much.
        light: degrees from the x axis towards the y axis, which points down: where the light comes from.
        contrast: grey levels of 255, the median of the change in the pits.
        count: pits in 200 × 200 pixels, on average; where they are large and many they meet.
        radius: pixels, of the largest pits at half their depth; the others go down to 0.7.
        cluster: pixels, about the distance between clusters.
        lean: fraction by which a pit is deeper on the side that the light comes from.

    Batch:
        image (H, W, C) float32 in 0…1, all channels alike.
    """

    pixel: ClassVar[Any]

    label: str = "pitted_surface"
    label_above: float = setting(1.0, "grey levels", low=0, high=255)
    light: Real = setting([-180, 180], "degrees", low=-360, high=360)
    contrast: Real = setting([10, 60], "grey levels", low=0, high=255)
    count: Real = setting(["log", 50, 500], "in 200 x 200 pixels", low=0, high=2000)
    radius: Real = setting(["log", 1.5, 4], "pixels", low=0.7, high=100)
    cluster: Real = setting(["log", 40, 90], "pixels", low=1, high=10000)
    lean: Real = setting([0.2, 0.7], "of the depth", low=0, high=1)

    def draw(self, keys: Keys, shapes: Shapes) -> Columns:
        """Every setting that varies, and the key of the points."""
        return super().draw(keys, shapes) | {"key": keys.field()}

    def row(self, height: int, width: int, /, **plan: Any) -> np.ndarray:
        """(…, 14) float32: a mark's four, cells and clusters a pixel, radii, how many cells have one, lean, the key."""
        density = np.maximum(plan["count"] / 200.0**2, 1e-9)
        cell = np.maximum(np.sqrt(_FULL / density), 1.2 * _REACH * plan["radius"])
        cos, sin = turn(plan["light"])
        numbers = begun(-1.0, plan["contrast"], _KEEN, self.label_above)
        numbers += [cell, 1 / plan["cluster"], _SMALL * _REACH, np.maximum(plan["radius"] - _SMALL, 0) * _REACH]
        numbers += [density * cell**2, plan["lean"] * cos, plan["lean"] * sin]
        rows = stack(*numbers, *pieces(plan["key"]))
        return settled(pitted_field, rows, (height, width), plan["contrast"])


@njit(inline="always")
def clustered(x, y, key0, key1, key2):
    """How dense the pits are at (x, y), in distances between clusters; 1 on average."""
    i, j = floored(x), floored(y)
    total = _ZERO
    for k in range(9):
        a, b = i + k % 3 - 1, j + k // 3 - 1
        px, py = seeded(a, b, 1, key0, key1, key2)
        # Some are no cluster, the others are of any strength.
        weight = max(lattice(a, b * 64 + 2, key0, key1, key2) + _ABOVE, _ZERO)
        total += weight * exp2(-np.float32(_SPREAD) * ((px - x) * (px - x) + (py - y) * (py - y)))
    return _STRAY + (_ONE - _STRAY) * total / _MEAN


@njit(inline="always")
def pitted_field(x, y, row):
    """Level and shade at (x, y)."""
    u, v = x / row[4], y / row[4]
    i, j = floored(u), floored(v)
    level, shade = _ZERO, _ONE
    for k in range(9):
        a, b = i + k % 3 - 1, j + k // 3 - 1
        px, py = seeded(a, b, 3, row[11], row[12], row[13])
        dx, dy = (u - px) * row[4], (v - py) * row[4]
        square, most = dx * dx + dy * dy, row[6] + row[7]
        if square >= most * most * _BEYOND:
            continue
        large = _HALF + _HALF * lattice(a, b * 64 + 4, row[11], row[12], row[13])
        reach = row[6] + row[7] * large * large
        # No pit is a circle: it is up to a quarter longer one way than the other.
        oval = large * np.float32(8) - np.float32(floored(large * np.float32(8))) - _HALF
        far = math.sqrt(square) / reach
        far += far * (oval * (dx * dx - dy * dy) + (_HALF - large) * dx * dy) / max(square, np.float32(1e-6)) * _OVAL
        if far < _ONE - level:
            chance = _HALF + _HALF * lattice(a, b * 64 + 5, row[11], row[12], row[13])
            scale = row[4] * row[5]
            if chance < row[8] * clustered(px * scale, py * scale, row[11], row[12], row[13]):
                level = _ONE - far
                shade = _ONE + (dx * row[9] + dy * row[10]) / reach
    return level, shade


def pitted_pixel(value, x, y, row):
    """The value with pits in it; exactly `value` between them."""
    level, shade = pitted_field(x, y, row)
    return painted(value, level, shade, row)


Pitted.pixel = staticmethod(pitted_pixel)
