"""A finger interruption: a dark stripe along a solar cell's fingers that ends at the busbars."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from sliceforge.engine.keys import Keys
from sliceforge.engine.op import Columns, Paint, Real, Shapes, setting, stack
from sliceforge.kernels.busbars import interval, placed
from sliceforge.kernels.noise import jagged, pieces
from sliceforge.kernels.paint import kept, least

_ZERO, _HALF, _ONE = np.float32(0), np.float32(0.5), np.float32(1)
_SOFT = np.float32(2)  # pixels over which either side of it fades
_SLOW = np.float32(10)  # pixels
_LEVELS = np.linspace(-0.8, 0.8, 9)  # of the noise that makes it uneven: what nine tenths lie between
_FAINT = 0.03  # of the depth: what no mask holds
_MOST = 34  # pixels: no stripe reaches further from its middle


@dataclass(frozen=True)
class Finger(Paint):
    """value − depth · level(v) · across(u), from one busbar to the next; a cell's outermost stripes end at its edge.

    In electroluminescence a finger whose print is interrupted carries no current to the silicon beside it.

    Args:
        label: the class that it is.
        label_above: grey levels of 255; the mask is where a value changed by at least so much.
        direction: degrees from the x axis towards the y axis, which points down: where the fingers run; busbars run
            across.
        busbars: how many, at ½, 1½, 2½… of their number along the fingers.
        busbar_width: fraction of the image's side along the fingers.
        along: fraction of that side: the stripe lies between the two busbars that this is between.
        across: fraction of the other side: its middle.
        width: pixels.
        contrast: grey levels of 255 by which its core is darker: the median of where it reaches half of its greatest.
        floor: grey levels; what nothing is made darker than.
        uneven: fraction by which it is fainter in places along its length.

    Batch:
        image (H, W, C) float32 in 0…1, all channels alike.
    """

    pixel: ClassVar[Any]

    label: str = "finger"
    label_above: float = setting(1.0, "grey levels", low=0, high=255)
    direction: float = setting(90.0, "degrees", low=-180, high=180)
    busbars: int = setting(3, "", low=0, high=64)
    busbar_width: float = setting(0.03, "of the side", low=0, high=0.5)
    along: Real = setting([0, 1], "of the side along the fingers", low=0, high=1)
    across: Real = setting([0.08, 0.92], "of the side across the fingers", low=0, high=1)
    width: Real = setting(["log", 3, 8], "pixels", low=0.5, high=64)
    contrast: Real = setting(["log", 25, 60], "grey levels", low=0, high=255)
    floor: float = setting(0.0, "grey levels", low=0, high=255)
    uneven: Real = setting([0.05, 0.3], "fraction", low=0, high=1)

    def draw(self, keys: Keys, shapes: Shapes) -> Columns:
        """Every setting that varies, and the key of the noise."""
        return super().draw(keys, shapes) | {"key": keys.field()}

    def row(self, height: int, width: int, /, **plan: Any) -> np.ndarray:
        """(…, 14) float32: the image's middle, the fingers' direction, both ends, and the numbers of `pixel`."""
        cos, sin, side, other = placed(self.direction, height, width)
        start, end = interval(plan["along"], self.busbars, self.busbar_width, side)
        half, middle = np.maximum(plan["width"], 1) / 2, (plan["across"] - 0.5) * other
        depth = plan["contrast"] / 255 / _strength(half, middle, plan["uneven"], other)
        numbers = [(width - 1) / 2, (height - 1) / 2, cos, sin, start, end, middle]
        numbers += [half, depth, plan["uneven"], *pieces(plan["key"]), self.floor / 255]
        return stack(*numbers, least(self.label_above))


def _strength(half: Any, middle: Any, uneven: Any, other: float) -> Any:
    """The median over the core where depth is 1, from the columns of pixels as they lie under an upright stripe."""
    u = np.abs(np.expand_dims(-(middle + (other - 1) / 2) % 1, -1) + np.arange(-_MOST, _MOST))
    cover = np.clip((np.expand_dims(half, -1) - u) / float(_SOFT) + 0.5, 0, 1)
    level = 1 - np.expand_dims(uneven, -1) * (0.5 + 0.5 * _LEVELS)
    change = np.expand_dims(cover, -1) * np.expand_dims(level, -2)
    change = np.sort(change.reshape(*change.shape[:-2], -1), axis=-1)[..., ::-1]
    marked = np.sum(change > _FAINT, axis=-1, keepdims=True)
    most = np.take_along_axis(change, marked // 20, axis=-1)
    core = np.sum(change >= most / 2, axis=-1, keepdims=True)
    middles = [np.take_along_axis(change, place, axis=-1)[..., 0] for place in ((core - 1) // 2, core // 2)]
    return (middles[0] + middles[1]) / 2


def finger_pixel(value, x, y, row):
    """The value at pixel (x, y) under the stripe; exactly `value` outside it."""
    dx, dy = x - row[0], y - row[1]
    v, u = dx * row[2] + dy * row[3], dy * row[2] - dx * row[3] - row[6]
    ends = min(max(min(v - row[4], row[5] - v) + _HALF, _ZERO), _ONE)
    cover = ends * min(max((row[7] - abs(u)) / _SOFT + _HALF, _ZERO), _ONE)
    if cover <= _ZERO:
        return value
    fainter, _ = jagged(v / _SLOW, 0, row[10], row[11], row[12])
    level = _ONE - row[9] * (_HALF + _HALF * fainter)
    return kept(value, value - row[8] * level * cover, row[13], row[14])


Finger.pixel = staticmethod(finger_pixel)
