"""Generic numbers of a picture and of a clip, by which a simple classifier may tell two kinds apart."""

from __future__ import annotations

import numpy as np
from scipy.fft import dctn, rfft
from scipy.ndimage import uniform_filter

from sliceforge.kernels.contrast import grey

SHARES = (0.001, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 0.999)
SCALES = (1, 2, 4, 8)
BLOCK, BANDS, FRAME = 8, 24, 0.025
LOWEST = 50.0
"""Hertz."""


def of_image(image: np.ndarray) -> np.ndarray:
    """(F,) float64: quantiles of grey, of gradients at four scales both ways, and the spectrum of 8 × 8 blocks.

    Args:
        image: (H, W, C) uint8 or uint16.
    """
    values = grey(image)
    values = np.pad(values, [(0, max(2 * BLOCK - side, 0)) for side in values.shape], mode="edge")
    parts = [np.quantile(values, SHARES)]
    for scale in SCALES:
        smooth = uniform_filter(values, scale)
        for axis in (0, 1):
            change = smooth[scale:] - smooth[:-scale] if axis == 0 else smooth[:, scale:] - smooth[:, :-scale]
            parts += [np.quantile(change, SHARES), [np.log(np.abs(change).mean() + 0.1)]]
    high, wide = (side // BLOCK * BLOCK for side in values.shape)
    blocks = values[:high, :wide].reshape(high // BLOCK, BLOCK, wide // BLOCK, BLOCK).transpose(0, 2, 1, 3)
    power = np.log(np.square(dctn(blocks, axes=(2, 3), norm="ortho")).mean(axis=(0, 1)) + 0.1)
    return np.concatenate([*parts, power.reshape(-1)])


def of_sound(x: np.ndarray, rate: int) -> np.ndarray:
    """(F,) float64: of 24 bands, even in octaves, the mean and the spread of their decibels over frames of 25 ms.

    Args:
        x: (T,) float32.
        rate: hertz.
    """
    size = max(round(FRAME * rate), 16)
    count = max(len(x) // size, 1)
    frames = np.zeros((count, size))
    cut = x[: count * size]
    frames.reshape(-1)[: len(cut)] = cut
    power = np.square(np.abs(rfft(frames * np.hanning(size), axis=1, workers=1)))
    edges = np.geomspace(LOWEST, rate / 2, BANDS + 1) * size / rate
    bins = np.maximum.accumulate(np.ceil(edges).astype(int))
    total = np.concatenate([np.zeros((count, 1)), np.cumsum(power, axis=1)], axis=1)
    bands = np.diff(total[:, np.minimum(bins, power.shape[1])], axis=1)
    levels = 10 * np.log10(bands / size + 1e-10)
    return np.concatenate([levels.mean(axis=0), levels.std(axis=0), np.quantile(levels.mean(axis=1), SHARES)])
