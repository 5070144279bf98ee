"""How loud the speech of a clip is: its active level, ITU-T P.56 method B."""

from dataclasses import dataclass
from typing import ClassVar

from sliceforge.engine.loop.rows.attribute import Attribute
from sliceforge.kernels.heard import Heard, db
from sliceforge.kernels.loudness import active


@dataclass(frozen=True)
class Level(Attribute):
    """20·log10 of `loudness.active`, dBFS, where a full-scale square wave has 0."""

    kind: ClassVar[str] = "audio"
    unit: ClassVar[str] = "dBFS"
    acts_on: ClassVar[str] = "audio/level.level"

    def measure(self, item: Heard, /) -> float | None:
        """None for silence."""
        found = active(item.x, item.rate)
        return 2 * db(found) if found > 0 else None
