"""A crack: a thin, dark, angular line with up to two branches, as brittle wafers and sintered magnets break."""

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numba import njit

from sliceforge.engine.keys import Keys
from sliceforge.engine.op import Columns, Paint, Real, Shapes, Whole, setting, stack
from sliceforge.kernels.noise import eased, jagged, kinked, pieces
from sliceforge.kernels.paint import kept, least

_ZERO, _HALF, _ONE = np.float32(0), np.float32(0.5), np.float32(1)
_COARSE, _FINE, _FINE_SHARE = np.float32(23), np.float32(6), np.float32(0.3)  # pixels from kink to kink
_FORK, _FAINT = np.float32(9), np.float32(5)  # pixels from kink to kink of a branch; from fainter to darker
_THIN = np.float32(0.4)  # of the width: what is left of it at the tips
_BRANCH = np.float32(0.8)  # of the width: a branch at its fork


@dataclass(frozen=True)
class Crack(Paint):
    """A crack: value − depth · level(t) · cover(d), d across and t along a path of straight pieces, and its branches.

    cover is the share of a pixel that a line of the drawn width fills; depth is worked out so that the change's median
    over the core is `contrast`. A change never makes a value darker than `floor`, nor darkens what is darker already.

    Args:
        label: the class that it is.
        label_above: grey levels of 255; the mask is where a value changed by at least so much.
        direction: degrees from the x axis towards the y axis, which points down: where it runs.
        angle: degrees away from that.
        x, y: the middle, as a fraction of the image's width and height.
        length: tip to tip, a fraction of the image's side along the crack.
        width: pixels.
        contrast: grey levels of 255 by which its core is darker: the median of where it reaches half of its greatest.
        floor: grey levels; what nothing is made darker than.
        bend: fraction of the length by which the path bows out.
        wander: pixels, at most, by which its kinks lie beside the bow.
        uneven: fraction by which it is fainter in places along its length.
        tip: fraction of half the length over which each end thins out.
        branches: how many.
        fork: fraction of half the length from the middle, −1…1: where a branch leaves.
        fork_angle: degrees between a branch and the crack; negative to the other side.
        fork_length: fraction of the length.

    Batch:
        image (H, W, C) float32 in 0…1, all channels alike.
    """

    pixel: ClassVar[Any]
    line: ClassVar[bool] = True

    label: str = "crack"
    label_above: float = setting(1.0, "grey levels", low=0, high=255)
    direction: Real = setting(["choice", 45, 135], "degrees", low=-180, high=180)
    angle: Real = setting(["normal", 0, 10, -30, 30], "degrees", low=-90, high=90)
    x: Real = setting([0.15, 0.85], "of the width", low=0, high=1)
    y: Real = setting([0.15, 0.85], "of the height", low=0, high=1)
    length: Real = setting([0.2, 0.9], "of the side", low=0.01, high=4)
    width: Real = setting(["log", 1, 3], "pixels", low=0.5, high=32)
    contrast: Real = setting(["log", 20, 60], "grey levels", low=0, high=255)
    floor: float = setting(0.0, "grey levels", low=0, high=255)
    bend: Real = setting(["normal", 0, 0.06, -0.2, 0.2], "of the length", low=-1, high=1)
    wander: Real = setting([1.5, 5], "pixels", low=0, high=32)
    uneven: Real = setting([0.1, 0.5], "fraction", low=0, high=1)
    tip: Real = setting([0.1, 0.5], "of half the length", low=0.001, high=1)
    branches: Whole = setting(["choice", 0, 0, 1, 2], "", low=0, high=2)
    fork: Real = setting([-0.7, 0.7], "of half the length", low=-1, high=1)
    fork_angle: Real = setting(["choice", -65, -50, -35, 35, 50, 65], "degrees", low=-90, high=90)
    fork_length: Real = setting([0.1, 0.4], "of the length", low=0, high=1)

    def draw(self, keys: Keys, shapes: Shapes) -> Columns:
        """Every setting that varies, the second branch's own fork, and the key of the noise."""
        plan = super().draw(keys, shapes)
        for name in ("fork", "fork_angle", "fork_length"):
            plan[f"{name}_2"] = getattr(self, name).draw(keys, f"{name}_2")
        return plan | {"key": keys.field()}

    def row(self, height: int, width: int, /, **plan: Any) -> np.ndarray:
        """(…, 26) float32: middle, direction, half length in pixels, then the numbers in the order of `pixel`."""
        angle = np.radians(plan["direction"] + plan["angle"])
        cos, sin = np.cos(angle), np.sin(angle)
        length = plan["length"] * np.hypot(cos * width, sin * height)
        half = np.maximum(length / 2, 0.5)
        forks, far = [], 0 * length
        for number, tail in ((1, ""), (2, "_2")):
            turn = np.radians(plan[f"fork_angle{tail}"])
            reach = np.where(plan["branches"] >= number, plan[f"fork_length{tail}"] * length, 0)
            forks += [plan[f"fork{tail}"] * half, np.cos(turn), np.sin(turn), reach]
            far = np.maximum(far, reach)
        numbers = [plan["x"] * width - 0.5, plan["y"] * height - 0.5, cos, sin, half, plan["width"]]
        numbers += [plan["contrast"] / 255 / _strength(plan["width"], plan["uneven"]), plan["bend"] * length]
        numbers += [plan["wander"], plan["uneven"], plan["tip"], *pieces(plan["key"]), self.floor / 255]
        aside = np.abs(plan["bend"]) * length + 2 * plan["wander"] + plan["width"] + 1 + far
        return stack(*numbers, least(self.label_above), *forks, half + far, aside)


def _strength(width: Any, uneven: Any) -> Any:
    """The median over the core where depth is 1: of the pixels that a line covers, and of `level` along it."""
    return 0.94 * (1 - 0.5 * uneven) * (1 - 0.25 * np.clip(2 - width, 0, 1.5))


@njit(inline="always")
def _cover(d, width):
    # The share of a pixel that a line fills: nearly exact for any direction.
    return max(min(min(width, _ONE), width * _HALF + _HALF - abs(d)), _ZERO)


@njit(inline="always")
def _main(s, across, row):
    # (distance from the path, signed and across it; the same to the path's tangent; the cover of the crack itself)
    t = s / row[4]
    kink, rise = kinked(s, _COARSE, _FINE, _FINE_SHARE, 0, row[11], row[12], row[13])
    d = across - row[7] * (_HALF - t * t) - row[8] * kink
    slope = row[8] * rise - np.float32(2) * row[7] * t / row[4]
    tip = eased((_ONE - abs(t)) / row[10])
    cover = _cover(d / math.sqrt(_ONE + slope * slope), row[5] * (_THIN + (_ONE - _THIN) * tip))
    return d, cover if abs(t) < _ONE else _ZERO


@njit(inline="always")
def _branch(s, d, first, row):
    # A branch is straight beside the crack's own path, and thus shares its kinks, with smaller ones of its own.
    reach = row[first + 3]
    ahead = s - row[first]
    u = ahead * row[first + 1] + d * row[first + 2]
    if u < _ZERO or u >= reach:
        return _ZERO
    kink, rise = jagged(u / _FORK, first, row[11], row[12], row[13])
    grown = min(u / _FORK, _ONE) * _HALF * row[8]
    aside = d * row[first + 1] - ahead * row[first + 2] - grown * kink
    slope = grown * rise / _FORK
    left = eased(np.float32(1.5) * (_ONE - u / reach))
    return _cover(aside / math.sqrt(_ONE + slope * slope), row[5] * _BRANCH * (_THIN + (_ONE - _THIN) * left))


def crack_pixel(value, x, y, row):
    """The cracked value at pixel (x, y); exactly `value` outside the crack."""
    dx, dy = x - row[0], y - row[1]
    s, across = dx * row[2] + dy * row[3], dy * row[2] - dx * row[3]
    if abs(s) >= row[24] or abs(across) >= row[25]:
        return value
    d, cover = _main(s, across, row)
    for k in range(2):
        first = 16 + 4 * k
        if row[first + 3] > _ZERO:
            cover = max(cover, _branch(s, d, first, row))
    if cover <= _ZERO:
        return value
    fainter, _ = jagged(s / _FAINT, 2, row[11], row[12], row[13])
    level = _ONE - row[9] * (_HALF + _HALF * fainter)
    return kept(value, value - row[6] * level * cover, row[14], row[15])


Crack.pixel = staticmethod(crack_pixel)
