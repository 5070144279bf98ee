"""Parts of a bank's sounds: decoded once, kept within a bound, continued without a seam."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from sliceforge.engine.read import read_audio

FADE = 0.02
"""Seconds of the crossfade where a short item is continued by its own beginning."""

MOST_BYTES = 512 << 20
"""Decoded sound that is kept for the next excerpt, in bytes."""


def excerpt(wave: np.ndarray, offset: int, length: int, rate: int) -> np.ndarray:
    """`length` samples of a sound from `offset`, (length,) float32.

    Inside the sound it is the sound itself, bit for bit. Beyond its end it is continued by itself without a seam:
    with N samples, a fade of F = min(0.02 s, N/2) and a period of P = N − F, sample t is, with r = t mod P,
    x[r] where t < P or r ≥ F, and x[r]·sin θ + x[P + r]·cos θ elsewhere, θ = π/2 · (r + ½)/F.

    Args:
        wave: (N,) float32, at least one sample.
        offset: samples, not negative.
        length: samples.
        rate: hertz.
    """
    count = len(wave)
    if offset + length <= count:
        return wave[offset : offset + length]
    fade = min(round(FADE * rate), count // 2)
    period = count - fade
    t = np.arange(offset, offset + length)
    r = t % period
    y = wave[r]
    seam = np.flatnonzero((t >= period) & (r < fade))
    if len(seam):
        angle = np.pi / 2 * (r[seam] + 0.5) / fade
        y[seam] = y[seam] * np.sin(angle) + wave[period + r[seam]] * np.cos(angle)
    return y


@dataclass
class Reader:
    """Bank items as sounds at a rate, the last ones kept.

    Args:
        most: bytes that are kept.
    """

    most: int = MOST_BYTES
    _kept: OrderedDict[tuple[Path, int], np.ndarray] = field(default_factory=OrderedDict)
    _size: int = 0

    def sound(self, path: Path, rate: int) -> np.ndarray:
        """The whole item as mono, (T,) float32 at `rate` hertz; not to be written to.

        Raises:
            InputError: it cannot be used.
        """
        key = path, rate
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key]
        wave, _ = read_audio(path, rate)
        wave.flags.writeable = False
        if wave.nbytes <= self.most:
            self._kept[key] = wave
            self._size += wave.nbytes
        while self._size > self.most:
            self._size -= self._kept.popitem(last=False)[1].nbytes
        return wave
