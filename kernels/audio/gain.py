"""Make a clip louder or softer: out = x · 10^(gain/20)."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from sliceforge.engine.op import Gain as GainForm
from sliceforge.engine.op import Real, setting


@dataclass(frozen=True)
class Gain(GainForm):
    """One factor for foreground and noise together, relative to how loud they are; no SNR changes.

    Args:
        gain: dB. What then passes the recipe's `guard_db` is taken back by the guard.
    """

    gain: Real = setting([-12, 12], "dB", low=-80, high=80)

    def factor(self, audio: np.ndarray, rate: int, /, **plan: Any) -> float:
        """What audio (T,) is multiplied by."""
        return self.by_rms(0.0, **plan)

    def by_rms(self, rms: float, /, **plan: Any) -> float:
        """It does not depend on it."""
        return 10 ** (float(plan["gain"]) / 20)
