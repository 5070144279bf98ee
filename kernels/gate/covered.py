"""Noise under speech from end to end: the share of active speech frames that have noise in them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from sliceforge.engine.gates import Gate, Made, Verdict
from sliceforge.engine.op import Mix, setting
from sliceforge.kernels.activity import MARGIN
from sliceforge.kernels.loudness import Levels, rms

FRAME = 0.02
"""Seconds."""

HALF_STEP = 2.0**-16
"""What rounding to 16 bits alone adds stays below it."""


@dataclass(frozen=True)
class Covered(Gate):
    """Of the frames of 20 ms whose speech is above the threshold of ITU-T P.56, those whose noise is above a floor.

    A noise that ends too soon, or has a hole in it, does not pass. The frame that the clip's end cuts short counts.

    Args:
        step: the mix.
        least: the least share that passes.
        floor: dB below the noise's own RMS, under which there is none; half a step of 16 bits where that is more.
    """

    least: float = setting(0.99, "share of the frames", low=0, high=1)
    floor: float = setting(60.0, "dB", low=0, high=100)

    def suits(self, op: Any) -> bool:
        """A mix."""
        return isinstance(op, Mix)

    def measure(self, made: Made, op: Any, plan: Mapping[str, Any], /) -> Verdict:
        """A clip without active speech has nothing that could be uncovered; it passes."""
        speech, noise, _ = made.sounds(self.step)
        size = max(round(FRAME * made.rate), 1)
        active = Levels(speech, made.rate).level("active", True) * 10 ** (-MARGIN / 20)
        spoken = _powers(speech, size) >= max(active, 1e-12) ** 2
        heard = _powers(noise, size) > max(rms(noise) * 10 ** (-self.floor / 20), HALF_STEP) ** 2
        got = float(heard[spoken].mean()) if spoken.any() else 1.0
        return Verdict(got >= self.least, self.least, got)


def _powers(x: np.ndarray, size: int) -> np.ndarray:
    """Mean square of each frame (⌈T / size⌉,)."""
    starts = np.arange(0, len(x), size)
    energies = np.add.reduceat(np.square(x, dtype=np.float64), starts) if len(x) else np.zeros(0)
    return energies / np.minimum(size, len(x) - starts)
