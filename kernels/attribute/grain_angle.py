"""Which way the grain of an image runs."""

import math
from dataclasses import dataclass
from typing import ClassVar

from sliceforge.engine.loop.rows.attribute import Attribute
from sliceforge.kernels.attribute.anisotropy import anisotropy
from sliceforge.kernels.seen import Seen

LEAST = 0.05
"""Anisotropy, below which there is no direction."""


@dataclass(frozen=True)
class GrainAngle(Attribute):
    """½·atan2(2·xy, xx − yy) + 90° of the structure tensor: the direction in which the grey changes least.

    Degrees from the x axis towards y, which points down, from 0 to 180: 90 is vertical (Bigün and Granlund 1987).
    """

    kind: ClassVar[str] = "image"
    unit: ClassVar[str] = "degrees"
    acts_on: ClassVar[str] = "image/affine.rotate"

    def measure(self, item: Seen, /) -> float | None:
        """None where no direction stands out."""
        if (anisotropy(*item.structure) or 0.0) < LEAST:
            return None
        across, down, both = item.structure
        return (math.degrees(math.atan2(2 * both, across - down)) / 2 + 90) % 180
