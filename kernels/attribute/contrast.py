"""How far the greys of an image spread."""

from dataclasses import dataclass
from typing import ClassVar

from sliceforge.engine.loop.rows.attribute import Attribute
from sliceforge.kernels.seen import Seen


@dataclass(frozen=True)
class Contrast(Attribute):
    """The standard deviation of the grey (RMS contrast, Peli 1990), grey levels of 255."""

    kind: ClassVar[str] = "image"
    unit: ClassVar[str] = "grey levels"
    acts_on: ClassVar[str] = "image/photometric.contrast"

    def measure(self, item: Seen, /) -> float | None:
        """Always there."""
        return float(item.grey.std())
