"""Noise that does not stay as it is: the engine's own, but that cars pass, horns sound, or its loudness wavers."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from benchmarks.loop.digits import RATE, SPOKEN, WINDOW, Clips
from benchmarks.loop.sounds import OUTSIDE, recipe_made

TIME = np.arange(WINDOW) / RATE


def noisy(
    clips: Clips, rows: np.ndarray, variants: np.ndarray, snr: tuple[float, float], seed: int, shape: str = ""
) -> np.ndarray:
    """(N, WINDOW) float32: clips in the noise of speech/car_noise, procedural, shaped afterwards.

    Args:
        clips, rows, variants: the parents.
        snr: dB, its ends; a shape leaves the noise's RMS as it was.
        seed: of every draw.
        shape: one of `SHAPES`; anything else: the noise stays as it is.
    """
    own = [f"steps.mix.snr=[{snr[0]:g}, {snr[1]:g}]", "steps.mix.source=cabin", "steps.level.p=0", *OUTSIDE]
    waves = recipe_made("speech/car_noise", own, clips, rows, variants, seed)
    if shape not in SHAPES:
        return waves
    generator, clean = np.random.default_rng([17, seed]), clips.waves[rows]
    for wave, noise in zip(waves, waves - clean, strict=True):
        rms = np.sqrt(np.mean(noise**2))
        shaped = SHAPES[shape](noise, generator)
        wave += (shaped * (rms / max(np.sqrt(np.mean(shaped**2)), 1e-9)) - noise).astype(np.float32)
    return waves


def passing(noise: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """A car comes and goes within 0.1 to 0.5 s: the noise swells by up to 20 dB."""
    away = (TIME - generator.uniform(0, TIME[-1])) / generator.uniform(0.1, 0.5)
    return np.asarray(noise * 10 ** (-generator.uniform(5, 20) * np.minimum(away**2, 1) / 20))


def horns(noise: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """In every other item a horn of two tones, a third apart, sounds for 0.1 to 0.5 s, 0 to 15 dB under the speech."""
    if generator.random() < 0.5:
        return noise
    low, start, long = generator.uniform(300, 500), generator.uniform(0, 0.5), generator.uniform(0.1, 0.5)
    tones = np.concatenate([low * ratio * np.arange(1, 7) for ratio in (1.0, 1.26)])
    heard = tones < RATE / 2
    strength = np.tile(1 / np.arange(1, 7), 2)[heard]
    horn = strength @ np.sin(2 * np.pi * tones[heard, None] * TIME + generator.uniform(0, 6.28, (heard.sum(), 1)))
    since = TIME - start
    horn *= (since >= 0) & (since < long)
    level = SPOKEN * 10 ** (-generator.uniform(0, 15) / 20)
    return np.asarray(noise + horn * (level / max(np.sqrt(np.mean(horn**2)), 1e-9)))


def wavering(noise: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Loudness moves by some dB, up to eight times a second."""
    points = generator.normal(0, generator.uniform(2, 6), 8)
    return np.asarray(noise * 10 ** (np.interp(TIME, np.linspace(0, TIME[-1], 8), points) / 20))


SHAPES: dict[str, Callable[[np.ndarray, np.random.Generator], np.ndarray]] = {
    "passing cars": passing,
    "horns": horns,
    "wavering": wavering,
}
"""Idea → (T,) noise of another shape."""
