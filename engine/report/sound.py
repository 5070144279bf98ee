"""What a made clip looks like beside its parent: spectrograms over levels, and what was added."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from scipy.signal import spectrogram

from sliceforge.engine.gates import Made
from sliceforge.engine.report.sheet import Panel, panel_width

HEAT = np.array(
    [(6, 8, 20), (38, 18, 82), (104, 28, 110), (172, 46, 98), (228, 88, 64), (250, 158, 50), (252, 232, 150)], float
)
"""Colours from silence to full scale, dark to light so that they also read in grey."""

TALL, LEVELS = 150, 84
"""Pixels of a spectrogram, and of the levels under it."""

MINIMUM = 60
"""Pixels that the shortest clip has in width."""

LOWEST_DB = -80.0
ACROSS = 3


def panels(made: Made) -> list[Panel]:
    """Parent, made clip, and the sound that was added, where it can be told."""
    parts = [("parent", made.parent), ("made", made.item)]
    if math.isfinite(made.gain) and len(made.item) == len(made.parent):
        parts.append((f"noise: made minus {made.gain:.3f} · parent", made.item - np.float32(made.gain) * made.parent))
    elif len(made.stems) > 1:
        added = {name: stem for name, stem in made.stems.items() if name != "foreground"}
        parts.append((f"added: {', '.join(added)}", np.sum(list(added.values()), axis=0)))
    longest, width = max(len(audio) for _, audio in parts), panel_width(ACROSS)
    return [
        Panel(picture(audio, made.rate, _share(len(audio), longest, width)), f"{name}   {_summary(audio, made.rate)}")
        for name, audio in parts
    ]


def _share(length: int, longest: int, width: int) -> int:
    """Pixels for a clip, so that one item's panels have one scale of time."""
    return max(MINIMUM, round(width * length / longest))


def picture(audio: np.ndarray, rate: int, width: int) -> np.ndarray:
    """A spectrogram over the levels of audio (T,), (TALL + LEVELS, width, 3) uint8."""
    return np.concatenate([spectrum_over_time(audio, rate, width), level_over_time(audio, rate, width)])


def spectrum_over_time(audio: np.ndarray, rate: int, width: int) -> np.ndarray:
    """A spectrogram of audio (T,), 0 Hz at the bottom, −100 to −20 dB of full scale, (TALL, width, 3) uint8."""
    window = min(max(64, rate // 40), len(audio))
    _, _, power = spectrogram(audio, rate, nperseg=window, noverlap=window * 3 // 4, scaling="spectrum")
    level = np.clip((10 * np.log10(power + 1e-12) + 100) / 80, 0, 1)[::-1]
    at = level * (len(HEAT) - 1)
    low = np.minimum(at.astype(int), len(HEAT) - 2)
    colour = HEAT[low] + (HEAT[low + 1] - HEAT[low]) * (at - low)[..., None]
    shown = Image.fromarray(colour.astype(np.uint8)).resize((width, TALL), Image.Resampling.BILINEAR)
    draw, font = ImageDraw.Draw(shown), ImageFont.load_default(11)
    for share, place in ((1.0, 1), (0.5, TALL // 2 - 7)):
        draw.text((4, place), f"{share * rate / 2000:g} kHz", (235, 235, 235), font)
        if share < 1:
            draw.line((0, TALL // 2, 3, TALL // 2), (235, 235, 235))
    return np.asarray(shown)


def level_over_time(audio: np.ndarray, rate: int, width: int) -> np.ndarray:
    """RMS (dark) and peak (light) of audio (T,) in dBFS over seconds, 0 at the top, (LEVELS, width, 3) uint8."""
    shown = Image.new("RGB", (width, LEVELS), (255, 255, 255))
    draw, font = ImageDraw.Draw(shown), ImageFont.load_default(11)
    tall, seconds = LEVELS - 14, len(audio) / rate
    edges = np.linspace(0, len(audio), width + 1).astype(int)
    for x, (start, end) in enumerate(pairwise(edges.tolist())):
        # A frame is at least 5 ms, so that a short clip's single samples are no levels.
        frame = audio[start : max(end, start + rate // 200)].astype(np.float64)
        peak, rms = np.abs(frame).max(initial=0), math.sqrt(np.mean(frame**2)) if len(frame) else 0.0
        for value, ink in ((peak, (176, 204, 220)), (rms, (24, 92, 132))):
            top = _height(value, tall)
            if top < tall:
                draw.line((x, top, x, tall - 1), ink)
    for level in (-20, -40, -60):
        y = _height(10 ** (level / 20), tall)
        draw.line((0, y, width, y), (206, 206, 206))
        draw.text((3, y - 6), f"{level} dBFS", (50, 50, 50), font, stroke_width=2, stroke_fill=(255, 255, 255))
    step = _step(seconds)
    for mark in np.arange(step, seconds, step):
        x = round(mark / seconds * width)
        draw.line((x, tall, x, tall + 3), (70, 70, 70))
        if x < width - 24:
            draw.text((x + 2, tall), f"{mark:g} s", (70, 70, 70), font)
    draw.line((0, tall, width, tall), (70, 70, 70))
    return np.asarray(shown)


def _height(value: float, tall: int) -> int:
    level = 20 * math.log10(value) if value > 0 else LOWEST_DB
    return round(min(1.0, max(0.0, level / LOWEST_DB)) * tall)


def _step(seconds: float) -> float:
    """Seconds between the marks, so that there are three to eight of them."""
    power = 10.0 ** math.floor(math.log10(max(seconds, 1e-3) / 3))
    return next(round(power * many, 6) for many in (5, 2, 1) if seconds / (power * many) >= 3 or many == 1)


def _summary(audio: np.ndarray, rate: int) -> str:
    rms = math.sqrt(np.mean(audio.astype(np.float64) ** 2)) if len(audio) else 0.0
    level = f"{20 * math.log10(rms):.1f} dBFS" if rms > 0 else "silence"
    return f"{len(audio) / rate:.2f} s, {level}"
