"""Make the material that the package carries: a dozen spoken commands and two dozen pictures of steel strip.

    python examples/make_material.py [FOLDER]

The pictures need nothing else, and come out the same every time. The clips need the program espeak-ng.
"""

from __future__ import annotations

import csv
import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import soundfile
from scipy.ndimage import gaussian_filter, gaussian_filter1d

from sliceforge.engine.codecs import audio, image
from sliceforge.engine.read import resample

RATE = 16000
SIZE = 200
VOICES = {"theo": "en-gb+m3", "ines": "en-gb+f2", "mara": "en-us+f4", "owen": "en-us+m1"}
SAID = (
    ("theo", "left", "turn left"),
    ("theo", "stop", "please stop"),
    ("theo", "lights", "lights on"),
    ("ines", "right", "turn right"),
    ("ines", "go", "go"),
    ("ines", "window", "open the window"),
    ("mara", "temperature", "temperature up"),
    ("mara", "home", "navigate home"),
    ("mara", "left", "turn left"),
    ("owen", "lights", "lights on"),
    ("owen", "stop", "please stop"),
    ("owen", "right", "turn right"),
)
# Of each coil: mean grey, grain in grey levels, grain length in pixels, roll lines, scale, and the part it belongs to.
COILS = {
    "c01": (138, 3.9, 7.0, 1.7, 0.0, "train"),
    "c02": (124, 3.7, 3.0, 0.9, 8.0, "train"),
    "c03": (106, 4.6, 2.0, 0.6, 11.0, "train"),
    "c04": (156, 3.4, 12.0, 2.3, 0.0, "train"),
    "c05": (131, 4.2, 5.0, 1.3, 4.0, "test"),
    "c06": (114, 4.8, 2.2, 0.9, 8.0, "test"),
}
STRIPS_OF_A_COIL = 4


def spoken(words: str, voice: str) -> np.ndarray:
    """(T,) int16 at 16 kHz: the words, a peak of −6 dBFS, 0.1 s of silence at both ends."""
    command = ["espeak-ng", "-v", voice, "-s", "150", "--stdout", words]
    wave, rate = soundfile.read(io.BytesIO(subprocess.run(command, check=True, capture_output=True).stdout))
    x = resample(wave.astype(np.float32), rate, RATE)
    heard = np.flatnonzero(np.abs(x) > 0.002 * np.abs(x).max())
    x = x[heard[0] : heard[-1] + 1]
    fade = np.linspace(0, 1, RATE // 200)
    x[: len(fade)] *= fade
    x[-len(fade) :] *= fade[::-1]
    x = np.pad(x * (0.5 / np.abs(x).max()), RATE // 10)
    return np.round(x * 32768).astype(np.int16)


def _unit(x: np.ndarray) -> np.ndarray:
    return (x - x.mean()) / x.std()


def strip(coil: str, number: int) -> np.ndarray:
    """(200, 200, 1) uint8: one picture of a strip that runs from top to bottom."""
    mean, grain, length, lines, scale, _ = COILS[coil]
    draw = np.random.Generator(np.random.PCG64([list(COILS).index(coil), number]))

    def noise() -> np.ndarray:
        return draw.standard_normal((SIZE, SIZE))

    y, x = np.mgrid[-1 : 1 : SIZE * 1j, -1 : 1 : SIZE * 1j]

    # Ground into the roll, printed into the strip: streaks over mottle, and what the camera adds.
    streaks = _unit(gaussian_filter(noise(), (0.6, length), mode="wrap"))
    short = _unit(gaussian_filter(noise(), (0.75, 1.0), mode="wrap"))
    mottle = _unit(gaussian_filter(noise(), (3.5, 3.5 + length), mode="wrap"))
    picture = mean + grain * (0.55 * streaks + 0.65 * short + 0.4 * mottle + 0.25 * noise())

    rolled = _unit(gaussian_filter1d(draw.standard_normal(SIZE), 0.8, mode="wrap"))
    broad = _unit(gaussian_filter1d(draw.standard_normal(SIZE), 11.0, mode="wrap"))
    sway = 1 + 0.35 * _unit(gaussian_filter(noise(), (12, 45), mode="wrap"))
    picture += lines * (0.55 * rolled[:, None] * sway + 1.1 * broad[:, None])

    tilt = draw.uniform(-1, 1, 3)
    picture += 9.0 * (tilt[0] * x + tilt[1] * y) - 7.0 * abs(tilt[2]) * (x**2 + 0.6 * y**2)

    # Rolled-in scale: a few dark islands drawn out along the strip, ragged at the edge, fading into the steel.
    cloud = _unit(gaussian_filter(noise(), (5, 14), mode="wrap")) + 0.22 * _unit(gaussian_filter(noise(), (1.2, 2.5)))
    patch = 1 / (1 + np.exp(-6.0 * (cloud - 1.25)))
    speckle = _unit(gaussian_filter(noise(), (0.8, 1.4), mode="wrap"))
    picture += -scale * patch * (1 + 0.3 * speckle)
    # So far it ran from left to right.
    return np.clip(np.round(picture.T), 0, 255).astype(np.uint8)[:, :, None]


def _write_manifest(path: Path, rows: list[dict[str, str]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def make_speech(folder: Path) -> None:
    """The clips and their manifest."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for speaker, label, words in SAID:
        item = f"{label}_{speaker}"
        (folder / f"{item}.flac").write_bytes(audio.encode(spoken(words, VOICES[speaker]), RATE, "flac"))
        split = "test" if speaker == "owen" else "train"
        row = {"id": item, "path": f"{item}.flac", "label": label, "speaker": speaker}
        rows.append(row | {"transcript": words, "split": split})
    _write_manifest(folder / "manifest.csv", sorted(rows, key=lambda row: row["id"]))


def make_strips(folder: Path) -> None:
    """The pictures and their manifest."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for coil in COILS:
        for number in range(1, STRIPS_OF_A_COIL + 1):
            item = f"{coil}_{number:02d}"
            (folder / f"{item}.png").write_bytes(image.encode(strip(coil, number), "png"))
            rows.append({"id": item, "path": f"{item}.png", "label": "clean", "coil": coil, "split": COILS[coil][-1]})
    _write_manifest(folder / "manifest.csv", rows)


if __name__ == "__main__":
    home = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent.parent / "material"
    make_strips(home / "strips")
    make_speech(home / "speech")
