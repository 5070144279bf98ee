"""A telephone's PCM after ITU-T G.711: 8 bits a sample at 8 kHz, in steps that grow with the level."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np

from sliceforge.engine.op import Apply, Real, setting
from sliceforge.kernels.coding import through

BIAS, MOST = 33, 8158
"""µ-law: what is added to a size of 13 bits, so that each segment begins at a power of two, and the largest size."""


@dataclass(frozen=True)
class G711(Apply):
    """Coded and decoded, after the Recommendation's tables; its noise follows the speech at −38 dB.

    What has another rate is brought to 8 kHz and back: nothing is left above 4 kHz.

    Args:
        law: `a` (Europe, and between continents) or `mu` (North America, Japan).
        level: dBFS, RMS of what goes into the codec; it comes out as loud as it was.
    """

    batched_exact: ClassVar[bool] = True

    law: str = setting("a", choices=("a", "mu"))
    level: Real = setting([-36, -16], "dBFS", low=-80, high=0)

    def apply(self, batch: dict[str, Any], /, **plan: Any) -> dict[str, Any]:
        """`audio` (B, T), each clip as it is heard at the other end."""
        table = heard(self.law)
        return through(batch, lambda pcm: table[pcm.astype(np.int64) + 32768], plan["level"])


@lru_cache(maxsize=2)
def heard(law: str) -> np.ndarray:
    """(65536,) int16: what each value from −32768 on is decoded to."""
    pcm = np.arange(-32768, 32768)
    return (a_law(pcm) if law == "a" else mu_law(pcm)).astype(np.int16)


def a_law(pcm: np.ndarray) -> np.ndarray:
    """16 bits (N,) after A-law: 13 of them count, in 8 segments of 16 steps, the first two of one size."""
    # Below 0 sizes are counted from −1: the values of a step lie alike on both sides.
    size = np.where(pcm < 0, -1 - pcm, pcm) >> 4
    shift = np.maximum(octave(size) - 4, 0)
    middle = ((2 * (size >> shift) + 1) << shift) << 3
    return np.where(pcm < 0, -middle, middle)


def mu_law(pcm: np.ndarray) -> np.ndarray:
    """16 bits (N,) after µ-law: 14 of them count, in 8 segments of 16 steps, each twice as wide as the one before."""
    short = pcm >> 2
    size = np.minimum(np.abs(short), MOST) + BIAS
    shift = octave(size) - 4
    middle = (2 * (size >> shift) + 1 << shift) - 2 * BIAS
    return np.where(short < 0, -middle, middle) << 1


def octave(size: np.ndarray) -> np.ndarray:
    """⌊log₂⌋ of whole numbers (N,) below 2⁵³, 0 of 0."""
    return np.frexp(np.maximum(size, 1))[1].astype(np.int64) - 1
