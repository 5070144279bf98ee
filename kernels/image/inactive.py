"""A part of a solar cell that a crack has cut off: darker by one factor between a busbar and the crack."""

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from sliceforge.engine.keys import Keys
from sliceforge.engine.op import Columns, Paint, Real, Shapes, setting, stack
from sliceforge.kernels.busbars import interval, placed
from sliceforge.kernels.noise import kinked, pieces
from sliceforge.kernels.paint import kept, least

_ZERO, _HALF, _ONE = np.float32(0), np.float32(0.5), np.float32(1)
_COARSE, _FINE, _FINE_SHARE = np.float32(19), np.float32(5), np.float32(0.3)  # pixels from kink to kink
_TOP = np.float32(0.7)  # of either part's kinks


@dataclass(frozen=True)
class Inactive(Paint):
    """value · factor inside: straight along a busbar, elsewhere along a crack of straight pieces.

    The crack leaves the busbar, rises to `height`, and comes back; where it reaches the next busbar, that bounds the
    region as well.

    Args:
        label: the class that it is.
        label_above: grey levels of 255; the mask is where a value changed by at least so much.
        direction: degrees from the x axis towards the y axis, which points down: where the fingers run; busbars run
            across.
        busbars: how many, at ½, 1½, 2½… of their number along the fingers.
        busbar_width: fraction of the image's side along the fingers.
        along: fraction of that side: the region lies between the two busbars that this is between.
        upper: share of regions between two busbars that lie at the one with the greater coordinate.
        across: fraction of the other side: the region's middle.
        width: fraction of the other side, along the busbar.
        height: fraction of the way to the next busbar, or to the cell's edge.
        lean: −1…1: how much steeper the crack rises on one side than on the other.
        top: fraction of the width over which the crack runs along the busbar.
        wander: pixels, about the most that its kinks lie beside a straight crack.
        factor: what is left of the light inside.

    Batch:
        image (H, W, C) float32 in 0…1, all channels alike.
    """

    pixel: ClassVar[Any]

    label: str = "inactive"
    label_above: float = setting(1.0, "grey levels", low=0, high=255)
    direction: float = setting(90.0, "degrees", low=-180, high=180)
    busbars: int = setting(3, "", low=0, high=64)
    busbar_width: float = setting(0.03, "of the side", low=0, high=0.5)
    along: Real = setting([0, 1], "of the side along the fingers", low=0, high=1)
    upper: float = setting(0.5, "share", low=0, high=1)
    across: Real = setting([0, 1], "of the side across the fingers", low=0, high=1)
    width: Real = setting([0.25, 0.8], "of the side across the fingers", low=0.01, high=4)
    height: Real = setting([0.4, 1.0], "of the way to the next busbar", low=0.01, high=1)
    lean: Real = setting([-0.9, 0.9], "", low=-1, high=1)
    top: Real = setting([0, 0.6], "of the width", low=0, high=0.95)
    wander: Real = setting([1, 4], "pixels", low=0, high=32)
    factor: Real = setting([0.1, 0.6], "of the light", low=0, high=1)

    def draw(self, keys: Keys, shapes: Shapes) -> Columns:
        """Every setting that varies, the side, −1 or 1, that its busbar lies on, and the key of the crack."""
        plan = super().draw(keys, shapes)
        plan["side"] = np.where(keys.uniform("upper")[:, 0] < self.upper, 1, -1).astype(np.float32)
        return plan | {"key": keys.field()}

    def row(self, height: int, width: int, /, **plan: Any) -> np.ndarray:
        """(…, 17) float32: the image's middle, the fingers' direction, the busbar, and the numbers of `pixel`."""
        cos, sin, side, other = placed(self.direction, height, width)
        start, end = interval(plan["along"], self.busbars, self.busbar_width, side)
        # The outermost parts have one busbar only.
        at_end = np.where(start <= -side / 2, 1, np.where(end >= side / 2, -1, plan["side"]))
        rise = plan["height"] * (end - start)
        half = np.maximum(plan["width"] * other / 2, 0.5)
        ramp = half * (1 - plan["top"])
        left, right = ramp * (1 + plan["lean"]) + 0.5, ramp * (1 - plan["lean"]) + 0.5
        numbers = [(width - 1) / 2, (height - 1) / 2, cos, sin, np.where(at_end > 0, end, start), at_end]
        numbers += [end - start, rise, (plan["across"] - 0.5) * other, half, rise / left, rise / right]
        return stack(*numbers, plan["wander"], *pieces(plan["key"]), plan["factor"], least(self.label_above))


def inactive_pixel(value, x, y, row):
    """The value at pixel (x, y): times the factor inside the region, and exactly `value` outside it."""
    dx, dy = x - row[0], y - row[1]
    v, u = dx * row[2] + dy * row[3], dy * row[2] - dx * row[3]
    away = (row[4] - v) * row[5]  # from the busbar
    if away <= -_ONE or away >= row[6] + _HALF:
        return value
    s = u - row[8]
    up, _ = kinked(s + away, _COARSE, _FINE, _FINE_SHARE, 0, row[13], row[14], row[15])
    down, _ = kinked(s - away, _COARSE, _FINE, _FINE_SHARE, 2, row[13], row[14], row[15])
    up, down = row[12] * up, row[12] * down
    # Distances inside the two rising parts of the crack, and under its top.
    left = ((s + row[9]) * row[10] - away) / math.sqrt(_ONE + row[10] * row[10]) + up
    right = ((row[9] - s) * row[11] - away) / math.sqrt(_ONE + row[11] * row[11]) + down
    inside = min(min(left, right), min(row[7] + _TOP * (up + down), row[6]) - away)
    # The silicon's light that spills over the busbar's border goes with it: hence half a pixel more there.
    cover = min(max(min(inside + _HALF, away + _ONE), _ZERO), _ONE)
    return kept(value, value - value * cover * (_ONE - row[16]), _ZERO, row[17])


Inactive.pixel = staticmethod(inactive_pixel)
