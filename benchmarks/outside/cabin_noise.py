"""Do made cabin noises differ from each other as much as recordings do, octave by octave?

python benchmarks/outside/cabin_noise.py RECORDINGS docs/cabin_noise_bands.png docs/cabin_noise_cars.png

RECORDINGS: a folder of FLAC or WAV. 500 noises of 4 s of speech/car_noise against excerpts of 4 s of the recordings:
levels in octave bands, in dB of the power from 22 Hz to 5.7 kHz. Of recordings only percentiles are drawn and printed.
The second picture shows one noise of each recipe of a car.
"""

from __future__ import annotations

import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import soundfile
from PIL import Image, ImageDraw, ImageFont
from scipy.signal import butter, resample_poly, sosfiltfilt, welch

from sliceforge.engine.compose import load_recipe
from sliceforge.engine.keys import Keys
from sliceforge.engine.op import Shapes, Source
from sliceforge.engine.report.sound import picture

RATE, SECONDS, MADE = 16000, 4, 500
MIDDLES = np.array([31.5, 63, 125, 250, 500, 1000, 2000, 4000])
CARS = ("car_noise", "car_city", "car_highway", "car_cobbles", "car_hvac", "car_window")
QUANTILES = (0, 5, 50, 95, 100)
INK, PAPER, LIGHT, MIDDLE, DARK, REAL = "#1c2026", "#fafaf8", "#cfe0ea", "#8fb8cf", "#185c84", "#b4521e"


def octaves(x: np.ndarray) -> np.ndarray:
    """dB of each band against all of them."""
    hertz, power = welch(x, RATE, nperseg=8192)
    edges = np.array([MIDDLES[0] / 2**0.5, *(MIDDLES * 2**0.5)])
    bands = np.array([power[(hertz >= a) & (hertz < b)].sum() for a, b in pairwise(edges)])
    return 10 * np.log10(bands / bands.sum())


def unrest(x: np.ndarray, low: float, high: float) -> tuple[float, float]:
    """Of a band: the standard deviation in dB of the levels of 100 ms, and the kurtosis."""
    y = sosfiltfilt(butter(4, (low, high), "bandpass", fs=RATE, output="sos"), x)[RATE // 10 : -RATE // 10]
    power = np.mean(y.reshape(-1, RATE // 10) ** 2, 1)
    return float(np.std(10 * np.log10(power + 1e-15))), float(np.mean(y**4) / np.mean(y**2) ** 2)


def noises(name: str, count: int) -> list[np.ndarray]:
    """(T,) each: what the cabin step of a recipe makes."""
    recipe, none = load_recipe(f"speech/{name}"), np.zeros(count, np.int64)
    shapes = Shapes(none + SECONDS * RATE, none + RATE, none, none)
    plan = recipe.draw(Keys.of(7, [f"noise {i}" for i in range(count)]), shapes)
    op = recipe.step("cabin").op
    assert isinstance(op, Source)
    own = {key.removeprefix("cabin."): column for key, column in plan.items() if key.startswith("cabin.")}
    return [op.wave(SECONDS * RATE, RATE, **{key: column[i] for key, column in own.items()}) for i in range(count)]


def excerpts(folder: Path) -> list[list[np.ndarray]]:
    """Of each recording its excerpts, mono at RATE."""
    found = []
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() in {".flac", ".wav"}:
            x, rate = soundfile.read(path, always_2d=True)
            x = resample_poly(x.mean(1), RATE, rate) if rate != RATE else x.mean(1)
            found.append([x[i : i + SECONDS * RATE] for i in range(0, len(x) - SECONDS * RATE + 1, SECONDS * RATE)])
    return found


def bands_picture(made: np.ndarray, real: np.ndarray) -> Image.Image:
    """Percentiles of made noises as bands; of recordings a bar from 5 to 95 % and a tick at the median."""
    left, top, wide, tall, lowest = 64, 40, 560, 340, -50.0
    shown = Image.new("RGB", (left + wide + 24, top + tall + 76), PAPER)
    draw, font = ImageDraw.Draw(shown), ImageFont.load_default(13)

    def at(i: float, level: float) -> tuple[float, float]:
        return left + wide * (i + 0.5) / len(MIDDLES), top + tall * min(level / lowest, 1)

    for low, high, ink in ((0, 100, LIGHT), (5, 95, MIDDLE)):
        under, over = np.percentile(made, (low, high), axis=0)
        edge = [at(i, level) for i, level in enumerate(over)] + [at(i, level) for i, level in enumerate(under)][::-1]
        draw.polygon(edge, ink)
    draw.line([at(i, level) for i, level in enumerate(np.median(made, 0))], DARK, 3)
    for i, (under, middle, over) in enumerate(np.percentile(real, (5, 50, 95), axis=0).T):
        draw.line([at(i, under), at(i, over)], REAL, 3)
        x, y = at(i, middle)
        draw.line([(x - 8, y), (x + 8, y)], REAL, 3)
    for level in range(0, int(lowest) - 1, -10):
        y = at(0, level)[1]
        draw.line([(left, y), (left + wide, y)], "#d0d0cc")
        draw.text((left - 8, y), f"{level}", INK, font, anchor="rm")
    for i, middle in enumerate(MIDDLES):
        draw.text((at(i, 0)[0], top + tall + 8), f"{middle:g}", INK, font, anchor="ma")
    draw.text((left, 14), "level in octave bands, dB of the whole; band's middle in Hz", INK, font)
    legend = f"{len(made)} made noises: all, 5 to 95 %, median", "recordings: 5 to 95 %, median"
    draw.text((left, top + tall + 30), legend[0], DARK, font)
    draw.text((left, top + tall + 50), legend[1], REAL, font)
    return shown


def cars_picture() -> Image.Image:
    """A spectrogram and the levels of one noise of each recipe, two beside each other."""
    font, panels = ImageFont.load_default(13), []
    for name in CARS:
        panel = Image.new("RGB", (492, 258), PAPER)
        panel.paste(Image.fromarray(picture(noises(name, 4)[-1] * np.float32(0.05), RATE, 480)), (6, 22))
        ImageDraw.Draw(panel).text((6, 4), f"speech/{name}, its noise alone", INK, font)
        panels.append(np.asarray(panel))
    return Image.fromarray(np.concatenate([np.concatenate(panels[i : i + 2], 1) for i in range(0, len(CARS), 2)]))


def main(folder: Path, bands: Path, cars: Path) -> None:
    """Print percentiles, draw them, and fail where the made ones do not cover the recordings."""
    sounds, recordings = noises("car_noise", MADE), excerpts(folder)
    heard = [x for one in recordings for x in one]
    made, real = np.array([octaves(x) for x in sounds]), np.array([octaves(x) for x in heard])
    print(f"{len(recordings)} recordings, {len(real)} excerpts of {SECONDS} s; {MADE} made noises")
    print(
        "band, Hz   recordings"
        + "".join(f"{q:>7} %" for q in QUANTILES)
        + "   made"
        + 5 * "        "
        + "inside  covers"
    )
    inside = (real >= made.min(0)) & (real <= made.max(0))
    fine = True
    for i, middle in enumerate(MIDDLES):
        ours, theirs = np.percentile(made[:, i], QUANTILES), np.percentile(real[:, i], QUANTILES)
        reached = ours[0] <= theirs[1] and ours[-1] >= theirs[-2] and ours[3] - ours[1] >= theirs[3] - theirs[1]
        spread = ours[3] - ours[1], theirs[3] - theirs[1]
        fine &= reached
        numbers = "".join(f"{level:9.1f}" for level in (*theirs, *ours))
        print(f"{middle:8g}{numbers}{100 * inside[:, i].mean():8.0f} %  {'yes' if reached else 'NO'}", end="")
        print(f"   5 to 95 %: made {spread[0]:.1f}, recordings {spread[1]:.1f} dB")
    print(f"excerpts with every band inside: {100 * inside.all(1).mean():.0f} %")
    near = np.array([np.abs(made - one).max(1).min() for one in real])
    apart = np.array([np.sort(np.abs(made - one).max(1))[1] for one in made])
    for who, each in (("recording", near), ("other made one", apart)):
        middle, far = np.percentile(each, (50, 95))
        print(f"worst band against the nearest made noise, {who}: median {middle:.1f}, 95 % {far:.1f} dB")
    for low, high in ((500, 2000), (2000, 7000)):
        for who, group in (("recordings", heard), ("made", sounds)):
            swing, peaks = np.median([unrest(x, low, high) for x in group], axis=0)
            print(f"{low} to {high} Hz, {who}: levels of 100 ms vary by {swing:.1f} dB, kurtosis {peaks:.1f} (medians)")
    bands_picture(made, real).save(bands, optimize=True)
    cars_picture().quantize(64).save(cars, optimize=True)
    print("the made ones cover the recordings" if fine else "the made ones do not cover the recordings")
    if not fine:
        raise SystemExit(1)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:4]))
