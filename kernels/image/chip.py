"""A break at the border of the piece: an angular chip with facets, and a lit or dark line where it broke off."""

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from sliceforge.engine.keys import Keys
from sliceforge.engine.op import Columns, Paint, Real, Shapes, setting, stack
from sliceforge.kernels.noise import gradient, jagged, pieces
from sliceforge.kernels.paint import kept, least, sign

_ZERO, _HALF, _ONE = np.float32(0), np.float32(0.5), np.float32(1)
_COARSE, _FINE, _FINE_SHARE = np.float32(17), np.float32(5), np.float32(0.25)  # pixels from corner to corner
_FACET = np.float32(7)  # pixels
_RIM = np.float32(1.5)  # pixels


@dataclass(frozen=True)
class Chip(Paint):
    """value + contrast · (1 + rough · n) in a polygon on the border, of the other sign on its rim.

    Args:
        label: the class that it is.
        label_above: grey levels of 255; the mask is where a value changed by at least so much.
        inward: degrees from the x axis towards the y axis, which points down: where it reaches from the border; 0 is
            the left border, 90 the upper, 180 the right, 270 the lower one.
        along: fraction of that border: its middle.
        width: fraction of that border.
        depth: fraction of the side across it, how far it reaches; at most `width` of the border.
        lean: −1…1: how much steeper the polygon rises on one side than on the other.
        top: fraction of the width over which it runs along the border.
        wander: fraction of the depth by which its corners lie beside that.
        contrast: grey levels of 255, the median over its core; positive is brighter.
        dark: share of chips that are darker than the surface, their contrast being negative.
        rim: fraction of the contrast by which its rim is of the other sign.
        rough: fraction by which its facets differ.

    Batch:
        image (H, W, C) float32 in 0…1, all channels alike.
    """

    pixel: ClassVar[Any]

    label: str = "break"
    label_above: float = setting(1.0, "grey levels", low=0, high=255)
    inward: Real = setting(["choice", 0, 90, 180, 270], "degrees", low=-360, high=360)
    along: Real = setting([0, 1], "of the border", low=0, high=1)
    width: Real = setting(["log", 0.12, 0.5], "of the border", low=0.01, high=2)
    depth: Real = setting(["log", 0.06, 0.25], "of the side", low=0.005, high=1)
    lean: Real = setting([-0.8, 0.8], "", low=-1, high=1)
    top: Real = setting([0.1, 0.6], "of the width", low=0, high=0.95)
    wander: Real = setting([0.08, 0.22], "of the depth", low=0, high=1)
    contrast: Real = setting(["log", 25, 80], "grey levels", low=0, high=255)
    dark: float = setting(0.7, "share", low=0, high=1)
    rim: Real = setting([0, 0.6], "of the contrast", low=0, high=2)
    rough: Real = setting([0.05, 0.35], "of the contrast", low=0, high=1)

    def draw(self, keys: Keys, shapes: Shapes) -> Columns:
        """Every setting that varies, the contrast with its sign, and the key of the noise."""
        plan = super().draw(keys, shapes)
        return plan | {"contrast": sign(keys, self.dark) * plan["contrast"], "key": keys.field()}

    def row(self, height: int, width: int, /, **plan: Any) -> np.ndarray:
        """(…, 17) float32: the border's middle, the way inward, and the numbers of `pixel`."""
        angle = np.radians(plan["inward"])
        cos, sin = np.round(np.cos(angle), 12), np.round(np.sin(angle), 12)
        side, border = np.abs(cos) * width + np.abs(sin) * height, np.abs(cos) * height + np.abs(sin) * width
        half = np.maximum(plan["width"] * border / 2, 1)
        depth = np.maximum(np.minimum(plan["depth"] * side, 2 * half), 1)
        ramp = half * (1 - plan["top"])
        left, right = ramp * (1 + plan["lean"]) + 0.5, ramp * (1 - plan["lean"]) + 0.5
        middle = [(width - 1) / 2 - cos * side / 2, (height - 1) / 2 - sin * side / 2]
        numbers = [*middle, cos, sin, (plan["along"] - 0.5) * border, half, depth, depth / left, depth / right]
        numbers += [plan["wander"] * depth, plan["contrast"] / 255, plan["rim"], plan["rough"], *pieces(plan["key"])]
        return stack(*numbers, least(self.label_above))


def chip_pixel(value, x, y, row):
    """The value at pixel (x, y) of the chip and its rim; exactly `value` elsewhere."""
    dx, dy = x - row[0], y - row[1]
    away, s = dx * row[2] + dy * row[3], dy * row[2] - dx * row[3] - row[4]
    if away >= row[6] + np.float32(1.3) * row[9] + _ONE or abs(s) >= row[5] + np.float32(1.3) * row[9] + _ONE:
        return value
    coarse, _ = jagged((s + away) / _COARSE, 0, row[13], row[14], row[15])
    fine, _ = jagged((s - away) / _FINE, 1, row[13], row[14], row[15])
    kinks = row[9] * (coarse + _FINE_SHARE * fine)
    left = ((s + row[5] + kinks) * row[7] - away) / math.sqrt(_ONE + row[7] * row[7])
    right = ((row[5] - s + kinks) * row[8] - away) / math.sqrt(_ONE + row[8] * row[8])
    inside = min(min(left, right), row[6] + kinks - away)
    if inside <= -_HALF:
        return value
    facet = gradient((dx + dy) / _FACET, (dx - dy) / _FACET, 2, row[13], row[14], row[15])
    rim = max(_ONE - abs(inside - _HALF) / _RIM, _ZERO) * row[11]
    level = _ONE + row[12] * facet - rim * (_ONE + row[12] * facet) - rim
    changed = value + row[10] * min(inside + _HALF, _ONE) * level
    return kept(value, changed, _ZERO, row[16])


Chip.pixel = staticmethod(chip_pixel)
