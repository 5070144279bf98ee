"""How much of an image is nearly white."""

from dataclasses import dataclass
from typing import ClassVar

from sliceforge.engine.loop.rows.attribute import Attribute
from sliceforge.kernels.seen import Seen

ABOVE = 229.5
"""Grey levels: nine tenths of white."""


@dataclass(frozen=True)
class BrightShare(Attribute):
    """Pixels above nine tenths of white / all pixels, a fraction."""

    kind: ClassVar[str] = "image"
    unit: ClassVar[str] = "fraction"
    acts_on: ClassVar[str] = "image/photometric.brightness"

    def measure(self, item: Seen, /) -> float | None:
        """Always there."""
        return float((item.grey > ABOVE).mean())
