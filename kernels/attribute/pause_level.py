"""How loud a clip is where it is quietest."""

from dataclasses import dataclass
from typing import ClassVar

from sliceforge.engine.loop.rows.attribute import Attribute
from sliceforge.kernels.heard import Heard, db


@dataclass(frozen=True)
class PauseLevel(Attribute):
    """10·log10 of the mean power of the quietest tenth of the frames (32 ms), dBFS; padding is left out."""

    kind: ClassVar[str] = "audio"
    unit: ClassVar[str] = "dBFS"
    acts_on: ClassVar[str] = "audio/mix.snr"

    def measure(self, item: Heard, /) -> float | None:
        """None for silence."""
        power = float(item.pauses.sum())
        return db(power) if power > 0 else None
