"""An unevenly ground place: a broad, soft shade with no border."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from sliceforge.engine.keys import Keys
from sliceforge.engine.op import Columns, Paint, Real, Shapes, setting, stack
from sliceforge.kernels.noise import gradient, pieces
from sliceforge.kernels.paint import kept, least, sign

_ZERO, _ONE = np.float32(0), np.float32(1)
_LOBES = np.float32(1.2)  # cells of noise from the middle to the end
# A shade of (1 − r²)² has its 95th percentile at 0.9025, and the median of what reaches half of that is this.
_TYPICAL = 0.699


@dataclass(frozen=True)
class Uneven(Paint):
    """value + depth · (1 − r²)², r from 0 in the middle to 1 at the end of an ellipse that smooth noise deforms.

    Args:
        label: the class that it is.
        label_above: grey levels of 255; the mask is where a value changed by at least so much.
        direction: degrees from the x axis towards the y axis, which points down: where it is longest.
        angle: degrees away from that.
        x, y: the middle, as a fraction of the image's width and height.
        length: fraction of the side along it, from end to end.
        aspect: length by width.
        wobble: fraction by which r² varies.
        contrast: grey levels of 255, the median over its core; positive is brighter.
        dark: share that is darker than the surface, the contrast being negative.

    Batch:
        image (H, W, C) float32 in 0…1, all channels alike.
    """

    pixel: ClassVar[Any]

    label: str = "uneven"
    label_above: float = setting(1.0, "grey levels", low=0, high=255)
    direction: float = setting(0.0, "degrees", low=-180, high=180)
    angle: Real = setting([-90, 90], "degrees", low=-90, high=90)
    x: Real = setting([0.2, 0.8], "of the width", low=0, high=1)
    y: Real = setting([0.2, 0.8], "of the height", low=0, high=1)
    length: Real = setting([0.5, 1.2], "of the side", low=0.02, high=8)
    aspect: Real = setting(["log", 1, 2.5], "", low=1, high=50)
    wobble: Real = setting([0, 0.4], "", low=0, high=0.9)
    contrast: Real = setting(["log", 12, 45], "grey levels", low=0, high=255)
    dark: float = setting(0.6, "share", low=0, high=1)

    def draw(self, keys: Keys, shapes: Shapes) -> Columns:
        """Every setting that varies, the contrast with its sign, and the key of the noise."""
        plan = super().draw(keys, shapes)
        return plan | {"contrast": sign(keys, self.dark) * plan["contrast"], "key": keys.field()}

    def row(self, height: int, width: int, /, **plan: Any) -> np.ndarray:
        """(…, 12) float32: the middle, the direction over either half axis, and the numbers of `pixel`."""
        angle = np.radians(self.direction + plan["angle"])
        cos, sin = np.cos(angle), np.sin(angle)
        long = np.maximum(plan["length"] * np.hypot(cos * width, sin * height) / 2, 1)
        short = np.maximum(long / plan["aspect"], 1)
        numbers = [plan["x"] * width - 0.5, plan["y"] * height - 0.5, cos / long, sin / long, cos / short, sin / short]
        numbers += [plan["wobble"], plan["contrast"] / 255 / _TYPICAL, *pieces(plan["key"])]
        return stack(*numbers, least(self.label_above))


def uneven_pixel(value, x, y, row):
    """The shaded value at pixel (x, y); exactly `value` where the shade is too faint for the mask."""
    dx, dy = x - row[0], y - row[1]
    u, v = dx * row[2] + dy * row[3], dy * row[4] - dx * row[5]
    r2 = u * u + v * v
    r2 = r2 * (_ONE + row[6] * gradient(_LOBES * u, _LOBES * v, 0, row[8], row[9], row[10]))
    rest = max(_ONE - r2, _ZERO)
    changed = value + row[7] * rest * rest
    return kept(value, changed, _ZERO, row[11])


Uneven.pixel = staticmethod(uneven_pixel)
