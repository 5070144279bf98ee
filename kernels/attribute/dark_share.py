"""How much of an image is nearly black."""

from dataclasses import dataclass
from typing import ClassVar

from sliceforge.engine.loop.rows.attribute import Attribute
from sliceforge.kernels.seen import Seen

BELOW = 25.5
"""Grey levels: a tenth of white."""


@dataclass(frozen=True)
class DarkShare(Attribute):
    """Pixels below a tenth of white / all pixels, a fraction."""

    kind: ClassVar[str] = "image"
    unit: ClassVar[str] = "fraction"
    acts_on: ClassVar[str] = "image/photometric.brightness"

    def measure(self, item: Seen, /) -> float | None:
        """Always there."""
        return float((item.grey < BELOW).mean())
