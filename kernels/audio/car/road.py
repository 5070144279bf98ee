"""The road: tyres on their way, heard through the body: a dull noise with the body's resonances."""

import numpy as np

from sliceforge.kernels.audio.car.hiss import falling

BUMPS = 3


def road_shape(hertz: np.ndarray, row: dict[str, float]) -> np.ndarray:
    """Amplitude at each frequency: 12 dB an octave down below `road_low`, flat, falling from `road_corner`, bumps."""
    f2 = hertz * hertz
    shape = f2 / np.sqrt(f2 * f2 + np.float32(row["road_low"] ** 4))
    shape *= falling(f2 / np.float32(row["road_corner"] ** 2), row["road_slope"])
    for i in range(1, BUMPS + 1):
        gain = 10 ** (row[f"bump_gain_{i}"] / 10)
        if gain > 1:
            middle = np.float32(row[f"bump_frequency_{i}"])
            detuned = hertz / middle - middle / hertz
            shape *= np.sqrt(1 + np.float32(gain - 1) / (1 + 9 * detuned * detuned))  # a resonance of Q = 3
    return shape
