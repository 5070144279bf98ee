"""A foreign particle: a compact lump with a sharp border, lit from one side and with a shadow on the other."""

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numba import njit

from sliceforge.engine.keys import Keys
from sliceforge.engine.op import Columns, Paint, Real, Shapes, setting, stack
from sliceforge.kernels.image.affine import turn
from sliceforge.kernels.noise import eased, gradient, pieces
from sliceforge.kernels.paint import begun, painted, settled, sign

_ZERO, _HALF, _ONE = np.float32(0), np.float32(0.5), np.float32(1)
_ROOM = 1.6  # of the radius and the shadow: how far a ragged lump may reach
_LUMPS = np.float32(1.3)  # to a radius
_SOFT = np.float32(0.4)  # the shadow's border rises so much more slowly than the lump's
_LIT = np.float32(0.35)  # of the change: how much the side to the light differs from the other


@dataclass(frozen=True)
class Particle(Paint):
    """value + amplitude · texture inside of a ragged ellipse, and − amplitude · shadow where it hides the light.

    Args:
        label: the class that it is.
        label_above: grey levels of 255; the mask is where a value changed by at least so much, shadow and all.
        x, y: the middle, as a fraction of the image's width and height.
        area: share of the image that it covers together with its shadow.
        contrast: grey levels of 255, the median of the change on the lump.
        dark: share of particles that are darker than the strip; the others are brighter.
        aspect: length over width.
        angle: degrees from the x axis towards the y axis, which points down: of its length.
        light: degrees, where the light comes from.
        shadow: how far the shadow falls, in radii.
        depth: how dark it is, a fraction of the contrast.
        edge: pixels, the width of the lump's border.
        ragged: fraction of the radius by which the border strays.
        rough: fraction by which the change varies inside.

    Batch:
        image (H, W, C) float32 in 0…1, all channels alike.
    """

    pixel: ClassVar[Any]

    label: str = "foreign_particle"
    label_above: float = setting(1.0, "grey levels", low=0, high=255)
    x: Real = setting([0.06, 0.94], "of the width", low=0, high=1)
    y: Real = setting([0.06, 0.94], "of the height", low=0, high=1)
    area: Real = setting(["log", 0.0005, 0.02], "of the image", low=0, high=1)
    contrast: Real = setting([25, 90], "grey levels", low=0, high=255)
    dark: float = setting(0.8, "share", low=0, high=1)
    aspect: Real = setting([1, 1.7], "", low=1, high=100)
    angle: Real = setting([-90, 90], "degrees", low=-360, high=360)
    light: Real = setting([-180, 180], "degrees", low=-360, high=360)
    shadow: Real = setting([0.35, 0.8], "of the radius", low=0, high=10)
    depth: Real = setting([0.2, 0.42], "of the contrast", low=0, high=1)
    edge: Real = setting([0.8, 1.4], "pixels", low=0.5, high=100)
    ragged: Real = setting([0.15, 0.5], "of the radius", low=0, high=1)
    rough: Real = setting([0.2, 0.6], "of the change", low=0, high=1)

    def draw(self, keys: Keys, shapes: Shapes) -> Columns:
        """Every setting that varies, the sign (−1 darker, 1 brighter) and the key of the noise."""
        plan = super().draw(keys, shapes)
        plan["sign"] = sign(keys, self.dark)
        plan["key"] = keys.field()
        return plan

    def row(self, height: int, width: int, /, **plan: Any) -> np.ndarray:
        """(…, 19) float32: the four of a mark, the middle, its two axes, the light, shadow, texture, the key."""
        cos, sin = turn(plan["angle"])
        # A shadow of s radii adds about 2 s / π of the lump's own area.
        area = plan["area"] * height * width / (1 + 0.64 * plan["shadow"])
        wide = np.maximum(np.sqrt(area / (np.pi * plan["aspect"])), 0.6)
        long = wide * plan["aspect"]
        radius = np.sqrt(long * wide)
        numbers = begun(plan["sign"], plan["contrast"], radius / plan["edge"], self.label_above)
        x, y = plan["x"] * width - 0.5, plan["y"] * height - 0.5
        to_x, to_y = turn(plan["light"])
        numbers += [x, y, cos / long, sin / long, -sin / wide, cos / wide, to_x / radius, to_y / radius]
        numbers += [plan["shadow"] * radius**2, -plan["sign"] * plan["depth"], plan["ragged"], plan["rough"]]
        rows = stack(*numbers, *pieces(plan["key"]))
        half = _ROOM * long + (plan["shadow"] * radius) + 2
        boxes = x - half, y - half, x + half + 1, y + half + 1
        return settled(particle_field, rows, (height, width), plan["contrast"], plan["area"], boxes, again=True)


@njit(inline="always")
def _joined(body, hidden, lump, lit, row):
    # The lump over its shadow, as one level and a shade: what is to come out, over the rise that will be applied to it.
    inside = eased((body - row[0]) * row[2])
    shadow = eased((hidden - row[0]) * row[2] * _SOFT) * (_ONE - inside) * row[13]
    texture = _ONE - row[15] * (_HALF + _HALF * lump) + _LIT * lit
    level = max(body, hidden)
    return level, (inside * texture + shadow) / max(eased((level - row[0]) * row[2]), np.float32(1e-3))


@njit(inline="always")
def particle_field(x, y, row):
    """Level and shade at (x, y)."""
    dx, dy = x - row[4], y - row[5]
    lit = dx * row[10] + dy * row[11]
    body = hidden = lump = _ZERO
    lumps = _LUMPS
    for k in range(3):
        u, v = dx * row[6] + dy * row[7], dx * row[8] + dy * row[9]
        lump = gradient(u * lumps, v * lumps, 0, row[16], row[17], row[18])
        if k == 0:
            body = _ONE - math.sqrt(u * u + v * v) + row[14] * lump
            # What lies so far towards the light hides it.
            dx, dy = dx + row[10] * row[12], dy + row[11] * row[12]
        elif k == 1:
            hidden = _ONE - math.sqrt(u * u + v * v) + row[14] * lump
            dx, dy, lumps = dx - row[10] * row[12], dy - row[11] * row[12], _LUMPS * np.float32(4)
    return _joined(body, hidden, lump, lit if row[1] > _ZERO else -lit, row)


def particle_pixel(value, x, y, row):
    """The value with the particle on it; exactly `value` outside it and its shadow."""
    level, shade = particle_field(x, y, row)
    return painted(value, level, shade, row)


Particle.pixel = staticmethod(particle_pixel)
