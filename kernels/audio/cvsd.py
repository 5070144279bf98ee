"""Bluetooth's narrow-band voice: continuously variable slope delta modulation, 64 kbit/s."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np

from sliceforge.engine.op import Apply, Real, setting
from sliceforge.kernels.coding import FULL, RATE, through, whole
from sliceforge.kernels.cvsd import coded_cpu

TIMES, REACH = 8, 16
"""Bits of a sample at 8 kHz, and the samples that the filter between them reaches to each side."""


@dataclass(frozen=True)
class Cvsd(Apply):
    """ŷₙ = (1 − 2⁻⁵)·ŷₙ₋₁ ± δ, the sign being the bit, towards the input; δ grows by 10 steps while four bits agree.

    The air coding of a hands-free set (Bluetooth Core, volume 2, part B, 9.2): 8 kHz are brought to 64 kHz, a bit each,
    and back. δ lies between 10 and 1280 steps of 16 bits and is forgotten by 2⁻¹⁰ a bit, so that it follows syllables.
    What is quiet drowns in a granular noise, what is loud and high is too steep. All of it in whole numbers with 20
    bits behind the point.

    Args:
        level: dBFS, RMS of what goes into the codec; it comes out as loud as it was.
    """

    batched_exact: ClassVar[bool] = True

    level: Real = setting([-36, -16], "dBFS", low=-80, high=0)

    def apply(self, batch: dict[str, Any], /, **plan: Any) -> dict[str, Any]:
        """`audio` (B, T), each clip as it is heard in the headset."""
        return through(batch, heard, plan["level"])


def heard(pcm: np.ndarray) -> np.ndarray:
    """(N,) int16 at 8 kHz after coder and decoder."""
    from scipy.signal import upfirdn

    taps, tail = interpolator(), np.zeros(2 * REACH)
    up = upfirdn(taps * TIMES, np.concatenate([pcm, tail]), TIMES)[REACH * TIMES :][: len(pcm) * TIMES]
    sent = whole(up / FULL)
    out = np.empty_like(sent)
    coded_cpu(sent, out)
    down = upfirdn(taps, np.concatenate([out, np.zeros(REACH * TIMES)]), 1, TIMES)[REACH:]
    return whole(down[: len(pcm)] / FULL)


@lru_cache(maxsize=1)
def interpolator() -> np.ndarray:
    """(2 · 16 · 8 + 1,) float64: flat to 3400 Hz, 60 dB down from 4400 Hz, of a sum of 1."""
    from scipy.signal import firwin

    taps: np.ndarray = firwin(2 * REACH * TIMES + 1, 3900, window=("kaiser", 5.65), fs=RATE * TIMES)
    return taps
