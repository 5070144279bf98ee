"""How much of a clip lies flat at its own peak: overdriven once, and perhaps made softer since."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from sliceforge.engine.loop.rows.attribute import Attribute
from sliceforge.kernels.heard import Heard

RUN = 3
"""Samples in a row that it takes."""

NEAR = 1 - 2.0**-12
"""Of the peak, from where on a sample is at it: what a change of gain and rounding to 16 bits leave of a flat top."""

SOFTEST = 2.0**-6
"""Peak: in a softer clip 16 bits make tops flat by themselves."""


@dataclass(frozen=True)
class Clipped(Attribute):
    """Samples in runs of at least 3 at the clip's greatest or least value / all samples, a fraction."""

    kind: ClassVar[str] = "audio"
    unit: ClassVar[str] = "fraction"
    acts_on: ClassVar[str] = "audio/clip.level"

    def measure(self, item: Heard, /) -> float | None:
        """None for a clip without samples; 0 for a soft one."""
        if not len(item.x):
            return None
        count = 0
        for side in (item.x, -item.x):
            peak = float(side.max())
            if peak >= SOFTEST:
                count += _in_runs(side >= NEAR * peak)
        return count / len(item.x)


def _in_runs(at: np.ndarray) -> int:
    """How many of (T,) bool are set in runs of `RUN` or more."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], at, [False]]).astype(np.int8)))
    runs = edges[1::2] - edges[::2]
    return int(runs[runs >= RUN].sum())
