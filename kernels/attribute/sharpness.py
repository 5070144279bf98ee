"""How much of an image's contrast is fine."""

from dataclasses import dataclass
from typing import ClassVar

from sliceforge.engine.loop.rows.attribute import Attribute
from sliceforge.kernels.heard import db
from sliceforge.kernels.seen import Seen

LEAST = 1e-9
"""Squared grey levels: what varies less has no contrast."""


@dataclass(frozen=True)
class Sharpness(Attribute):
    """10·log10(variance of the Laplacian / variance of the grey), dB; the Laplacian over four neighbours.

    The variance of the Laplacian (Pech-Pacheco and others 2000) for contrast 1, so that dim light is not taken for
    blur. White noise has 13 dB, a wave of w radians a pixel 20·log10(2 − 2·cos w).
    """

    kind: ClassVar[str] = "image"
    unit: ClassVar[str] = "dB"
    acts_on: ClassVar[str] = "image/blur.sigma"

    def measure(self, item: Seen, /) -> float | None:
        """None where nothing varies, and below 3 × 3 pixels."""
        x = item.grey
        if min(x.shape) < 3:
            return None
        laplacian = x[:-2, 1:-1] + x[2:, 1:-1] + x[1:-1, :-2] + x[1:-1, 2:] - 4 * x[1:-1, 1:-1]
        fine, whole = float(laplacian.var()), float(x.var())
        return db(fine / whole) if min(fine, whole) > LEAST else None
