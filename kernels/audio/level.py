"""Bring the finished mix to a level: out = (foreground + noise) · 10^(level/20) / RMS(foreground + noise)."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from sliceforge.engine.errors import InputError
from sliceforge.engine.op import Gain, Real, setting
from sliceforge.kernels.loudness import rms


@dataclass(frozen=True)
class Level(Gain):
    """One gain for foreground and noise together, so that no SNR changes.

    Args:
        level: dBFS, the RMS of all samples of the mix, where a full-scale square wave has 0. Where its peak then
            passes the recipe's `guard_db`, the guard takes back what is too much.
    """

    level: Real = setting([-35, -15], "dBFS", low=-80, high=0)

    def factor(self, audio: np.ndarray, rate: int, /, **plan: Any) -> float:
        """What audio (T,) is multiplied by."""
        return self.by_rms(rms(audio), **plan)

    def by_rms(self, rms: float, /, **plan: Any) -> float:
        """The same from its RMS."""
        if not rms > 0:
            raise InputError("silent", "there is no level to change")
        return 10 ** (float(plan["level"]) / 20) / rms
