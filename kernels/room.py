"""The impulse response of a shoebox by image sources (Allen and Berkley, 1979), with the decay time asked for."""

import math

import numpy as np
from numba import njit
from scipy.signal import butter, sosfilt

from sliceforge.engine.cache import install

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


def decay(wave: np.ndarray, rate: int) -> float:
    """The seconds in which it falls by 60 dB, from a line through −5…−25 dB of Schroeder's integral.

    Args:
        wave: (N,) impulse response.
        rate: hertz.
    """
    left = np.cumsum(np.square(wave[::-1]))[::-1]
    level = 10 * np.log10(np.maximum(left / left[0], 1e-12))
    at = np.flatnonzero((level <= -5) & (level >= -25))
    if len(at) < 2:
        return 1 / rate
    x, y = at - at.mean(), level[at] - level[at].mean()
    return -60 / rate * float((x * x).sum()) / min(float((x * y).sum()), -1e-9)


def reflected(parts: np.ndarray, t60: float, rate: int) -> np.ndarray:
    """The sum of `parts` (K, N), those of k reflections times shareᵏ, with the share that makes it decay in `t60`."""
    low, high = 0.0, 1.0
    powers = np.arange(len(parts))[:, None]
    for _ in range(24):
        share = (low + high) / 2
        wave = (parts * share**powers).sum(0)
        low, high = (share, high) if decay(wave, rate) < t60 else (low, share)
    return wave


@njit(cache=True)
def arrivals_cpu(moments, gains, rows, out):  # type: ignore[no-untyped-def]
    """Add to each one's row of (K, N) an impulse at a moment, in samples: a windowed sinc where it lies between two."""
    for i in range(len(moments)):
        row = out[rows[i]]
        first = math.floor(moments[i])
        f = moments[i] - first
        if f == 0.0:
            if first < len(row):
                row[first] += gains[i]
            continue
        swing = gains[i] * math.sin(math.pi * f) / math.pi
        for j in range(1 - REACH, REACH + 1):
            if 0 <= first + j < len(row):
                u = (j - f) / REACH
                sign = 1.0 if j % 2 else -1.0
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
    edge = butter(2, min(HIGH_PASS, rate / 8), "highpass", fs=rate, output="sos")
    return reflected(sosfilt(edge, parts), t60, rate)
