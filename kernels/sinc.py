"""A sampled signal read between its samples: a Kaiser-windowed sinc from a table, in double precision."""

from functools import lru_cache

import numpy as np
from numba import njit

from sliceforge.engine.cache import install

install()

ZEROS = 64
"""Samples of the lower rate that the filter reaches to each side."""

STEPS = 512
"""Table entries a sample; between them it is linear, which errs by −117 dB."""

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


@njit(cache=True)
def read_cpu(x, step, half, out):  # type: ignore[no-untyped-def]
    """Fill (N,) with x (T,) read at 0, step, 2 · step, … samples; beyond its ends lies nothing."""
    scale = min(1.0, 1.0 / step)
    reach = ZEROS / scale
    for n in range(len(out)):
        at = n * step
        total = 0.0
        for k in range(max(0, int(np.ceil(at - reach))), min(len(x) - 1, int(np.floor(at + reach))) + 1):
            place = abs(at - k) * scale * STEPS
            i = int(place)
            total += x[k] * (half[i] + (half[i + 1] - half[i]) * (place - i))
        out[n] = scale * total


def read(x: np.ndarray, step: float, count: int) -> np.ndarray:
    """`count` samples of x (T,) at 0, step, 2 · step, …, (count,) float32; what would alias is filtered out.

    Args:
        x: float32.
        step: samples of x from one sample to the next, above 0.
        count: samples.
    """
    out = np.empty(count)
    read_cpu(np.ascontiguousarray(x, np.float32), step, table(), out)
    return out.astype(np.float32)
