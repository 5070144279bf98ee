"""The signal-to-noise ratio of a clip, estimated from the clip alone: the least power of each bin is its noise's."""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.ndimage import uniform_filter1d
from scipy.special import gammaincinv

from sliceforge.engine.loop.rows.attribute import Attribute
from sliceforge.kernels.heard import Heard, db

LOW, HIGH = -10.0, 40.0
"""dB. What is outside cannot be told apart and counts as the end."""

FRAMES, BINS = 3, 5
"""That a power is averaged over before its least value is taken."""

SHAPE = 5.1
"""Of the gamma distribution that such an average of Gaussian noise has: 15 powers, which overlap, count as 5.1."""

FEWEST = 4
"""Frames, below which nothing is said."""

HANGOVER, MARGIN = 0.2, 10**-1.59
"""As in ITU-T P.56: seconds that speech goes on after it was heard, and what is heard against the active level."""


@dataclass(frozen=True)
class SnrEst(Attribute):
    """10·log10(active power of the speech / power of the noise), noise = Σ over bins of least power / bias, −10…40 dB.

    Minimum statistics (Martin 2001) over a whole clip: between words, and between the harmonics inside them, each bin
    falls to its noise, and the least of F averages of Gaussian noise lies below their mean by a bias that the gamma
    distribution gives. Bin by bin, so that the rumble of a car is known even while somebody speaks. The speech is the
    rest, and its level active as in P.56. Noise that comes and goes counts as speech where it is loud, and in a word
    with no pause around it a low noise cannot be heard: `benchmarks/snr_est.py` says by how much.
    """

    kind: ClassVar[str] = "audio"
    unit: ClassVar[str] = "dB"
    acts_on: ClassVar[str] = "audio/mix.snr"

    def measure(self, item: Heard, /) -> float | None:
        """None for silence, and below four frames."""
        powers = item.powers
        count = len(powers)
        if count < FEWEST:
            return None
        smooth = uniform_filter1d(uniform_filter1d(powers, BINS, axis=1, mode="nearest"), FRAMES, axis=0)
        bias = gammaincinv(SHAPE, 0.7 / count) / SHAPE
        noise = float(np.minimum(smooth.min(axis=0) / bias, powers.mean(axis=0)).sum())
        speech = _active(powers.sum(axis=1) - noise, round(HANGOVER * item.rate / item.hop))
        if speech <= 0 or noise <= 0:
            return LOW if speech <= 0 else HIGH
        return min(max(db(speech / noise), LOW), HIGH)


def _active(powers: np.ndarray, hangover: int) -> float:
    """The mean power while speech is active, of (F,) powers of the speech in frames, some below 0."""
    mean = level = float(powers.mean())
    heard = np.convolve(np.maximum(powers, 0), np.ones(3) / 3, "same")
    for _ in range(6):  # from the mean upwards; it has settled by then to some tenths of a decibel
        on = np.convolve(heard > level * MARGIN, np.ones(hangover + 1))[: len(powers)] > 0
        level = mean / max(float(on.mean()), 1 / math.sqrt(len(powers)))
    return level
