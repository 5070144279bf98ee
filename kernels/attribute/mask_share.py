"""How much of an image its label covers, such as a defect."""

from dataclasses import dataclass
from typing import ClassVar

from sliceforge.engine.loop.rows.attribute import Attribute
from sliceforge.kernels.seen import Seen


@dataclass(frozen=True)
class MaskShare(Attribute):
    """Pixels in the mask / all pixels, a fraction."""

    kind: ClassVar[str] = "image"
    unit: ClassVar[str] = "fraction"

    def measure(self, item: Seen, /) -> float | None:
        """None where nothing says where the label is."""
        return None if item.mask is None else float(item.mask.mean())
