"""Make the material that the package carries: a dozen spoken commands, pictures of steel strip, solar cells and tiles.

    python examples/make_material.py [FOLDER]

The pictures need nothing else, and come out the same every time. The clips need the program espeak-ng.
"""

from __future__ import annotations

import csv
import io
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from scipy.ndimage import gaussian_filter, gaussian_filter1d

from sliceforge.engine.codecs import audio, image
from sliceforge.engine.read import resample

RATE = 16000
SIZE = 200
VOICES = {"theo": "en-gb+m3", "ines": "en-gb+f2", "mara": "en-us+f4", "owen": "en-us+m1"}
SAID = (
    *(("theo", "left", "turn left"), ("theo", "stop", "please stop"), ("theo", "lights", "lights on")),
    *(("ines", "right", "turn right"), ("ines", "go", "go"), ("ines", "window", "open the window")),
    *(("mara", "temperature", "temperature up"), ("mara", "home", "navigate home"), ("mara", "left", "turn left")),
    *(("owen", "lights", "lights on"), ("owen", "stop", "please stop"), ("owen", "right", "turn right")),
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
# Of each module: mean grey of its cells, share that the corners lose, blotches in grey levels, and the part it is in.
MODULES = {
    "m01": (142, 0.22, 4.0, "train"),
    "m02": (118, 0.15, 7.0, "train"),
    "m03": (156, 0.28, 3.0, "train"),
    "m04": (130, 0.18, 5.5, "test"),
}
# Of each lot: mean grey of its tiles, depth of the grinding marks in grey levels, speckle, and the part it is in.
LOTS = {
    "t01": (128, 4.5, 3.0, "train"),
    "t02": (104, 6.5, 4.0, "train"),
    "t03": (148, 3.5, 2.5, "train"),
    "t04": (116, 5.5, 3.5, "test"),
}
PICTURES_OF_EACH = 2
BUSBARS = 3


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


def _smooth(draw: np.random.Generator, sigma: float | tuple[float, float]) -> np.ndarray:
    return _unit(gaussian_filter(draw.standard_normal((SIZE, SIZE)), sigma, mode="wrap"))


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


def cell(module: str, number: int) -> np.ndarray:
    """(200, 200, 1) uint8: a monocrystalline solar cell shining in electroluminescence, its busbars lying across."""
    mean, vignette, blotch, _ = MODULES[module]
    draw = np.random.Generator(np.random.PCG64([100 + list(MODULES).index(module), number]))
    smooth = partial(_smooth, draw)
    y, x = np.mgrid[-1 : 1 : SIZE * 1j, -1 : 1 : SIZE * 1j]

    # The silicon: brightest around the middle, with rings from the crystal's growth and blotches from its surface.
    off_x, off_y = draw.uniform(-0.25, 0.25, 2)
    light = 1 - vignette * ((x - off_x) ** 2 + (y - off_y) ** 2)
    rings = 0.006 * np.sin(2 * np.pi * (4 * np.hypot(x - off_x, y - off_y) + draw.random()))
    picture = mean * (light + rings) + blotch * (0.7 * smooth(22) + 0.3 * smooth(5))
    # Fingers shade what is under them; one collects better than the next, and better near a busbar.
    spacing = SIZE / 50
    phase = (np.arange(SIZE) + 0.5) / spacing % 1
    fingers = np.exp(-(((phase - 0.5) * spacing / 0.7) ** 2))
    finger = np.repeat(draw.standard_normal(50), 4)[:SIZE]
    from_busbar = np.abs((np.arange(SIZE)[:, None] + 0.5) / SIZE * BUSBARS % 1 - 0.5)
    picture = picture - 5.5 * fingers - 1.6 * gaussian_filter1d(finger, 1.0) - 9.0 * from_busbar
    # Busbars and the chamfered corners are dark; light from the silicon spills over them.
    silicon = np.where(from_busbar < 0.015 * BUSBARS, 0.34 + 0.02 * smooth((0.8, 6)), 1.0)
    silicon = np.where(np.maximum(np.abs(x), np.abs(y)) > 0.985, 0.3, silicon)
    silicon = np.where(np.abs(x) + np.abs(y) > 1.84, 0.12, silicon)
    picture = gaussian_filter(picture * silicon, 0.6) + 0.02 * mean
    picture += 2.2 * draw.standard_normal((SIZE, SIZE)) + 0.8 * smooth(0.8)
    return np.clip(np.round(picture), 0, 255).astype(np.uint8)[:, :, None]


def tile(lot: str, number: int) -> np.ndarray:
    """(200, 200, 1) uint8: the ground face of a magnetic tile, ground from top to bottom."""
    mean, marks, speckle, _ = LOTS[lot]
    draw = np.random.Generator(np.random.PCG64([200 + list(LOTS).index(lot), number]))
    smooth = partial(_smooth, draw)
    y, x = np.mgrid[-1 : 1 : SIZE * 1j, -1 : 1 : SIZE * 1j]

    # Grains of the wheel leave marks of any length; the tile is curved, so that the light falls off to two sides.
    ground = 0.7 * smooth((28, 0.6)) + 0.5 * smooth((9, 0.9)) + 0.45 * smooth((60, 2.2))
    bend = draw.uniform(-0.3, 0.3)
    picture = mean * (1 - 0.14 * (x - bend) ** 2 + draw.uniform(-0.03, 0.03) * y) + marks * ground
    # Pores between the sintered grains, and what the camera adds.
    pores = np.maximum(smooth((0.8, 0.8)) - 1.7, 0)
    picture += speckle * (0.5 * smooth((0.7, 0.7)) - 2.2 * pores) + 1.8 * draw.standard_normal((SIZE, SIZE))
    return np.clip(np.round(picture), 0, 255).astype(np.uint8)[:, :, None]


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


def make_pictures(folder: Path, group: str, groups: dict[str, Any], each: int, picture: Any) -> None:
    """The pictures of some groups, `each` of every one, and their manifest."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for name in groups:
        for number in range(1, each + 1):
            item = f"{name}_{number:02d}"
            (folder / f"{item}.png").write_bytes(image.encode(picture(name, number), "png"))
            rows.append({"id": item, "path": f"{item}.png", "label": "clean", group: name, "split": groups[name][-1]})
    _write_manifest(folder / "manifest.csv", rows)


if __name__ == "__main__":
    home = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent.parent / "material"
    make_pictures(home / "strips", "coil", COILS, STRIPS_OF_A_COIL, strip)
    make_pictures(home / "cells", "module", MODULES, PICTURES_OF_EACH, cell)
    make_pictures(home / "tiles", "lot", LOTS, PICTURES_OF_EACH, tile)
    make_speech(home / "speech")
