"""Cut a waveform off at a level, as an overdriven input does: out = min(max(x, −c), c), c = 10^(level/20)."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from sliceforge.engine.op import Point, Real, setting


def clip_value(value, x, y, row):
    """One sample, cut off at ±row[0]."""
    return min(max(value, -row[0]), row[0])


@dataclass(frozen=True)
class Clip(Point):
    """A hard limit for the sum of foreground and noise; what stays below it keeps its bits.

    Args:
        level: dBFS, of the limit as a peak. A clip whose peak is lower is left as it is: let a `level` or a `gain`
            come before it, so that the limit means the same for each.
    """

    kind: ClassVar[str] = "audio"
    pixel = staticmethod(clip_value)

    level: Real = setting([-20, -6], "dBFS", low=-60, high=0)

    def row(self, height: int, width: int, /, **plan: Any) -> np.ndarray:
        """(1,) float32: the limit as an amplitude."""
        return np.array([10 ** (float(plan["level"]) / 20)], np.float32)
