"""A frayed band across the piece: rough borders, and short streaks along it."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from sliceforge.engine.keys import Keys
from sliceforge.engine.op import Columns, Paint, Real, Shapes, setting, stack
from sliceforge.kernels.noise import gradient, jagged, kinked, pieces
from sliceforge.kernels.paint import kept, least, sign

_ZERO, _HALF, _ONE = np.float32(0), np.float32(0.5), np.float32(1)
_COARSE, _FINE = np.float32(29), np.float32(4)  # pixels from kink to kink
_FINE_SHARE = np.float32(0.7)
_STREAK, _THREAD = np.float32(8), np.float32(1.6)  # pixels along the band and across it
_SPECK, _SOFT = np.float32(2.3), np.float32(2)  # pixels
_STRENGTH = 1.01  # the median over the core where contrast is 1: the faintest streaks do not count


@dataclass(frozen=True)
class Fray(Paint):
    """value + contrast · (1 + rough · n) in a band from border to border whose two edges wander each for itself.

    Args:
        label: the class that it is.
        label_above: grey levels of 255; the mask is where a value changed by at least so much.
        direction: degrees from the x axis towards the y axis, which points down: where the band runs.
        angle: degrees away from that.
        x, y: a place on its middle, as a fraction of the image's width and height.
        width: pixels.
        bend: pixels, at most, by which its middle wanders.
        ragged: fraction of the width by which each of its edges lies further in or out.
        contrast: grey levels of 255, the median over its core; positive is brighter.
        dark: share of bands that are darker than the surface, their contrast being negative.
        rough: fraction by which its streaks differ.

    Batch:
        image (H, W, C) float32 in 0…1, all channels alike.
    """

    pixel: ClassVar[Any]

    label: str = "fray"
    label_above: float = setting(1.0, "grey levels", low=0, high=255)
    direction: float = setting(0.0, "degrees", low=-180, high=180)
    angle: Real = setting(["normal", 0, 8, -25, 25], "degrees", low=-90, high=90)
    x: Real = setting(0.5, "of the width", low=0, high=1)
    y: Real = setting([0.1, 0.9], "of the height", low=0, high=1)
    width: Real = setting(["log", 8, 30], "pixels", low=1, high=512)
    bend: Real = setting([0, 4], "pixels", low=0, high=256)
    ragged: Real = setting([0.2, 0.5], "of the width", low=0, high=1)
    contrast: Real = setting(["log", 20, 60], "grey levels", low=0, high=255)
    dark: float = setting(0.6, "share", low=0, high=1)
    rough: Real = setting([0.3, 0.7], "of the contrast", low=0, high=1)

    def draw(self, keys: Keys, shapes: Shapes) -> Columns:
        """Every setting that varies, the contrast with its sign, and the key of the noise."""
        plan = super().draw(keys, shapes)
        return plan | {"contrast": sign(keys, self.dark) * plan["contrast"], "key": keys.field()}

    def row(self, height: int, width: int, /, **plan: Any) -> np.ndarray:
        """(…, 13) float32: a place on it, its direction, and the numbers of `pixel`."""
        angle = np.radians(self.direction + plan["angle"])
        numbers = [plan["x"] * width - 0.5, plan["y"] * height - 0.5, np.cos(angle), np.sin(angle)]
        numbers += [plan["width"] / 2, plan["bend"], plan["ragged"] * plan["width"]]
        numbers += [plan["contrast"] / 255 / _STRENGTH, plan["rough"], *pieces(plan["key"])]
        return stack(*numbers, least(self.label_above))


def fray_pixel(value, x, y, row):
    """The value at pixel (x, y) of the band; exactly `value` elsewhere."""
    dx, dy = x - row[0], y - row[1]
    s, d = dx * row[2] + dy * row[3], dy * row[2] - dx * row[3]
    if abs(d) >= row[4] + row[5] + np.float32(1.5) * row[6] + _ONE:
        return value
    middle, _ = jagged(s / np.float32(41), 0, row[9], row[10], row[11])
    d = d - row[5] * middle
    thread = speck = _ZERO
    for k in range(2):  # a loop, not two calls: it compiles sooner
        long, wide = (_SPECK, _SPECK) if k else (_STREAK, _THREAD)
        thread, speck = speck, gradient(s / long, d / wide, 5 + k, row[9], row[10], row[11])
    edge, _ = kinked(s, _COARSE, _FINE, _FINE_SHARE, 1 if d < _ZERO else 3, row[9], row[10], row[11])
    inside = max(row[4] + np.float32(0.6) * row[6] * edge, _ONE) + row[6] * thread - abs(d)
    if inside <= -_HALF:
        return value
    level = _ONE + row[8] * (np.float32(0.7) * thread + np.float32(0.5) * speck)
    changed = value + row[7] * min((inside + _HALF) / _SOFT, _ONE) * level
    return kept(value, changed, _ZERO, row[12])


Fray.pixel = staticmethod(fray_pixel)
