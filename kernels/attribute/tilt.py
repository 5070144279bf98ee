"""How steeply a clip's spectrum falls."""

from dataclasses import dataclass
from typing import ClassVar

from sliceforge.engine.loop.rows.attribute import Attribute
from sliceforge.kernels.heard import Heard, tilt


@dataclass(frozen=True)
class Tilt(Attribute):
    """The least-squares slope of the power per hertz in half-octave bands from 125 Hz on, dB an octave.

    White noise has 0, pink noise −3, brown noise −6.
    """

    kind: ClassVar[str] = "audio"
    unit: ClassVar[str] = "dB/octave"
    acts_on: ClassVar[str] = "audio/lombard.tilt"

    def measure(self, item: Heard, /) -> float | None:
        """None for silence, and where fewer than three bands have any power."""
        return tilt(item.spectrum, item.hertz)
