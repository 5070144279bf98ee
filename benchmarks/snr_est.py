"""How well `snr_est` knows the SNR of real speech under noise: bias and spread at each true SNR, beside two rivals.

SLICEFORGE_DATA=FOLDER python -m benchmarks.snr_est
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from sliceforge.engine.build import build
from sliceforge.engine.keys import Keys
from sliceforge.engine.op import Shapes
from sliceforge.engine.read import read_audio
from sliceforge.kernels.attribute.snr_est import SnrEst
from sliceforge.kernels.audio.cabin import Cabin
from sliceforge.kernels.heard import Heard
from sliceforge.kernels.loudness import Levels, rms

TRUE = tuple(range(-5, 31, 5))
"""dB, active speech level against the noise's RMS."""

CLIPS = 60
RATE = 8000

Mix = tuple[str, str, int, np.ndarray]
"""Kind of speech, kind of noise, true SNR, clip."""


def words(folder: Path, generator: np.random.Generator) -> Iterator[tuple[str, np.ndarray]]:
    """Single digits, cut at their ends, and two to four of them with pauses of 0.1 to 0.4 s."""
    paths = sorted((folder / "fsdd").glob("*.wav"))
    for _ in range(CLIPS):
        path = paths[generator.integers(len(paths))]
        yield "digit", read_audio(path)[0]
        own = [one for one in paths if one.name.split("_")[1] == path.name.split("_")[1]]
        parts = [np.zeros(generator.integers(800, 3200), np.float32)]
        for _ in range(generator.integers(2, 5)):
            pause = np.zeros(generator.integers(800, 3200), np.float32)
            parts += [read_audio(own[generator.integers(len(own))])[0], pause]
        yield "phrase", np.concatenate(parts)


def noises(folder: Path, length: int, key: int, generator: np.random.Generator) -> Iterator[tuple[str, np.ndarray]]:
    """Car noise that is drawn, street noise from recordings, white noise; (length,) each."""
    none = np.zeros(1, np.int64)
    cabin = build(Cabin, {}, "steps.cabin")
    drawn = cabin.draw(Keys.of(3, [str(key)]).at("cabin"), Shapes(np.array([length]), np.array([RATE]), none, none))
    yield "car", cabin.wave(length, RATE, **{name: column[0] for name, column in drawn.items()})
    while True:
        paths = sorted((folder / "noise").glob("berlin_*.flac"))
        street, _ = read_audio(paths[generator.integers(len(paths))], RATE)
        first = generator.integers(len(street) - length)
        if rms(street[first : first + length]) > 1e-4:
            break
    yield "street", street[first : first + length]
    yield "white", generator.standard_normal(length).astype(np.float32)


def mixes(folder: Path) -> Iterator[Mix]:
    """Every clip under every noise at every SNR, in 16 bits."""
    generator = np.random.default_rng(0)
    for key, (kind, speech) in enumerate(words(folder, generator)):
        for name, noise in noises(folder, len(speech), key, generator):
            factor = Levels(speech, RATE).level("active", True) / rms(noise)
            for snr in TRUE:
                clip = speech + noise * np.float32(factor * 10 ** (-snr / 20))
                clip = clip * np.float32(min(1, 0.9 / np.abs(clip).max()))
                yield kind, name, snr, np.rint(clip * 32768).astype(np.float32) / 32768


def ours(x: np.ndarray) -> float:
    """The attribute."""
    found = SnrEst().measure(Heard(x, RATE))
    return math.nan if found is None else found


def amplitudes(x: np.ndarray) -> float:
    """What WADA-SNR (Kim and Stern 2008) looks up: log mean |x| − mean log |x|."""
    sizes = np.abs(x[x != 0].astype(np.float64))
    return math.log(sizes.mean()) - float(np.log(sizes).mean())


def percentiles(x: np.ndarray) -> float:
    """dB between the 90th and the 10th percentile of the frames' levels."""
    low, high = np.quantile(Heard(x, RATE).powers.sum(axis=1), (0.1, 0.9))
    return 10 * math.log10(high / low)


def main() -> None:
    """Print a table."""
    every = list(mixes(Path(os.environ["SLICEFORGE_DATA"])))
    kinds = sorted({(kind, name) for kind, name, _, _ in every})
    rivals: dict[str, Callable[[np.ndarray], float]] = {
        "snr_est": ours,
        "WADA, fitted": amplitudes,
        "percentiles, fitted": percentiles,
    }
    true = np.array([snr for _, _, snr, _ in every], float)
    for title, estimate in rivals.items():
        found = np.array([estimate(clip) for *_, clip in every])
        if estimate is not ours:  # the straight line that serves it best
            found = np.polyval(np.polyfit(found, true, 1), found)
        error = found - true
        print(
            f"\n{title}: {math.sqrt(np.mean(error**2)):.1f} dB RMS error, rank correlation {_ranked(found, true):.3f}"
        )
        print("| speech | noise | " + " | ".join(f"{snr} dB" for snr in TRUE) + " |")
        print("| --- | --- |" + " ---: |" * len(TRUE))
        for kind, name in kinds:
            cells = []
            for snr in TRUE:
                some = error[[one[:3] == (kind, name, snr) for one in every]]
                cells.append(f"{some.mean():+.1f} ± {some.std():.1f}")
            print(f"| {kind} | {name} | " + " | ".join(cells) + " |")


def _ranked(a: np.ndarray, b: np.ndarray) -> float:
    from scipy.stats import spearmanr

    return float(spearmanr(a, b).statistic)


if __name__ == "__main__":
    main()
