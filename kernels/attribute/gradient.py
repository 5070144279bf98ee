"""How much brighter one side of an image is than the other."""

from dataclasses import dataclass
from typing import ClassVar

from sliceforge.engine.loop.rows.attribute import Attribute
from sliceforge.kernels.seen import Seen


@dataclass(frozen=True)
class Gradient(Attribute):
    """(|b| + |c|) / mean of the grey: the range of the fitted plane a + b·s + c·t, a fraction of the mean.

    s and t run from −½ to ½ across and down. It is what `image/illumination` calls its slope.
    """

    kind: ClassVar[str] = "image"
    unit: ClassVar[str] = "of the mean"
    acts_on: ClassVar[str] = "image/illumination.slope"

    def measure(self, item: Seen, /) -> float | None:
        """None for a black image, and below 3 × 3 pixels."""
        light, mean = item.light, float(item.grey.mean())
        return (abs(light[1]) + abs(light[2])) / mean if light and mean > 0 else None
