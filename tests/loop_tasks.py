"""Small tasks for the loop: words that are chords, a learner of a second, and what makes some of them weak."""

import csv
import shlex
import sys
from pathlib import Path

import numpy as np
import soundfile

RATE, SAMPLES = 8000, 3840
WORDS = {"ah": (820, 1350), "aw": (700, 1100), "ee": (450, 2300), "eh": (650, 1850), "oo": (500, 850)}

LEARNER = '''\
"""Nine nearest neighbours by log spectra: train.csv, predictions.csv, eval.csv, seed."""
import csv, os, pathlib, sys
import numpy as np

train, predictions, evaluation, seed = sys.argv[1:]
kept = pathlib.Path(__file__).with_name("features")
kept.mkdir(exist_ok=True)

def features(path):
    place = kept / (path.replace("/", "_")[-120:] + ".npy")
    if place.exists():
        return np.load(place)
    import soundfile
    sound, rate = soundfile.read(path)
    power = np.abs(np.fft.rfft(sound[: len(sound) // 256 * 256].reshape(-1, 256), axis=1)) ** 2
    bands = np.log(power.mean(axis=0)[1:129].reshape(32, 4).sum(axis=1) + 1e-6)
    part = place.with_suffix(f".{os.getpid()}.npy")
    np.save(part, bands - bands.mean())
    part.rename(place)
    return bands - bands.mean()

def read(path):
    with open(path, newline="") as file:
        rows = list(csv.DictReader(file))
    return rows, np.array([features(row["path"]) for row in rows])

rows, x = read(train)
keep = np.random.default_rng(int(seed)).random(len(rows)) < 0.9
labels = np.array([row["label"] for row in rows])[keep]
x, classes = x[keep], sorted(set(row["label"] for row in rows))
told, y = read(evaluation)
far = ((y[:, None] - x[None]) ** 2).sum(axis=2)
near = np.argsort(far, axis=1, kind="stable")[:, :9]
vote = 1 / (np.take_along_axis(far, near, axis=1) + 1e-3)
p = np.stack([(vote * (labels[near] == one)).sum(axis=1) for one in classes], axis=1)
p /= p.sum(axis=1, keepdims=True)
with open(predictions, "w", newline="") as file:
    out = csv.writer(file)
    out.writerow(["id", "label", *(f"p_{one}" for one in classes)])
    out.writerows([row["id"], row["label"], *(f"{v:.6f}" for v in q / q.sum())] for row, q in zip(told, p))
'''


def command(folder: Path, learner: str = LEARNER) -> str:
    """The learner's template; its script lies in the folder."""
    script = folder / "learner" / "train.py"
    script.parent.mkdir(exist_ok=True)
    script.write_text(learner, "utf-8")
    return f"{shlex.quote(sys.executable)} {shlex.quote(str(script))} {{train}} {{predictions}} {{eval}} {{seed}}"


def word(label: str, spread: float, generator: np.random.Generator) -> np.ndarray:
    """One clip of a word: breath under two formants, in two syllables; speakers differ by a share of either."""
    formants = [centre * generator.normal(1, spread) for centre in WORDS[label]]
    hertz = np.fft.rfftfreq(SAMPLES, 1 / RATE)
    gain = sum(1 / (1 + ((hertz - centre) / 120) ** 2) for centre in formants)
    sound = np.fft.irfft(gain * np.fft.rfft(generator.normal(0, 1, SAMPLES)), SAMPLES)
    t = np.arange(SAMPLES) / RATE
    sound *= np.clip(np.sin(2 * np.pi * 3 * t + generator.uniform(-0.3, 0.3)), 0, None) ** 0.5
    return sound / np.abs(sound).max() + generator.normal(0, 1e-3, SAMPLES)


def rumble(sound: np.ndarray, snr: float, generator: np.random.Generator) -> np.ndarray:
    """A clip under the rumble of a road, made in another way than Sliceforge makes one."""
    hertz = np.maximum(np.fft.rfftfreq(SAMPLES, 1 / RATE), 30)
    gain = 1 / (1 + (hertz / generator.uniform(150, 400)) ** generator.uniform(0.6, 1.3))
    noise = np.fft.irfft(gain * np.fft.rfft(generator.normal(0, 1, SAMPLES)), SAMPLES)
    return sound + noise * np.sqrt((sound**2).mean() / (noise**2).mean()) * 10 ** (-snr / 20)


def written(
    folder: Path, labels: list[str], seed: int, noisy: float = 0.0, flipped: float = 0.0, spread: float = 0.06
) -> str:
    """A table of clips; some under noise, some with a wrong label. Returns its path."""
    generator = np.random.default_rng(seed)
    folder.mkdir()
    names = sorted(WORDS)
    with (folder / "items.csv").open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(["id", "path", "label", "speaker"])
        for i, label in enumerate(labels):
            sound = word(label, spread, generator)
            if generator.random() < noisy:
                sound = rumble(sound, generator.uniform(-8, 2), generator)
            sound = 0.5 * sound / np.abs(sound).max()
            soundfile.write(folder / f"{i:04}.wav", sound, RATE, subtype="PCM_16")
            given = names[(names.index(label) + 1) % len(names)] if generator.random() < flipped else label
            out.writerow([f"{folder.name}_{i:04}", f"{i:04}.wav", given, f"s{i % 40}"])
    return str(folder / "items.csv")


def noise_task(folder: Path) -> tuple[str, str]:
    """Clean words to train on; half of the evaluated ones under noise."""
    train = written(folder / "train", sorted(WORDS) * 40, 1)
    return train, written(folder / "eval", sorted(WORDS) * 100, 2, noisy=0.5)


def scarce_task(folder: Path) -> tuple[str, str]:
    """One of five words is there six times."""
    labels = [one for one in sorted(WORDS) * 50 if one != "aw"] + ["aw"] * 6
    train = written(folder / "train", labels, 3, spread=0.075)
    return train, written(folder / "eval", sorted(WORDS) * 90, 4, spread=0.075)


def label_task(folder: Path) -> tuple[str, str]:
    """Fifteen in a hundred of the training labels are wrong."""
    train = written(folder / "train", sorted(WORDS) * 50, 5, flipped=0.15)
    return train, written(folder / "eval", sorted(WORDS) * 30, 6)
