"""The impulse response of Butterworth filters as recursive sections (bilinear transform, prewarped at the edge)."""

import math

import numpy as np
from numba import njit

from sliceforge.engine.cache import install

install()


def sections(edge: float, order: int, high: bool, rate: float) -> np.ndarray:
    """(⌈order / 2⌉, 5) float64: b₀ b₁ b₂ a₁ a₂ of each section of 1 or 2 poles, y = Σ b·x − Σ a·y.

    Args:
        edge: hertz, −3 dB there; below rate / 2.
        order: poles.
        high: pass what lies above the edge, else what lies below.
        rate: hertz.
    """
    warped, out = math.tan(math.pi * edge / rate), np.zeros((-(-order // 2), 5))
    gain, sign = (1.0, -1.0) if high else (warped, 1.0)
    for k in range(order // 2):
        damping = 2 * math.sin(math.pi * (2 * k + 1) / (2 * order))
        whole = 1 + damping * warped + warped * warped
        b = gain * gain / whole
        out[k] = b, 2 * sign * b, b, 2 * (warped * warped - 1) / whole, (1 - damping * warped + warped * warped) / whole
    if order % 2:
        b = gain / (1 + warped)
        out[-1] = b, sign * b, 0, (warped - 1) / (1 + warped), 0
    return out


@njit(nogil=True, cache=True, error_model="numpy", fastmath={"contract"})
def respond_cpu(sections, out):
    """Fill (N,) float64 with the response of sections (K, 5) one after the other to a 1 and nothing else."""
    first, second = np.zeros(len(sections)), np.zeros(len(sections))
    for n in range(len(out)):
        value = 1.0 if n == 0 else 0.0
        for k in range(len(sections)):
            given = value
            value = sections[k, 0] * given + first[k]
            first[k] = sections[k, 1] * given - sections[k, 3] * value + second[k]
            second[k] = sections[k, 2] * given - sections[k, 4] * value
        out[n] = value


@njit(nogil=True, cache=True, error_model="numpy", fastmath={"contract"})
def filter_cpu(sections, x):
    """Filter the rows of (M, N) float64 in place, each from rest."""
    for m in range(len(x)):
        for k in range(len(sections)):
            first, second = 0.0, 0.0
            for n in range(x.shape[1]):
                given = x[m, n]
                value = sections[k, 0] * given + first
                first = sections[k, 1] * given - sections[k, 3] * value + second
                second = sections[k, 2] * given - sections[k, 4] * value
                x[m, n] = value
