"""A blowhole: a small round pit, dark, its far wall lit."""

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from sliceforge.engine.keys import Keys
from sliceforge.engine.op import Columns, Paint, Real, Shapes, setting, stack
from sliceforge.kernels.noise import gradient, pieces
from sliceforge.kernels.paint import kept, least

_ZERO, _HALF, _ONE = np.float32(0), np.float32(0.5), np.float32(1)
_SOFT = np.float32(1.3)  # pixels over which its border fades
_LOBES = np.float32(1.4)  # cells of noise from the middle to the border: two or three bulges around it
_GRAIN = np.float32(2.5)  # pixels
_REACH = 1.6  # radii, and pixels, that hold all of it
_STRENGTH = 0.97  # the median over the core where contrast is 1: its soft border counts, too


@dataclass(frozen=True)
class Blowhole(Paint):
    """value − contrast · (1 + shade · h · r̂ + rough · n) inside the pit, + contrast · rim · h on the lit rim around it.

    h runs from −1 where the light comes from to 1 opposite, n is noise, −1…1. Gas that could not leave a casting makes
    such pits.

    Args:
        label: the class that it is.
        label_above: grey levels of 255; the mask is where a value changed by at least so much.
        x, y: the middle, as a fraction of the image's width and height.
        radius: pixels.
        wobble: fraction by which the radius varies around it.
        contrast: grey levels of 255 by which it is darker, the median over its core.
        shade: fraction by which its walls are darker towards the light, and lighter opposite.
        rim: fraction of the contrast by which the rim opposite the light is brighter than the surface.
        light: degrees from the x axis towards the y axis, which points down: where the light comes from.
        rough: fraction by which it varies from place to place.

    Batch:
        image (H, W, C) float32 in 0…1, all channels alike.
    """

    pixel: ClassVar[Any]

    label: str = "blowhole"
    label_above: float = setting(1.0, "grey levels", low=0, high=255)
    x: Real = setting([0.03, 0.97], "of the width", low=0, high=1)
    y: Real = setting([0.03, 0.97], "of the height", low=0, high=1)
    radius: Real = setting(["log", 2, 10], "pixels", low=0.5, high=256)
    wobble: Real = setting([0, 0.2], "of the radius", low=0, high=0.5)
    contrast: Real = setting(["log", 25, 80], "grey levels", low=0, high=255)
    shade: Real = setting([0, 0.3], "of the contrast", low=0, high=1)
    rim: Real = setting([0, 0.3], "of the contrast", low=0, high=1)
    light: Real = setting([-180, 180], "degrees", low=-360, high=360)
    rough: Real = setting([0, 0.25], "of the contrast", low=0, high=1)

    def draw(self, keys: Keys, shapes: Shapes) -> Columns:
        """Every setting that varies, and the key of the noise."""
        return super().draw(keys, shapes) | {"key": keys.field()}

    def row(self, height: int, width: int, /, **plan: Any) -> np.ndarray:
        """(…, 14) float32: the middle, where all of it ends, and the numbers of `pixel`."""
        radius, angle = plan["radius"], np.radians(plan["light"])
        numbers = [plan["x"] * width - 0.5, plan["y"] * height - 0.5, _REACH * radius + _REACH, radius, plan["wobble"]]
        numbers += [
            plan["contrast"] / 255 / _STRENGTH,
            plan["shade"],
            plan["rim"],
            -np.cos(angle),
            -np.sin(angle),
            plan["rough"],
        ]
        return stack(*numbers, *pieces(plan["key"]), least(self.label_above))


def blowhole_pixel(value, x, y, row):
    """The value at pixel (x, y) of the pit and its rim; exactly `value` elsewhere."""
    dx, dy = x - row[0], y - row[1]
    away = math.sqrt(dx * dx + dy * dy)
    if away >= row[2]:
        return value
    share = _ONE / (away + np.float32(1e-6))
    lobes = gradient(_LOBES * dx * share, _LOBES * dy * share, 0, row[11], row[12], row[13])
    inside = row[3] * (_ONE + row[4] * lobes) - away
    facing = (dx * row[8] + dy * row[9]) * share
    grain = gradient(dx / _GRAIN, dy / _GRAIN, 1, row[11], row[12], row[13])
    level = _ONE - row[6] * facing * min(away / row[3], _ONE) + row[10] * grain
    rim = max(_ONE - abs(inside + _ONE), _ZERO) * row[7] * max(facing, _ZERO)
    changed = value - row[5] * (min(max(inside / _SOFT + _HALF, _ZERO), _ONE) * level - rim)
    return kept(value, changed, _ZERO, row[14])


Blowhole.pixel = staticmethod(blowhole_pixel)
