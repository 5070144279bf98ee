"""Kernels over the samples of a batch: noise gathered from banks, spectra shaped, points, the final mix.

Shapes: stems (S, B, T) float32, the foreground first; numbers (B, P) float32 and places (B, Q) int32, the plan's table.
Column 0 of places is the length of each clip; beyond it every stem is 0.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from numba import cuda

from sliceforge.engine.cuda.launch import inlined

LENGTH = 0
"""Column of places."""

BANK, MADE = 1, 2
"""Where a noise comes from: the resident bank, or what was uploaded with the batch."""

_ZERO, _HALF, _ONE = np.float32(0), np.float32(0.5), np.float32(1)
# sin(π/2 · x) as its series, the last term first: 6e-8 off at 1, and no double precision, which the library's sine
# keeps for arguments that never come here.
_SINE = tuple(
    np.float32((-1) ** n * (math.pi / 2) ** (2 * n + 1) / math.factorial(2 * n + 1)) for n in range(5, -1, -1)
)
_PCM, _LOW, _HIGH = np.float32(32768), np.float32(-32768), np.float32(32767)
# Adding it leaves no bit below the unit, and the hardware rounds half to even; right up to 2²² on either side.
_UNIT = np.float32(1.5 * 2**23)


@inlined
def quarter_sine(x):
    """sin(π/2 · x) of x in 0…1."""
    square, total = x * x, _ZERO
    for coefficient in _SINE:
        total = total * square + coefficient
    return total * x


@inlined
def excerpt_value(pool, base, count, fade, t):
    """Sample t of the sound pool[base : base + count], continued as `excerpts.excerpt` does; fade −1: not continued."""
    if fade < 0:
        return pool[base + t]
    period = count - fade
    r = t % period
    value = pool[base + r]
    if t >= period and r < fade:
        place = (np.float32(r) + _HALF) / np.float32(fade)
        value = value * quarter_sine(place) + pool[base + period + r] * quarter_sine(_ONE - place)
    return value


def gather_cuda(pool, made, places, column, stems, stem):
    """Write one mix's noise into stems[stem], silence where the mix does not happen.

    Args:
        pool: (N,) float32, the resident bank.
        made: (M, T) float32, sounds that came with the batch.
        column: of places, the first of five: source (0, `BANK` or `MADE`), base, count, fade, offset.
    """
    b = cuda.blockIdx.y
    source, base, count = places[b, column], places[b, column + 1], places[b, column + 2]
    fade, offset = places[b, column + 3], places[b, column + 4]
    for t in range(cuda.grid(1), stems.shape[2], cuda.gridsize(1)):
        value = _ZERO
        if t < places[b, LENGTH]:
            if source == BANK:
                value = excerpt_value(pool, base, count, fade, offset + t)
            elif source == MADE:
                value = made[base, t]
        stems[stem, b, t] = value


def shape_cuda(spectra, responses, places, column, count):
    """Multiply each stem's spectrum by the transfer functions of its clip's filters.

    Args:
        spectra: (S, B, F, 2) float32, real and imaginary part.
        responses: (U, F, 2) float32.
        column: of places, the first of `count` rows of `responses`, −1 for a filter that does not happen.
    """
    b = cuda.blockIdx.y
    for f in range(cuda.grid(1), spectra.shape[2], cuda.gridsize(1)):
        real, imaginary = _ONE, _ZERO
        for i in range(count):
            row = places[b, column + i]
            if row >= 0:
                x, y = responses[row, f, 0], responses[row, f, 1]
                real, imaginary = real * x - imaginary * y, real * y + imaginary * x
        for s in range(spectra.shape[0]):
            x, y = spectra[s, b, f, 0], spectra[s, b, f, 1]
            spectra[s, b, f, 0] = x * real - y * imaginary
            spectra[s, b, f, 1] = x * imaginary + y * real


def select_cuda(filtered, before, places, column, count, after):
    """Take the filtered samples, or those before where no filter happens to the clip; silence beyond its end.

    Args:
        filtered: (S, B, N) float32, N at least T.
        before, after: (S, B, T) float32.
        column, count: as for `shape_cuda`.
    """
    b = cuda.blockIdx.y
    happens = False
    for i in range(count):
        happens = happens or places[b, column + i] >= 0
    for t in range(cuda.grid(1), after.shape[2], cuda.gridsize(1)):
        for s in range(after.shape[0]):
            value = _ZERO
            if t < places[b, LENGTH]:
                value = filtered[s, b, t] if happens else before[s, b, t]
            after[s, b, t] = value


@inlined
def heard(stems, factors, b, t):
    """The sum of a clip's stems at sample t, each by its factor."""
    value = _ZERO
    for s in range(stems.shape[0]):
        value += factors[b, s] * stems[s, b, t]
    return value


@cache
def point_kernel(pixel: Callable[..., Any]) -> Callable[..., None]:
    """The pass of a point step: sums each clip's stems, which stay apart no more, and asks `pixel` for each sample."""
    one = inlined(pixel)

    def point_cuda(stems, factors, numbers, first, count, places, column, after):
        """Column `column` of places: 1 where it happens; `count` columns of numbers from `first`: what it reads."""
        b = cuda.blockIdx.y
        row, happens = numbers[b, first : first + count], places[b, column] == 1
        for t in range(cuda.grid(1), after.shape[2], cuda.gridsize(1)):
            for s in range(after.shape[0]):
                after[s, b, t] = _ZERO if happens else stems[s, b, t]
            if happens and t < places[b, LENGTH]:
                after[0, b, t] = one(heard(stems, factors, b, t), np.float32(t), _ZERO, row)

    return point_cuda


def finish_cuda(stems, factors, places, out, status, unfit):
    """Add, scale, clamp, round half to even to 16 bits; silence beyond the end.

    Args:
        factors: (B, S) float32.
        out: (B, T) float32.
        status: (B,) int32, made `unfit` where a value is not finite and nothing was said before.
    """
    b = cuda.blockIdx.y
    for t in range(cuda.grid(1), out.shape[1], cuda.gridsize(1)):
        value = _ZERO
        if t < places[b, LENGTH]:
            value = heard(stems, factors, b, t) * _PCM
            # An infinity minus itself is no number, and no number equals itself.
            if value - value != _ZERO:
                cuda.atomic.cas(status, b, 0, unfit)
            value = (min(max(value, _LOW), _HIGH) + _UNIT - _UNIT) / _PCM
        out[b, t] = value
