"""What the races work on, made from a seed: clips, a bank of noises, a bank of impulse responses, images."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile
from scipy.ndimage import zoom

from benchmarks.peers.chain import BATCH, RATE, Chain

NOISES, NOISE_SECONDS = 16, 30
RESPONSES, RESPONSE_SECONDS = 32, 0.5


def write(chain: Chain, folder: Path) -> None:
    """`batches.npy`, (batches, BATCH, …) float32 or uint8; for clips also the folders `noise` and `rirs` of WAV."""
    generator = np.random.default_rng(4)
    make = _clips if chain.kind == "audio" else _images
    np.save(folder / "batches.npy", np.stack([make(generator, chain.shape) for _ in range(chain.batches)]))
    if chain.kind == "audio":
        banks(folder)


def banks(folder: Path) -> None:
    """Noises whose spectrum falls, and responses of 0.5 s that decay by 60 dB, 16-bit WAV at 16 kHz."""
    generator = np.random.default_rng(5)
    for name in ("noise", "rirs"):
        (folder / name).mkdir()
    for i in range(NOISES):
        white = generator.standard_normal(NOISE_SECONDS * RATE)
        dull = np.convolve(white, np.exp(-np.arange(64) / 12), "same")
        _store(folder / "noise" / f"noise{i:02d}.wav", 0.1 * dull / dull.std())
    length = round(RESPONSE_SECONDS * RATE)
    for i in range(RESPONSES):
        wave = 0.05 * generator.standard_normal(length) * 10 ** (-3 * np.arange(length) / length)
        wave[0] = 0.9
        _store(folder / "rirs" / f"room{i:02d}.wav", wave)


def _store(path: Path, wave: np.ndarray) -> None:
    soundfile.write(path, np.clip(wave, -0.99, 0.99).astype(np.float32), RATE, subtype="PCM_16")


def _clips(generator: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    t = np.arange(shape[0]) / RATE
    pitch = generator.uniform(90, 220, (BATCH, 1))
    voiced = sum(np.sin(2 * np.pi * k * pitch * t) / k for k in range(1, 8))
    syllables = np.clip(np.sin(2 * np.pi * generator.uniform(2, 4, (BATCH, 1)) * t), 0, 1)
    made = 0.08 * voiced * syllables + 0.001 * generator.standard_normal((BATCH, len(t)))
    return (np.rint(made * 32768) / 32768).astype(np.float32)


def _images(generator: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    made = np.empty((BATCH, *shape), np.uint8)
    for one in made:
        coarse = generator.uniform(40, 210, [max(side // 16, 2) for side in shape])
        smooth = zoom(coarse, [a / b for a, b in zip(shape, coarse.shape, strict=True)], order=1)
        one[:] = np.clip(smooth + generator.normal(0, 4, shape), 0, 255)
    return made
