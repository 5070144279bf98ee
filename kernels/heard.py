"""A clip as attributes look at it: its samples, and its short-time power spectra, worked out once."""

from __future__ import annotations

import math
from functools import cached_property

import numpy as np
from scipy.fft import rfft

FRAME = 0.032
"""Seconds of a frame, to the nearest power of two in samples."""

SHORTEST = 32
"""Samples of the shortest frame; a shorter clip has no spectrum."""

PADDING_DB = 36.0
"""What is further than this below the loud frames of a clip, at its ends, is padding."""

ONE_BIT = 2.0**-30
"""Power of one step of 16 bits: a frame below it is digital silence."""

FLOOR = 1e-12
"""Of the strongest band's power: a weaker one has no level."""


def db(power: float) -> float:
    """10·log10 of a power above 0."""
    return 10 * math.log10(power)


class Heard:
    """A clip.

    Args:
        x: (T,) float32, full scale 1.
        rate: hertz.
    """

    def __init__(self, x: np.ndarray, rate: int) -> None:
        self.x, self.rate = x, rate

    @property
    def frame(self) -> int:
        """Samples of a frame: 32 ms, or what a shorter clip has room for; 0 where it has no room."""
        room = 2 ** int(math.log2(len(self.x))) if len(self.x) else 0
        size = min(2 ** round(math.log2(FRAME * self.rate)), room)
        return size if size >= SHORTEST else 0

    @property
    def hop(self) -> int:
        """Samples from frame to frame."""
        return self.frame // 4

    @property
    def hertz(self) -> np.ndarray:
        """(K,) the frequencies of the bins."""
        return np.arange(self.frame // 2 + 1) * (self.rate / max(self.frame, 1))

    @cached_property
    def powers(self) -> np.ndarray:
        """(F, K) power of each bin of each frame: Hann windows, one-sided, the mean of what is kept taken away.

        A row sums to the mean square of its frame. From the first to the last frame that is no padding, without those
        of digital silence; F is 0 where nothing is left.
        """
        size = self.frame
        if not size:
            return np.zeros((0, 1))
        frames = np.lib.stride_tricks.sliding_window_view(self.x, size)[:: self.hop]
        frames = frames[_sounding(frames.var(axis=1, dtype=np.float64), size // self.hop - 1)].astype(np.float64)
        if not len(frames):
            return np.zeros((0, size // 2 + 1))
        window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(size) / size)
        spectra = rfft((frames - frames.mean()) * window, axis=1)
        powers = np.square(spectra.real) + np.square(spectra.imag)
        powers[:, 1:-1] *= 2
        powers /= size * (window @ window)
        return powers

    @cached_property
    def spectrum(self) -> np.ndarray:
        """(K,) the mean power of each bin."""
        powers = self.powers
        return powers.mean(axis=0) if len(powers) else np.zeros(powers.shape[1])

    @cached_property
    def pauses(self) -> np.ndarray:
        """(K,) the mean power of each bin in the quietest tenth of the frames."""
        powers = self.powers
        if not len(powers):
            return np.zeros(powers.shape[1])
        order = np.argsort(powers.sum(axis=1), kind="stable")
        return powers[order[: math.ceil(len(powers) / 10)]].mean(axis=0)


def _sounding(levels: np.ndarray, partly: int) -> np.ndarray:
    """Which frames count, places, from their powers (F,).

    Args:
        levels: without their means, so that an offset is no sound.
        partly: how many frames reach into the padding beside one that does not.
    """
    loud = np.flatnonzero(levels > max(float(np.quantile(levels, 0.9)) * 10 ** (-PADDING_DB / 10), ONE_BIT))
    if not len(loud):
        return loud
    # Frames that lie partly in the padding go with it: they are softer than anything in the clip.
    first = loud[0] + partly * (loud[0] > 0)
    last = loud[-1] - partly * (loud[-1] < len(levels) - 1)
    if first > last:
        first, last = loud[0], loud[-1]
    inside = np.arange(first, last + 1)
    return inside[levels[inside] > ONE_BIT]


def tilt(spectrum: np.ndarray, hertz: np.ndarray) -> float | None:
    """The slope of a spectrum in dB an octave, by least squares through half-octave bands; None with fewer than 3.

    Bands lie at 125 · 2^(k/2) Hz up to 8 kHz and 90 % of half the rate; each counts as its power per hertz.

    Args:
        spectrum: (K,) powers.
        hertz: (K,) frequencies of the bins.
    """
    points = []
    for k in range(13):
        middle = 125 * 2 ** (k / 2)
        inside = (hertz >= middle * 2**-0.25) & (hertz < middle * 2**0.25)
        if inside.any() and middle * 2**0.25 <= 0.9 * hertz[-1]:
            points.append((math.log2(middle), float(spectrum[inside].mean())))
    top = max((power for _, power in points), default=0.0)
    points = [(octave, db(power)) for octave, power in points if power > FLOOR * top]
    if len(points) < 3:
        return None
    octaves, levels = np.array(points).T
    octaves = octaves - octaves.mean()
    return float(octaves @ levels / (octaves @ octaves))
