"""A sound on its way through a recipe: its samples, what was measured of it, and what its filters make of it."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from sliceforge.kernels.loudness import Levels
from sliceforge.kernels.passes import add_cpu, finish_cpu, peak_cpu, product_cpu

Scaled = tuple["Wave", float]
"""A sound and what it is multiplied by."""


class Wave:
    """Samples that are never written to again; a factor for them is kept elsewhere.

    Args:
        samples: (T,) float32.
        rate: hertz.
    """

    def __init__(self, samples: np.ndarray, rate: int) -> None:
        self.samples = np.ascontiguousarray(samples, np.float32)
        self.levels = Levels(self.samples, rate)
        self._after: dict[str, Wave] = {}
        self._products: dict[int, tuple[Wave, float]] = {}
        self._peak = math.nan

    def after(self, step: str, make: Callable[[np.ndarray], np.ndarray]) -> Wave:
        """What a linear step makes of it, once."""
        if step not in self._after:
            self._after[step] = Wave(make(self.samples), self.levels.rate)
        return self._after[step]

    @property
    def peak(self) -> float:
        """The greatest absolute value."""
        if math.isnan(self._peak):
            self._peak = peak_of([(self, 1.0)])
        return self._peak

    def product(self, other: Wave) -> float:
        """Σ self · other."""
        if other is self:
            return self.levels.level("rms", False) ** 2 * len(self.samples)
        if id(other) not in self._products:
            self._products[id(other)] = other, float(product_cpu(self.samples, other.samples))
        return self._products[id(other)][1]


def rms_of(parts: list[Scaled]) -> float:
    """RMS of a sum of sounds of one length, from products of each two."""
    energy = 0.0
    for i, (wave, scale) in enumerate(parts):
        energy += scale * scale * wave.product(wave)
        for other, factor in parts[:i]:
            energy += 2 * scale * factor * other.product(wave)
    length = len(parts[0][0].samples)
    # NaN stays NaN, so that it is found where samples are finished.
    return math.sqrt(0.0 if energy < 0 else energy / length) if length else 0.0


def peak_of(parts: list[Scaled]) -> float:
    """The greatest absolute value of a sum of sounds."""
    a, b = _two(parts)
    return float(peak_cpu(a[0], np.float32(a[1]), b[0], np.float32(b[1])))


def total_of(parts: list[Scaled]) -> np.ndarray:
    """A sum of sounds, (T,) float32."""
    if len(parts) == 1 and parts[0][1] == 1:
        return parts[0][0].samples
    a, b = _two(parts)
    out = np.empty(len(a[0]), np.float32)
    add_cpu(a[0], np.float32(a[1]), b[0], np.float32(b[1]), out)
    return out


def finished(parts: list[Scaled]) -> tuple[np.ndarray, bool]:
    """A sum of sounds in whole steps of 16 bits, (T,) float32, and whether all of it was finite."""
    a, b = _two(parts)
    out = np.empty(len(a[0]), np.float32)
    fine = finish_cpu(a[0], np.float32(a[1]), b[0], np.float32(b[1]), out)
    return out, bool(fine)


def _two(parts: list[Scaled]) -> tuple[tuple[np.ndarray, float], tuple[np.ndarray, float]]:
    """The sum as that of two: one is its half twice, three and more are added up from the left."""
    if len(parts) > 2:
        return (total_of(parts[:-1]), 1.0), (parts[-1][0].samples, parts[-1][1])
    # Once with a factor of 0 would make a NaN of what is infinite.
    share = 1.0 if len(parts) > 1 else 0.5
    (first, scale), (last, factor) = parts[0], parts[-1]
    return (first.samples, scale * share), (last.samples, factor * share)
