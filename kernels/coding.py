"""A speech codec in the way of a clip: brought to its rate and level, rounded to 16 bits, coded, decoded, brought back.

From the rounding on all is done in whole numbers, so that a codec that remembers hears the same on every machine.
"""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

RATE = 8000
"""Hertz, of a telephone."""

FULL = 32768.0


def through(batch: dict[str, Any], code: Callable[[np.ndarray], np.ndarray], levels: Iterable[Any]) -> dict[str, Any]:
    """A batch after a codec; the clips keep their lengths, and no sound in them moves.

    Args:
        batch: `audio` (B, T) float32, `length` (B,) and `rate` (B,).
        code: what is heard, (N,) int16 at 8 kHz, of (N,) int16.
        levels: (B,), dBFS, the RMS of what goes in; what comes out is as loud as it was.
    """
    import torch

    audio = batch["audio"].clone()
    for clip, length, rate, level in zip(audio, batch["length"], batch["rate"], levels, strict=True):
        sound = clip[: int(length)]
        sound.copy_(torch.from_numpy(_coded(sound.cpu().numpy(), int(rate), code, float(level))))
    return {**batch, "audio": audio}


def _coded(x: np.ndarray, rate: int, code: Callable[[np.ndarray], np.ndarray], level: float) -> np.ndarray:
    from sliceforge.engine.read import resample

    narrow = resample(x, rate, RATE).astype(np.float64)
    power = float(np.mean(narrow * narrow)) if len(narrow) else 0.0
    factor = 10 ** (level / 20) / power**0.5 if power > 0 else 1.0
    heard = code(whole(narrow * factor)) / (FULL * factor)
    return resample(heard.astype(np.float32), RATE, rate)[: len(x)]


def whole(x: np.ndarray) -> np.ndarray:
    """Audio (N,), full scale ±1, as (N,) int16: half to even, cut off at full scale.

    Raises:
        InputError: non_finite.
    """
    from sliceforge.engine.errors import InputError

    if not np.isfinite(x).all():
        raise InputError("non_finite", "a step before the codec made a value that is not finite")
    return np.clip(np.rint(x.astype(np.float64) * FULL), -FULL, FULL - 1).astype(np.int16)
