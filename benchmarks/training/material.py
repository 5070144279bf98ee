"""What the trainings read: files of the examples' own rate and size, so that nobody has to resample or resize."""

from __future__ import annotations

import importlib
import itertools
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import soundfile
from PIL import Image

from sliceforge.engine.codecs import audio, image
from sliceforge.engine.manifest import read
from sliceforge.engine.read import read_audio

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
PATTERN = "{label}_{number}"
NOISES, NOISE_SECONDS = 8, 30


def example(name: str) -> ModuleType:
    """An example as a module: its network, what it sees of a batch."""
    if str(EXAMPLES) not in sys.path:
        sys.path.insert(0, str(EXAMPLES))
    return importlib.import_module(name)


def _files(data: Path | None, kind: str, items: int) -> list[tuple[Path, str]]:
    """(file, label) as often as it takes, from a folder or from what comes with the package."""
    if data is None:
        known = read(None, kind)
        columns = (known.table[name].to_pylist() for name in ("path", "label"))
        found = [(known.root / path, label) for path, label in zip(*columns, strict=True)]
    elif kind == "audio":
        found = [(path, path.name.split("_")[0]) for path in sorted(data.glob("*.wav"))]
    else:
        found = [(path, path.parent.name) for path in sorted(data.glob("*/*.*"))]
    # Spread over all of it where there is more than is asked for.
    found = found[:: max(1, len(found) // items)]
    return list(itertools.islice(itertools.cycle(found), items))


def speech(data: Path | None, folder: Path, rate: int, items: int) -> Path:
    """Clips, 16-bit WAV."""
    folder.mkdir(parents=True)
    for number, (path, label) in enumerate(_files(data, "audio", items)):
        (folder / f"{label}_{number}.wav").write_bytes(audio.encode(_whole(read_audio(path, rate)[0]), rate, "wav"))
    return folder


def noises(folder: Path, rate: int) -> Path:
    """Noise whose spectrum falls, 16-bit WAV: a bank for those who have no cabin of their own."""
    folder.mkdir(parents=True)
    generator = np.random.default_rng(5)
    for number in range(NOISES):
        dull = np.convolve(generator.standard_normal(NOISE_SECONDS * rate), np.exp(-np.arange(64) / 12), "same")
        wave = np.clip(0.1 * dull / dull.std(), -0.99, 0.99).astype(np.float32)
        soundfile.write(folder / f"noise{number}.wav", wave, rate, subtype="PCM_16")
    return folder


def steel(data: Path | None, folder: Path, side: int, items: int) -> Path:
    """Grey pictures of one size in class folders, PNG; built-in strip has its coil for a class."""
    for number, (path, label) in enumerate(_files(data, "image", items)):
        label = label if data else path.stem[:3]
        small = Image.open(path).convert("L").resize((side, side), Image.Resampling.BILINEAR)
        place = folder / label / f"{number}.png"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(image.encode(np.asarray(small)[:, :, None], "png"))
    return folder


def _whole(x: np.ndarray) -> np.ndarray:
    return np.clip(np.rint(x * 32768), -32768, 32767).astype(np.int16)
