"""How much an image's grain runs one way."""

import math
from dataclasses import dataclass
from typing import ClassVar

from sliceforge.engine.loop.rows.attribute import Attribute
from sliceforge.kernels.seen import Seen

LEAST = 1e-9
"""Squared grey levels a pixel: what changes less has no grain."""


@dataclass(frozen=True)
class Anisotropy(Attribute):
    """√((xx − yy)² + 4·xy²) / (xx + yy) of the structure tensor (its coherence): 0 no direction, 1 stripes."""

    kind: ClassVar[str] = "image"
    unit: ClassVar[str] = "fraction"

    def measure(self, item: Seen, /) -> float | None:
        """None where nothing varies, and below 3 × 3 pixels."""
        return anisotropy(*item.structure)


def anisotropy(across: float, down: float, both: float) -> float | None:
    """The coherence of a structure tensor xx, yy, xy, or None where it is empty."""
    whole = across + down
    return math.hypot(across - down, 2 * both) / whole if whole > LEAST else None
