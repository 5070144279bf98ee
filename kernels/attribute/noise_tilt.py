"""How steeply the spectrum of what is heard in a clip's pauses falls."""

from dataclasses import dataclass
from typing import ClassVar

from sliceforge.engine.loop.rows.attribute import Attribute
from sliceforge.kernels.heard import Heard, tilt


@dataclass(frozen=True)
class NoiseTilt(Attribute):
    """As `tilt`, of the quietest tenth of the frames (32 ms), dB an octave."""

    kind: ClassVar[str] = "audio"
    unit: ClassVar[str] = "dB/octave"
    acts_on: ClassVar[str] = "audio/cabin.road_slope"

    def measure(self, item: Heard, /) -> float | None:
        """None for silence, and where fewer than three bands have any power."""
        return tilt(item.pauses, item.hertz)
