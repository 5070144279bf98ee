"""How much of a clip is rumble."""

from dataclasses import dataclass
from typing import ClassVar

from sliceforge.engine.loop.rows.attribute import Attribute
from sliceforge.kernels.heard import Heard

BELOW = 300.0
"""Hertz: where the telephone band begins."""


@dataclass(frozen=True)
class LowShare(Attribute):
    """Power below 300 Hz / power of all, a fraction."""

    kind: ClassVar[str] = "audio"
    unit: ClassVar[str] = "fraction"
    acts_on: ClassVar[str] = "audio/band.low"

    def measure(self, item: Heard, /) -> float | None:
        """None for silence."""
        whole = float(item.spectrum.sum())
        return float(item.spectrum[item.hertz < BELOW].sum()) / whole if whole > 0 else None
