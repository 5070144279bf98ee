"""Spoken words to train on, and others to evaluate on, of which four in ten are under noise.

python prepare.py OUT                  takes of the clips that come with Sliceforge, under made noise
python prepare.py OUT CLIPS NOISES     clips named {label}_{speaker}_{index}.wav, under recordings in FLAC

OUT/train.csv and OUT/eval.csv name them: id, path, label, speaker.
"""

import csv
import sys
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import numpy as np
import soundfile

RATE, TAKES = 8000, 60
FIELDS = ("id", "path", "label", "speaker")


def read(path: Path, speed: float = 1.0) -> np.ndarray:
    """A recording at `RATE`, (T,), spoken so many times as fast."""
    sound, rate = soundfile.read(path, always_2d=True)
    count = round(len(sound) * RATE / rate / speed)
    return np.fft.irfft(np.fft.rfft(sound.mean(axis=1))[: count // 2 + 1], count)


def takes(generator: np.random.Generator) -> Iterator[tuple[str, str, int, np.ndarray]]:
    """Label, speaker, index and sound of each clip that comes along, as others might have said it: faster or slower."""
    folder = Path(str(files("sliceforge.material"))) / "speech"
    for clip in sorted(folder.glob("*.flac")):
        for index in range(TAKES):
            sound = read(clip, generator.uniform(0.85, 1.18))
            yield (
                *clip.stem.split("_"),
                index,
                0.3 * sound / np.abs(sound).max() + generator.normal(0, 1e-3, len(sound)),
            )


def recorded(clips: Path) -> Iterator[tuple[str, str, int, np.ndarray]]:
    """Label, speaker, index and sound of each clip of a folder."""
    for path in sorted(clips.glob("*_*_*.wav")):
        label, speaker, index = path.stem.split("_")
        yield label, speaker, int(index), read(path)


def street(generator: np.random.Generator) -> np.ndarray:
    """Ten seconds of a rumble that swells, (T,)."""
    hertz = np.fft.rfftfreq(10 * RATE, 1 / RATE)
    gain = 1 / (1 + (hertz / generator.uniform(150, 500)) ** generator.uniform(0.6, 1.3))
    swell = 1 + 0.5 * np.sin(2 * np.pi * generator.uniform(0.1, 0.5) * np.arange(10 * RATE) / RATE)
    return swell * np.fft.irfft(gain * np.fft.rfft(generator.normal(0, 1, 10 * RATE)))


def mixed(sound: np.ndarray, noise: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """A clip with a piece of noise under it, at −3 to 8 dB."""
    start = generator.integers(0, len(noise) - len(sound))
    piece, snr = noise[start : start + len(sound)], generator.uniform(-3, 8)
    both = sound + piece * np.sqrt((sound**2).mean() / max((piece**2).mean(), 1e-10)) * 10 ** (-snr / 20)
    return 0.7 * both / np.abs(both).max()


def main(out: str, clips: str = "", noises: str = "") -> None:
    generator, folder = np.random.default_rng(0), Path(out)
    sounds = (
        [read(path) for path in sorted(Path(noises).glob("*.flac"))]
        if noises
        else [street(generator) for _ in range(20)]
    )
    rows: dict[str, list[tuple[str, ...]]] = {"train": [], "eval": []}
    for label, speaker, index, sound in recorded(Path(clips)) if clips else takes(generator):
        part = "train" if 5 <= index < 15 else "eval" if index < 5 or 40 <= index < 60 else ""
        if not part:
            continue
        if part == "eval" and generator.random() < 0.4:
            sound = mixed(sound, sounds[generator.integers(len(sounds))], generator)
        (folder / part).mkdir(parents=True, exist_ok=True)
        name = f"{label}_{speaker}_{index}"
        soundfile.write(folder / part / f"{name}.wav", sound, RATE)
        rows[part].append((name, f"{part}/{name}.wav", label, speaker))
    for part, lines in rows.items():
        with (folder / f"{part}.csv").open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([FIELDS, *lines])
        print(f"{folder / part}.csv: {len(lines)} clips")


if __name__ == "__main__":
    main(*sys.argv[1:])
