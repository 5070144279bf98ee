"""A sampled signal read between its samples, by a Kaiser-windowed sinc from a table."""

import math
from functools import lru_cache

import numpy as np
from numba import njit

from sliceforge.engine.cache import install
from sliceforge.kernels.lanes import lane, load, splat

install()

ZEROS = 64
"""Samples of the lower rate that the filter reaches to each side."""

STEPS = 512
"""Table entries a sample; between them it is linear, which errs by −100 dB of what is read at most."""

PASS, STOPBAND_DB = 0.97, 120.0
"""Middle of the filter's edge, of half the lower rate, and its depth: as material is resampled when it is read."""


@lru_cache(maxsize=1)
def table() -> np.ndarray:
    """(ZEROS · STEPS + 2,) float64: the right half of the filter's response, the last two values 0."""
    v = np.arange(ZEROS * STEPS + 1) / STEPS
    window = np.i0(0.1102 * (STOPBAND_DB - 8.7) * np.sqrt(1 - (v / ZEROS) ** 2))
    half = PASS * np.sinc(PASS * v) * window / window[0]
    half[-1] = 0
    return np.append(half, 0.0)


@njit(nogil=True, cache=True, error_model="numpy", fastmath={"contract"})
def rows_cpu(half, scale, first, rows):
    """Fill (STEPS + 1, K) float32 with the filter at taps first, first + 1, … from each of STEPS places on.

    Between two entries of the table (Z,) float64 it is linear.
    """
    for p in range(rows.shape[0]):
        for j in range(rows.shape[1]):
            place = abs(first + j - p / STEPS) * scale * STEPS
            i = int(place)
            inside = i + 1 < len(half)
            rows[p, j] = scale * (half[i] + (half[i + 1] - half[i]) * (place - i)) if inside else 0.0


@njit(nogil=True, cache=True)
def read_cpu(x, step, rows, out):
    """Fill (N,) with the sums of x from ⌊n · step⌋ on times the rows beside the place in between; flat, K wide."""
    width = len(rows) // (STEPS + 1)
    for n in range(len(out)):
        at = n * step
        begin = int(at)
        place = (at - begin) * STEPS
        p = int(place)
        share, total = splat(np.float32(place - p)), splat(np.float32(0))
        for j in range(0, width, 16):
            one, other = load(rows, p * width + j), load(rows, (p + 1) * width + j)
            total = total + load(x, begin + j) * (one + share * (other - one))
        value = np.float32(0)
        for k in range(16):
            value += lane(total, k)
        out[n] = value


def read(x: np.ndarray, step: float, count: int) -> np.ndarray:
    """`count` samples of x (T,) at 0, step, 2 · step, …, (count,) float32; what would alias is filtered out.

    Args:
        x: float32.
        step: samples of x from one sample to the next, above 0.
        count: samples.
    """
    scale = min(1.0, 1.0 / step)
    reach = math.ceil(ZEROS / scale)
    rows = np.empty((STEPS + 1, -(-2 * (reach + 1) // 16) * 16), np.float32)
    rows_cpu(table(), scale, -reach, rows)
    padded = np.zeros(max(len(x), int(count * step) + 1) + reach + rows.shape[1], np.float32)
    padded[reach : reach + len(x)] = x
    out = np.empty(count, np.float32)
    read_cpu(padded, step, rows.ravel(), out)
    return out
