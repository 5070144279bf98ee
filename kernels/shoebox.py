"""The impulse response of a shoebox by image sources (Allen and Berkley, 1979), with the decay time asked for."""

import math

import numpy as np
from numba import njit

from sliceforge.engine.cache import install
from sliceforge.kernels.butterworth import filter_cpu, sections

install()

SPEED = 343.0  # metres a second
REACH = 8  # samples to each side over which an arrival between two samples is spread
HIGH_PASS = 60.0
"""Hertz: every image adds up below the first mode; what a real, leaking cabin does not have is taken away."""


def images(size: np.ndarray, mouth: np.ndarray, ear: np.ndarray, reach: float) -> tuple[np.ndarray, np.ndarray]:
    """Distance in metres, up to `reach`, and number of reflections of each image source, both (N,), in a fixed order.

    Args:
        size: (3,) metres.
        mouth, ear: (3,) metres from one corner: the source and the microphone.
    """
    squares, orders = np.zeros(1), np.zeros(1, np.int64)
    for side, source, place in zip(size, mouth, ear, strict=True):
        m = np.arange(-int(reach // (2 * side)) - 1, int(reach // (2 * side)) + 2)
        offset = np.concatenate([2 * m * side + source, 2 * m * side - source]) - place
        bounces = np.concatenate([np.abs(2 * m), np.abs(2 * m - 1)])
        squares = (squares[:, None] + offset * offset).ravel()
        orders = (orders[:, None] + bounces).ravel()
        near = squares <= reach * reach
        squares, orders = squares[near], orders[near]
    return np.sqrt(squares), orders


@njit(nogil=True, cache=True)
def decay(wave, rate):
    """The seconds in which it falls by 60 dB, from a line through −5…−25 dB of Schroeder's integral.

    Args:
        wave: (N,) float64, impulse response.
        rate: hertz.
    """
    left = np.empty(len(wave))
    total = 0.0
    for i in range(len(wave) - 1, -1, -1):
        total += wave[i] * wave[i]
        left[i] = total
    upper, lower = total * 10**-0.5, total * 10**-2.5
    count, x, y, xx, xy = 0, 0.0, 0.0, 0.0, 0.0
    for i in range(len(wave)):
        if lower <= left[i] <= upper:
            level = 10 * math.log10(left[i] / total)
            count, x, y, xx, xy = count + 1, x + i, y + level, xx + float(i) * i, xy + i * level
    if count < 2:
        return 1 / rate
    return -60 / rate * (xx - x * x / count) / min(xy - x * y / count, -1e-9)


@njit(nogil=True, cache=True)
def reflected(parts, t60, rate):
    """The sum of `parts` (K, N), those of k reflections times shareᵏ, with the share that makes it decay in `t60`."""
    low, high = 0.0, 1.0
    wave = np.zeros(parts.shape[1])
    for _ in range(24):
        share = (low + high) / 2
        wave[:] = 0.0
        factor = 1.0
        for k in range(len(parts)):
            for i in range(len(wave)):
                wave[i] += parts[k, i] * factor
            factor *= share
        low, high = (share, high) if decay(wave, rate) < t60 else (low, share)
    return wave


@njit(nogil=True, cache=True, error_model="numpy", fastmath={"contract"})
def arrivals_cpu(moments, gains, rows, out):
    """Add to each one's row of (K, N) an impulse at a moment, in samples: a windowed sinc where it lies between two."""
    length = out.shape[1]
    for i in range(len(moments)):
        row = out[rows[i]]
        first = math.floor(moments[i])
        f = moments[i] - first
        if f == 0.0:
            if first < length:
                row[first] += gains[i]
            continue
        swing = gains[i] * math.sin(math.pi * f) / math.pi
        for j in range(max(1 - REACH, -first), min(REACH + 1, length - first)):
            u = (j - f) / REACH
            sign = 2.0 * (j & 1) - 1.0
            row[first + j] += sign * swing / (j - f) * (1.0 - u * u) * (1.0 - u * u)


def shoebox(size: np.ndarray, mouth: np.ndarray, ear: np.ndarray, t60: float, rate: int) -> np.ndarray:
    """(N,) float64, `t60` seconds long, the direct path at sample 0.

    Args:
        size: (3,) metres.
        mouth, ear: (3,) metres from one corner: the source and the microphone.
        t60: seconds.
        rate: hertz.
    """
    direct = float(np.sqrt(np.square(mouth - ear).sum()))
    distance, order = images(size, mouth, ear, direct + SPEED * t60)
    nearest = distance.min()
    parts = np.zeros((int(order.max()) + 1, math.ceil(t60 * rate) + 1))
    arrivals_cpu((distance - nearest) / SPEED * rate, nearest / distance, order, parts)
    filter_cpu(sections(min(HIGH_PASS, rate / 8), 2, True, rate), parts)
    wave: np.ndarray = reflected(parts, t60, rate)
    return wave
