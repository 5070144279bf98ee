"""How wide an image is."""

from dataclasses import dataclass
from typing import ClassVar

from sliceforge.engine.loop.rows.attribute import Attribute
from sliceforge.kernels.seen import Seen


@dataclass(frozen=True)
class Width(Attribute):
    """Its width, pixels."""

    kind: ClassVar[str] = "image"
    unit: ClassVar[str] = "pixels"
    whole: ClassVar[bool] = True

    def measure(self, item: Seen, /) -> float | None:
        """Always there."""
        return int(item.pixels.shape[1])
