"""How long a clip is."""

from dataclasses import dataclass
from typing import ClassVar

from sliceforge.engine.loop.rows.attribute import Attribute
from sliceforge.kernels.heard import Heard


@dataclass(frozen=True)
class Seconds(Attribute):
    """Samples / rate, seconds."""

    kind: ClassVar[str] = "audio"
    unit: ClassVar[str] = "s"
    acts_on: ClassVar[str] = "audio/speed.factor"

    def measure(self, item: Heard, /) -> float | None:
        """Always there."""
        return len(item.x) / item.rate
