"""Bank material that is decoded once and kept within a bound; parts of sounds, continued without a seam."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from sliceforge.engine.read import read_audio

FADE = 0.02
"""Seconds of the crossfade where a short item is continued by its own beginning."""

MOST_BYTES = 512 << 20
"""Decoded material that is kept for its next use, in bytes."""


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
class Kept:
    """What was read last: anything that knows its `nbytes`.

    Args:
        most: bytes that are kept.
    """

    most: int = MOST_BYTES
    size: int = 0
    _kept: OrderedDict[Any, Any] = field(default_factory=OrderedDict)

    def get(self, key: Any, make: Callable[[], Any]) -> Any:
        """What is kept under a key, or what `make` returns."""
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key]
        made = make()
        if made.nbytes <= self.most:
            self._kept[key] = made
            self.size += made.nbytes
        while self.size > self.most:
            self.size -= self._kept.popitem(last=False)[1].nbytes
        return made


def sound(path: Path, rate: int, channel: float | None = None) -> np.ndarray:
    """A whole bank item as mono, (T,) float32 at `rate` hertz; not to be written to.

    Args:
        path: the file.
        rate: hertz.
        channel: which of its channels, 0 the first and almost 1 the last; None: their mean.

    Raises:
        InputError: it cannot be used.
    """
    wave, _ = read_audio(path, rate, channel=channel)
    wave.flags.writeable = False
    return wave
