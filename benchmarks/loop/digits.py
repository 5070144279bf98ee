"""Spoken digits and street noise, and which of them train, tune and report: told apart by index and by recording."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from math import gcd
from pathlib import Path

import numpy as np
import soundfile
from scipy.signal import resample_poly

from sliceforge.engine.keys import Keys

RATE = 8000
WINDOW = 5600
"""Samples of every item, 0.7 s: 95 of 100 clips are shorter; the middle of longer ones is taken."""

SPOKEN = 0.05
"""RMS of the speech in every window, full scale 1."""

DITHER = 0.01
"""RMS of the white noise in every window, against the speech: −40 dB, so that padding is never silence."""

PARTS = {"train": range(5, 40), "tune": range(40, 45), "report": (*range(45, 50), *range(5))}
"""Indices of each part; 0 to 4 are the official test part."""

TRAFFIC = ("berlin_*.flac", "blanket_city.flac", "blanket_train.flac")
SHARES = {"train": 3, "tune": 2, "report": 4}
"""Recordings of traffic in each part, by keyed hash of their names; no other recording is heard in tune or report."""


@dataclass(frozen=True)
class Clips:
    """Clips in the middle of windows of one length.

    Args:
        ids: (N,) names of the files without suffix.
        digit, index: (N,) int64.
        speaker: (N,) names.
        waves: (N, WINDOW) float32, speech of RMS `SPOKEN` and dither.
    """

    ids: np.ndarray
    digit: np.ndarray
    speaker: np.ndarray
    index: np.ndarray
    waves: np.ndarray

    def __len__(self) -> int:
        return len(self.ids)

    def where(self, rows: np.ndarray) -> Clips:
        """Some of the clips: a mask or row numbers."""
        return Clips(self.ids[rows], self.digit[rows], self.speaker[rows], self.index[rows], self.waves[rows])


def window(wave: np.ndarray, item: str, dither: float = DITHER, long: int = WINDOW) -> np.ndarray:
    """(long,) float32: the clip's middle in the window's middle, at a fixed level, with dither of its own."""
    cut = max(0, len(wave) - long) // 2
    wave = wave[cut : cut + long].astype(np.float64)
    out = np.random.default_rng([ord(letter) for letter in item]).normal(0, SPOKEN * dither, long)
    at = (long - len(wave)) // 2
    out[at : at + len(wave)] += wave * (SPOKEN / max(np.sqrt(np.mean(wave**2)), 1e-6))
    return out.astype(np.float32)


@lru_cache(maxsize=1)
def clips(data: Path) -> Clips:
    """Every clip of `data/fsdd`, sorted by id.

    Raises:
        SystemExit: the folder has none.
    """
    rows = []
    for path in sorted((data / "fsdd").glob("*.wav")):
        digit, speaker, index = path.stem.split("_")
        wave, rate = soundfile.read(path)
        if rate != RATE:
            raise SystemExit(f"{path}: {rate} Hz; expected {RATE}")
        rows.append((path.stem, int(digit), speaker, int(index), window(wave, path.stem)))
    if not rows:
        raise SystemExit(f"{data}: no fsdd/*.wav; expected the Free Spoken Digit Dataset, such as fsdd/3_theo_7.wav")
    return Clips(*(np.array(column) for column in zip(*rows, strict=True)))


def part(data: Path, name: str, without: str = "") -> Clips:
    """The clips that train, tune or report, but for a speaker's."""
    every = clips(data)
    return every.where(np.isin(every.index, PARTS[name]) & (every.speaker != without))


def trained(data: Path, seed: int, per_digit: int = 60, without: str = "") -> Clips:
    """The clips that a model learns from: `per_digit` of each digit, as many of each speaker, drawn by the seed."""
    pool, generator = part(data, "train", without), np.random.default_rng([1, seed])
    speakers = np.unique(pool.speaker)
    rows = []
    for digit in range(10):
        for speaker in speakers:
            own = np.flatnonzero((pool.digit == digit) & (pool.speaker == speaker))
            rows.append(generator.choice(own, per_digit // len(speakers), replace=False))
    return pool.where(np.concatenate(rows))


def recordings(data: Path) -> Mapping[str, list[str]]:
    """Which recordings are heard in which part; what is no traffic trains: the oracle hears it."""
    folder = data / "noise"
    traffic = sorted({path.name for pattern in TRAFFIC for path in folder.glob(pattern)})
    key = Keys.of(0, traffic).field("recording")
    order = [traffic[at] for at in np.argsort(key, kind="stable")]
    found, start = {}, 0
    for name, count in SHARES.items():
        found[name] = sorted(order[start : start + count])
        start += count
    others = {path.name for path in folder.glob("*.flac")} - set(traffic)
    found["train"] = sorted({*found["train"], *others})
    return found


@lru_cache(maxsize=32)
def noise(path: Path) -> np.ndarray:
    """(T,) float64 of a recording at `RATE`."""
    wave, rate = soundfile.read(path)
    common = gcd(rate, RATE)
    return np.asarray(resample_poly(wave, RATE // common, rate // common))


def noises(data: Path, name: str) -> dict[str, np.ndarray]:
    """Recording → (T,) of a part."""
    return {file.removesuffix(".flac"): noise(data / "noise" / file) for file in recordings(data)[name]}


def mixed(
    waves: np.ndarray, bank: Mapping[str, np.ndarray], snr: np.ndarray, seed: int
) -> tuple[np.ndarray, list[str]]:
    """Windows in excerpts of recordings: the speech's RMS, `SPOKEN`, against that of the excerpt.

    Args:
        waves: (N, T).
        bank: recording → (T,), each as likely.
        snr: (N,) dB.
        seed: of recordings and excerpts.

    Returns:
        (N, T) float32, and N names of recordings.
    """
    generator, names = np.random.default_rng([2, seed]), sorted(bank)
    out, heard = np.empty_like(waves), list[str]()
    for row, wave in enumerate(waves):
        name = names[generator.integers(len(names))]
        start = generator.integers(len(bank[name]) - len(wave))
        excerpt = bank[name][start : start + len(wave)]
        gain = SPOKEN / max(np.sqrt(np.mean(excerpt**2)), 1e-9) * 10 ** (-snr[row] / 20)
        out[row], heard = wave + gain * excerpt, [*heard, name]
    return out, heard
