"""How much darker the corners of an image are than its middle."""

from dataclasses import dataclass
from typing import ClassVar

from sliceforge.engine.loop.rows.attribute import Attribute
from sliceforge.kernels.seen import Seen


@dataclass(frozen=True)
class Vignette(Attribute):
    """−d / a of the fitted a + d·r², r from 0 in the middle to 1 in the corners: what the corners lose, a fraction.

    Below 0 where they are brighter. It is what `image/illumination` calls its vignette.
    """

    kind: ClassVar[str] = "image"
    unit: ClassVar[str] = "fraction"
    acts_on: ClassVar[str] = "image/illumination.vignette"

    def measure(self, item: Seen, /) -> float | None:
        """None where the middle is black, and below 3 × 3 pixels."""
        light = item.light
        return -light[3] / light[0] if light and light[0] > 0 else None
