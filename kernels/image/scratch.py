"""A scratch along the rolling direction: a bright or dark core between shoulders of the other sign."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numba import njit

from sliceforge.engine.keys import Keys
from sliceforge.engine.op import Columns, Paint, Real, Shapes, setting, stack
from sliceforge.kernels.noise import curve, eased, pieces, surface
from sliceforge.kernels.paint import kept, least, sign

_ZERO, _HALF, _ONE, _TWO = np.float32(0), np.float32(0.5), np.float32(1), np.float32(2)
# (1 − s²)³ is a half at s = 0.4542; a bump of unit FWHM therefore ends 1.1008 from its middle.
_REACH = np.float32(1.1008)
_SHOULDER_AT, _SHOULDER_WIDTH = np.float32(0.95), np.float32(0.55)  # of the core's width
_THIN = np.float32(0.3)  # of the core's width: what is left of it at the tips
_EXTENT = np.float32(1.56)  # of the core's width: the far end of a shoulder


@dataclass(frozen=True)
class Scratch(Paint):
    """A scratch: value + amplitude · along(t) · (core(d) − shoulder · flanks(d)), d across and t along a bent path.

    The core is (1 − s²)³ with the width at half maximum that was drawn, and a floor in it where it is wider than 2
    pixels. A change never leaves 0…1.

    Args:
        label: the class that it is.
        label_above: grey levels of 255; the mask is where a value changed by at least so much.
        rolling: degrees from the x axis towards the y axis, which points down; 0 is horizontal, 90 vertical.
        angle: degrees away from the rolling direction.
        x, y: the middle, as a fraction of the image's width and height.
        length: tip to tip, a fraction of the image's side along the scratch.
        width: pixels, of the core at half maximum; at most length · shorter side / 20, or 1 pixel where that is less.
        amplitude: grey levels of 255 at the core where nothing weakens it; `rough` and `uneven` leave about two thirds.
        dark: share of scratches whose core is dark and whose shoulders are bright; the others are the reverse.
        shoulder: the shoulders' height, a fraction of the amplitude.
        lean: −1…1; how much more of the shoulders lies on one side.
        bend: fraction of the length by which the path bows out in one arc.
        sway: fraction of the length by which it swings in an S.
        wander: pixels of small irregular sideways motion.
        uneven: fraction by which height and width vary along the length.
        head, tail: fraction of half the length over which each end fades out.
        breaks: share of scratches that are interrupted.
        gap: about the fraction of an interrupted scratch that is missing.
        rough: fraction by which the core's height varies from one groove to the next.

    Batch:
        image (H, W, C) float32 in 0…1, all channels alike.
    """

    pixel: ClassVar[Any]
    version: ClassVar[int] = 2
    line: ClassVar[bool] = True

    label: str = "scratches"
    label_above: float = setting(1.0, "grey levels", low=0, high=255)
    rolling: float = setting(90.0, "degrees", low=-180, high=180)
    angle: Real = setting(["normal", 0, 3, -10, 10], "degrees", low=-90, high=90)
    x: Real = setting([0, 1], "of the width", low=0, high=1)
    y: Real = setting([0, 1], "of the height", low=0, high=1)
    length: Real = setting([0.1, 1.0], "of the side", low=0.01, high=4)
    width: Real = setting(["log", 1.2, 6], "pixels", low=0.5, high=64)
    amplitude: Real = setting(["log", 40, 90], "grey levels", low=0, high=255)
    dark: float = setting(0.5, "share", low=0, high=1)
    shoulder: Real = setting([0.05, 0.35], "of the amplitude", low=0, high=1)
    lean: Real = setting([-0.8, 0.8], "", low=-1, high=1)
    bend: Real = setting(["normal", 0, 0.01, -0.03, 0.03], "of the length", low=-1, high=1)
    sway: Real = setting(["normal", 0, 0.005, -0.015, 0.015], "of the length", low=-1, high=1)
    wander: Real = setting([0, 0.6], "pixels", low=0, high=32)
    uneven: Real = setting([0.1, 0.5], "", low=0, high=1)
    head: Real = setting([0.1, 0.8], "of half the length", low=0.001, high=1)
    tail: Real = setting([0.1, 0.8], "of half the length", low=0.001, high=1)
    breaks: float = setting(0.25, "share", low=0, high=1)
    gap: Real = setting([0.1, 0.4], "of the length", low=0, high=0.9)
    rough: Real = setting([0.1, 0.6], "of the amplitude", low=0, high=1)

    def draw(self, keys: Keys, shapes: Shapes) -> Columns:
        """Every setting that varies, the scratch's sign (−1 dark, 1 bright) and the key of its noise."""
        plan = super().draw(keys, shapes)
        plan["rolling"] = np.full(len(keys), self.rolling, np.float32)
        plan["sign"] = sign(keys, self.dark)
        plan["gap"] = np.where(keys.uniform("breaks")[:, 0] < self.breaks, plan["gap"], 0).astype(np.float32)
        widest = np.minimum(shapes.width, shapes.height) * plan["length"].astype(np.float64) / 20
        plan["width"] = np.minimum(plan["width"], np.maximum(widest, 1)).astype(np.float32)
        plan["key"] = keys.field()
        return plan

    def row(self, height: int, width: int, /, **plan: Any) -> np.ndarray:
        """(…, 21) float32: middle, direction, half length in pixels, then the numbers in the order of `pixel`."""
        angle = np.radians(plan["rolling"] + plan["angle"])
        cos, sin = np.cos(angle), np.sin(angle)
        length = plan["length"] * np.hypot(cos * width, sin * height)
        numbers = [plan["x"] * width - 0.5, plan["y"] * height - 0.5, cos, sin, np.maximum(length / 2, 0.5)]
        numbers += [plan["width"], plan["sign"] * plan["amplitude"] / 255, plan["shoulder"], plan["lean"]]
        numbers += [plan["bend"] * length, plan["sway"] * length, plan["wander"], plan["uneven"]]
        numbers += [plan["head"], plan["tail"], plan["gap"], plan["rough"], *pieces(plan["key"])]
        return stack(*numbers, least(self.label_above))


@njit(inline="always")
def _bump(d, width):
    # Wider than two pixels it has a floor: a gouge keeps edges as sharp as a fine scratch has.
    floor = max(width - _TWO, _ZERO)
    s = max(abs(d) - floor * _HALF, _ZERO) / ((width - floor) * _REACH)
    rest = max(_ONE - s * s, _ZERO)
    return rest * rest * rest


@njit(inline="always")
def _path(t, along, row):
    bow = row[9] * (_HALF - t * t)
    swing = row[10] * _TWO * t * (_ONE - t * t)
    return bow + swing + row[11] * curve(along / np.float32(17), 0, row[17], row[18], row[19])


@njit(inline="always")
def _along(t, along, row):
    # Two factors, 0…1: of the faded ends, and of slow and quick variation with a gap wherever a slow curve is low.
    ends = eased((_ONE + t) / row[13]) * eased((_ONE - t) / row[14])
    slow = curve(along / np.float32(23), 1, row[17], row[18], row[19])
    quick = curve(along / np.float32(5), 2, row[17], row[18], row[19])
    level = _ONE - row[12] * (_HALF + np.float32(0.35) * slow + np.float32(0.15) * quick)
    if row[15] > _ZERO:
        kept = curve(t * np.float32(3), 3, row[17], row[18], row[19]) + _ONE - _TWO * row[15]
        level = level * eased(kept * np.float32(2.5) + _HALF)
    return ends, level


@njit(inline="always")
def _across(d, along, width, row):
    groove = surface(along / np.float32(9), d / np.float32(1.3), 4, row[17], row[18], row[19])
    core = _bump(d, width) * (_ONE - row[16] * (_HALF + _HALF * groove))
    flanks = (_ONE + row[8]) * _bump(d - _SHOULDER_AT * width, _SHOULDER_WIDTH * width)
    flanks += (_ONE - row[8]) * _bump(d + _SHOULDER_AT * width, _SHOULDER_WIDTH * width)
    return core - row[7] * flanks


def scratch_pixel(value, x, y, row):
    """The scratched value at pixel (x, y); exactly `value` outside the scratch."""
    dx, dy = x - row[0], y - row[1]
    along, across = dx * row[2] + dy * row[3], dy * row[2] - dx * row[3]
    t = along / row[4]
    if abs(t) >= _ONE or abs(across) > _EXTENT * row[5] + abs(row[9]) + abs(row[10]) + row[11]:
        return value
    d = across - _path(t, along, row)
    if abs(d) >= _EXTENT * row[5]:
        return value
    ends, level = _along(t, along, row)
    wobble = curve(along / np.float32(13), 5, row[17], row[18], row[19])
    width = row[5] * (_THIN + (_ONE - _THIN) * ends) * (_ONE - _HALF * row[12] * (_HALF + _HALF * wobble))
    changed = value + row[6] * ends * level * _across(d, along, width, row)
    return kept(value, changed, _ZERO, row[20])


Scratch.pixel = staticmethod(scratch_pixel)
