"""A declared simulation of a line camera that is short of light; no code of the engine, which never sees its numbers.

electrons = FULL · exposure · light(x) · (pixel / 255); shot noise is theirs; an amplifier gives them back as grey
levels with its own noise, a column of the sensor is a little more or less sensitive, and an offset stays in the dark.
"""

from __future__ import annotations

import numpy as np

FULL = 9000.0
"""Electrons of a white pixel at full exposure."""

EXPOSURE = (0.06, 0.30)
"""Share of the exposure that the strip needs, log-uniform."""

GAIN = (1.0, 2.0)
"""By which the amplifier makes up for some of it."""

FALL = (0.2, 0.6)
"""What the light loses from where it is brightest to the far end of the line, a fraction."""

READ, COLUMN, OFFSET = 14.0, 0.02, (0.0, 6.0)
"""Electrons of the amplifier's noise; spread of the columns' sensitivity; grey levels that stay in the dark."""


def under_exposed(pixels: np.ndarray, seed: int) -> np.ndarray:
    """(N, H, W) uint8 of such images, each with draws of its own."""
    generator, out = np.random.default_rng([6, seed]), np.empty_like(pixels)
    width = pixels.shape[2]
    for row, image in enumerate(pixels):
        exposure = np.exp(generator.uniform(*np.log(EXPOSURE)))
        centre, fall = generator.uniform(0.2, 0.8), generator.uniform(*FALL)
        away = np.abs(np.linspace(0, 1, width) - centre)
        light = (1 - fall * (away / away.max()) ** 2) * (1 + COLUMN * generator.standard_normal(width))
        electrons = generator.poisson(np.maximum(FULL * exposure * light * image / 255.0, 0)).astype(np.float64)
        electrons += READ * generator.standard_normal(electrons.shape)
        grey = electrons * (generator.uniform(*GAIN) * 255.0 / FULL) + generator.uniform(*OFFSET)
        out[row] = np.clip(np.rint(grey), 0, 255).astype(np.uint8)
    return out
