"""What procedural sounds are made of: Gaussian spectra, slow curves, harmonics and drops, from (key, position) alone.

Uniforms are `noise.lattice`; each `channel` is another, unrelated stream of them.
"""

import math

import numpy as np
from numba import njit

from sliceforge.engine.cache import install
from sliceforge.kernels.noise import lattice

install()

BLOCK = 16
"""Samples for which a gliding tone keeps its frequency; its phase runs on."""


def _between(i, channel, key0, key1, key2):  # type: ignore[no-untyped-def]
    # In (0, 1), so that its logarithm is finite.
    return 0.5 * float(lattice(i, channel, key0, key1, key2)) + 0.5 + 2.0**-26


def _unit(turns):  # type: ignore[no-untyped-def]
    return complex(math.cos(2.0 * math.pi * turns), math.sin(2.0 * math.pi * turns))


_between_cpu = njit(inline="always")(_between)
_unit_cpu = njit(inline="always")(_unit)


@njit(cache=True)
def gaussians_cpu(out, channel, key0, key1, key2):  # type: ignore[no-untyped-def]
    """Fill (N,) complex128 with complex normals of power one (Box and Muller)."""
    for i in range(len(out)):
        size = math.sqrt(-math.log(_between_cpu(2 * i, channel, key0, key1, key2)))
        out[i] = size * _unit_cpu(_between_cpu(2 * i + 1, channel, key0, key1, key2))


@njit(cache=True)
def wander_cpu(out, step, channel, key0, key1, key2):  # type: ignore[no-untyped-def]
    """Fill (T,) float64 with a smooth random curve, −1…1, that meets a new random value every 1 / step samples."""
    knot, left, right = -1, 0.0, 0.0
    start = _between_cpu(-1, channel, key0, key1, key2)
    for n in range(len(out)):
        x = start + n * step
        i = int(x)
        if i != knot:
            knot = i
            left = float(lattice(i, channel, key0, key1, key2))
            right = float(lattice(i + 1, channel, key0, key1, key2))
        f = x - i
        out[n] = left + (right - left) * f * f * (3.0 - 2.0 * f)


@njit(cache=True)
def harmonics_cpu(out, step, multiples, levels, channel, key0, key1, key2):  # type: ignore[no-untyped-def]
    """Add to (T,) the multiples of a gliding tone, Σ level · cos(multiple · phase + its own random phase).

    `step` (⌈T / BLOCK⌉,) is the tone's frequency in turns a sample, new at each block of samples.
    """
    size = len(levels)
    own = np.empty(size, np.complex128)
    for k in range(size):
        own[k] = levels[k] * _unit_cpu(_between_cpu(k, channel, key0, key1, key2))
    turns = 0.0
    for start in range(0, len(out), BLOCK):
        each = step[start // BLOCK]
        tone, rotation = _unit_cpu(turns), _unit_cpu(each)
        for n in range(start, min(start + BLOCK, len(out))):
            power, reached = complex(1.0, 0.0), 0
            for k in range(size):
                while reached < multiples[k]:
                    power *= tone
                    reached += 1
                out[n] += own[k].real * power.real - own[k].imag * power.imag
            tone *= rotation
        turns += BLOCK * each
        turns -= math.floor(turns)


@njit(cache=True)
def drops_cpu(out, density, channel, key0, key1, key2):  # type: ignore[no-untyped-def]
    """Add to (T,) impulses at random moments, `density` a sample, of either sign; their mean square is 2 each."""
    i, moment = 0, 0.0
    while True:
        moment -= math.log(_between_cpu(3 * i, channel, key0, key1, key2)) / density
        if moment >= len(out):
            return
        height = -math.log(_between_cpu(3 * i + 1, channel, key0, key1, key2))
        sign = 1.0 if _between_cpu(3 * i + 2, channel, key0, key1, key2) < 0.5 else -1.0
        out[int(moment)] += sign * height
        i += 1
