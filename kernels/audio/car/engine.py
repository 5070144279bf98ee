"""The engine: lines at the half orders of its firing, which wander with the rpm."""

import math

import numpy as np

from sliceforge.kernels import sound
from sliceforge.kernels.audio.car.hiss import Key, energy

HALVES = np.array([1, 2, 3, 4, 6, 8])
"""The lines, in half orders of the firing frequency."""


def glide(step: float, drift: float, rate: float, blocks: int, channel: int, key: Key) -> np.ndarray:
    """(blocks,) float64 turns a sample around `step`, which wander by `drift` of it; `rate` in turns a sample."""
    slow = np.empty(blocks, np.float32)
    sound.wander_cpu(slow, 2 * rate * sound.BLOCK, channel, *key)
    return step * (1 + drift * slow.astype(np.float64))


def add_orders(out: np.ndarray, rate: int, row: dict[str, float], key: Key) -> None:
    """Add the orders, together `engine` dB, to whole blocks of samples; none that would pass half the rate."""
    firing = row["rpm"] / 60 * row["cylinders"] / 2
    level = 10 ** (-row["engine_fall"] * np.abs(HALVES / 2 - 1) / 20)
    level = np.where(HALVES / 2 * firing * (1 + row["drift"]) < rate / 2, level, 0.0)
    level *= 10 ** (row["engine"] / 20) * math.sqrt(2 / max(energy(level), 1e-30))
    blocks = len(out) // sound.BLOCK
    step = glide(0.5 * firing / rate, row["drift"], row["drift_rate"] / rate, blocks, 5, key)
    sound.harmonics_cpu(out, step, HALVES, level, 6, *key)
