"""How bright an image is."""

from dataclasses import dataclass
from typing import ClassVar

from sliceforge.engine.loop.rows.attribute import Attribute
from sliceforge.kernels.seen import Seen


@dataclass(frozen=True)
class Brightness(Attribute):
    """The mean of all pixels and channels, grey levels of 255."""

    kind: ClassVar[str] = "image"
    unit: ClassVar[str] = "grey levels"
    acts_on: ClassVar[str] = "image/photometric.brightness"

    def measure(self, item: Seen, /) -> float | None:
        """Always there."""
        return float(item.grey.mean())
