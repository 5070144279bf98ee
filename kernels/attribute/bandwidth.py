"""Up to where a clip's spectrum reaches."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from sliceforge.engine.loop.rows.attribute import Attribute
from sliceforge.kernels.heard import Heard

SHARE = 0.99


@dataclass(frozen=True)
class Bandwidth(Attribute):
    """The frequency below which 99 % of the power lies (spectral roll-off, Scheirer and Slaney 1997), hertz."""

    kind: ClassVar[str] = "audio"
    unit: ClassVar[str] = "Hz"
    acts_on: ClassVar[str] = "audio/band.high"

    def measure(self, item: Heard, /) -> float | None:
        """None for silence."""
        power = np.cumsum(item.spectrum)
        if not power[-1] > 0:
            return None
        return float(np.interp(SHARE * power[-1], power, item.hertz))
