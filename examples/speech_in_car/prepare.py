"""Spoken digits to train on, and others to evaluate on, of which four in ten were mixed with real noise.

python prepare.py CLIPS NOISES OUT     clips are named {label}_{speaker}_{index}.wav; OUT/train.csv, OUT/eval.csv
"""

import csv
import sys
from pathlib import Path

import numpy as np
import soundfile

FIELDS = ("id", "path", "label", "speaker")


def mixed(sound: np.ndarray, rate: int, noise: Path, generator: np.random.Generator) -> np.ndarray:
    """A clip with a piece of a recording under it, at −3 to 8 dB."""
    whole, own = soundfile.read(noise, dtype="float32", always_2d=True)
    whole = whole[:: own // rate].mean(axis=1)
    start = generator.integers(0, len(whole) - len(sound))
    piece = whole[start : start + len(sound)]
    snr = generator.uniform(-3, 8)
    both = sound + piece * np.sqrt((sound**2).mean() / max((piece**2).mean(), 1e-10)) * 10 ** (-snr / 20)
    return 0.7 * both / np.abs(both).max()


def main(clips: str, noises: str, out: str) -> None:
    generator, folder = np.random.default_rng(0), Path(out)
    recordings = sorted(Path(noises).glob("*.flac"))
    rows: dict[str, list[tuple[str, ...]]] = {"train": [], "eval": []}
    for path in sorted(Path(clips).glob("*_*_*.wav")):
        label, speaker, index = path.stem.split("_")
        part = "train" if 5 <= int(index) < 15 else "eval" if int(index) < 5 or 40 <= int(index) < 50 else ""
        if not part:
            continue
        sound, rate = soundfile.read(path, dtype="float32")
        if part == "eval" and generator.random() < 0.4:
            sound = mixed(sound, rate, recordings[generator.integers(len(recordings))], generator)
        (folder / part).mkdir(parents=True, exist_ok=True)
        soundfile.write(folder / part / path.name, sound, rate)
        rows[part].append((path.stem, f"{part}/{path.name}", label, speaker))
    for name, lines in rows.items():
        with (folder / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
            out_file = csv.writer(file)
            out_file.writerows([FIELDS, *lines])
        print(f"{folder / name}.csv: {len(lines)} clips")


if __name__ == "__main__":
    main(*sys.argv[1:])
