"""GSM's full-rate speech codec at 13 kbit/s: regular pulses drive a long-term and a short-term predictor."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from sliceforge.engine.op import Apply, Real, setting
from sliceforge.kernels.coding import through
from sliceforge.kernels.excitation import coded_cpu


@dataclass(frozen=True)
class Gsm(Apply):
    """RPE-LTP after GSM 06.10 (ETSI EN 300 961), coded and decoded bit for bit, with no error on the way.

    Frames of 20 ms at 8 kHz: eight reflection coefficients, and four times a lag, a gain, and 13 pulses of 3 bits. What
    has another rate is brought to 8 kHz and back.

    Args:
        level: dBFS, RMS of what goes into the codec; it comes out as loud as it was.
    """

    batched_exact: ClassVar[bool] = True

    level: Real = setting([-36, -16], "dBFS", low=-80, high=0)

    def apply(self, batch: dict[str, Any], /, **plan: Any) -> dict[str, Any]:
        """`audio` (B, T), each clip as it is heard at the other end."""
        return through(batch, heard, plan["level"])


def heard(pcm: np.ndarray) -> np.ndarray:
    """(N,) int16 at 8 kHz after coder and decoder."""
    out = np.empty_like(pcm)
    coded_cpu(pcm, out)
    return out
