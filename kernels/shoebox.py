"""The impulse response of a shoebox: image sources, then a diffuse tail, with the decay time asked for in each band.

Up to the moment at which its echoes are as dense as `DENSE` a second, every echo is an image source (Allen and Berkley,
1979); from there on they are Gaussian noise of the level that geometry gives them. Then `kernels.decay` brings each
octave band to the decay time, since a room of hard, parallel walls does not keep to any formula for it.
"""

import math

import numpy as np
from numba import njit

from sliceforge.engine.cache import install
from sliceforge.kernels.butterworth import filter_cpu, sections
from sliceforge.kernels.decay import DECADES, decaying
from sliceforge.kernels.noise import gaussian

install()

SPEED = 343.0  # metres a second
REACH = 8  # samples to each side over which an arrival between two samples is spread
HIGH_PASS = 60.0  # hertz, at least

DENSE = 16000.0
"""Echoes a second from which on nobody tells them from noise."""

FADE = 0.25
"""Of the time up to there, over which the one goes over into the other."""

TAIL = 77
"""The channel of the tail's noise."""


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


@njit(nogil=True, cache=True, error_model="numpy", fastmath={"contract"})
def arrivals_cpu(moments, gains, out):
    """Add to (N,) float64 an impulse at each moment, in samples: a windowed sinc where it lies between two."""
    length = len(out)
    for i in range(len(moments)):
        first = math.floor(moments[i])
        f = moments[i] - first
        if f == 0.0:
            if first < length:
                out[first] += gains[i]
            continue
        swing = gains[i] * math.sin(math.pi * f) / math.pi
        for j in range(max(1 - REACH, -first), min(REACH + 1, length - first)):
            u = (j - f) / REACH
            sign = 2.0 * (j & 1) - 1.0
            out[first + j] += sign * swing / (j - f) * (1.0 - u * u) * (1.0 - u * u)


def response(
    size: np.ndarray,
    mouth: np.ndarray,
    ear: np.ndarray,
    t60: float,
    rate: int,
    key: tuple[float, float, float],
) -> np.ndarray:
    """(N,) float64, `t60` seconds long, the direct path, of height one, at sample 0.

    Args:
        size: (3,) metres.
        mouth, ear: (3,) metres from one corner: the source and the microphone.
        t60: seconds in which each octave band from 500 to 4000 Hz falls by 60 dB, as far as a line through
            −5…−25 dB says.
        rate: hertz.
        key: of the tail's noise, see `noise.pieces`.
    """
    return decaying(echoes(size, mouth, ear, t60, rate, key), t60, rate)


def echoes(
    size: np.ndarray, mouth: np.ndarray, ear: np.ndarray, t60: float, rate: int, key: tuple[float, float, float]
) -> np.ndarray:
    """(N,) float64: image sources and tail, with the one absorption of all walls that Eyring's formula (1930) gives."""
    volume, surface = float(size.prod()), 2 * float(size[0] * size[1] + size[1] * size[2] + size[2] * size[0])
    samples = math.ceil(t60 * rate) + 1
    # After t seconds 4πc³t²/V echoes a second arrive; all together bring 4πc·r²/V against a direct path of r metres.
    dense = min(math.sqrt(DENSE * volume / (4 * math.pi * SPEED**3)), t60)
    over = dense * (1 + FADE)
    direct = float(np.sqrt(np.square(mouth - ear).sum()))
    distance, order = images(size, mouth, ear, direct + SPEED * over)
    nearest, moments = distance.min(), (distance - distance.min()) / SPEED
    kept = math.exp(-DECADES * 4 * volume / (SPEED * surface * t60))
    wave = np.zeros(samples)
    arrivals_cpu(moments * rate, nearest / distance * kept**order * np.cos(_quarter(moments, dense, over)), wave)
    # Below the first mode every image adds up; what a real, leaking room does not have is taken away.
    boom = max(HIGH_PASS, SPEED / (2 * float(size.max())))
    filter_cpu(sections(min(boom, rate / 8), 2, True, rate), wave[None])
    if over < t60:
        noise, t = np.empty(samples), np.arange(samples) / rate
        normals_cpu(noise, TAIL, *key)
        level = nearest * math.sqrt(4 * math.pi * SPEED / (volume * rate))
        wave += level * np.exp(-DECADES * t / t60) * np.sin(_quarter(t, dense, over)) * noise
    return wave


def _quarter(t: np.ndarray, first: float, last: float) -> np.ndarray:
    """0…π/2 while t goes from first to last."""
    angle: np.ndarray = np.clip((t - first) / (last - first), 0, 1) * (math.pi / 2)
    return angle


@njit(nogil=True, cache=True, error_model="numpy", fastmath={"contract"})
def normals_cpu(out, channel, key0, key1, key2):
    """Fill (N,) float64 with standard normal numbers, each a function of its place and the key."""
    for i in range(len(out)):
        out[i] = gaussian(i, channel, key0, key1, key2)
