"""How far a clip's peak stands above its mean power."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from sliceforge.engine.loop.rows.attribute import Attribute
from sliceforge.kernels.heard import Heard, db
from sliceforge.kernels.loudness import rms


@dataclass(frozen=True)
class Crest(Attribute):
    """20·log10(max |x| / RMS), dB: 0 for a square wave, 3 for a sine, more for speech."""

    kind: ClassVar[str] = "audio"
    unit: ClassVar[str] = "dB"
    acts_on: ClassVar[str] = "audio/clip.level"

    def measure(self, item: Heard, /) -> float | None:
        """None for silence."""
        power = rms(item.x)
        return 2 * db(float(np.abs(item.x).max()) / power) if power > 0 else None
