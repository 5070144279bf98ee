"""Contact sheets: what went in and what came out, beside each other, as one picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from scipy.ndimage import binary_dilation
from scipy.signal import spectrogram

INK, PAPER, FAINT = (28, 32, 38), (250, 250, 248), (110, 116, 124)

HEAT = np.array(
    [(6, 8, 20), (38, 18, 82), (104, 28, 110), (172, 46, 98), (228, 88, 64), (250, 158, 50), (252, 232, 150)], float
)
"""Colours from silence to full scale, dark to light so that they also read in grey."""

GAP = 12

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


@dataclass(frozen=True)
class Panel:
    """One picture of a row and the line under it; `pixels` is (H, W, 3) uint8."""

    pixels: np.ndarray
    caption: str = ""


@dataclass(frozen=True)
class Row:
    """One item: panels side by side under a title."""

    title: str
    panels: Sequence[Panel]


def rgb(image: np.ndarray, size: int = 0) -> np.ndarray:
    """(H, W, C) of 0…1 as (H, W, 3) uint8, its longer side brought to `size` pixels in whole steps of its own."""
    eight = np.rint(np.clip(image[..., :3], 0, 1) * 255).astype(np.uint8)
    eight = np.repeat(eight, 3, axis=2) if eight.shape[2] == 1 else eight
    if not size:
        return eight
    height, width = eight.shape[:2]
    scale = size / max(height, width)
    way = Image.Resampling.LANCZOS if scale < 1 else Image.Resampling.NEAREST
    return np.asarray(Image.fromarray(eight).resize((max(1, round(width * scale)), max(1, round(height * scale))), way))


def overlay(image: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """The image (H, W, C) of 0…1 with the rim of a mask (H, W) in colour, (H, W, 3)."""
    shown = np.repeat(image[..., :1], 3, axis=2) if image.shape[2] < 3 else image[..., :3].copy()
    rim = binary_dilation(mask) & ~mask
    shown = shown.copy()
    shown[rim] = (0.95, 0.25, 0.15)
    return shown


def change(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """What changed, (H, W, C) around middle grey, eight times as strong."""
    return np.clip(0.5 + 8 * (after - before), 0, 1)


def spectrum_over_time(audio: np.ndarray, rate: int, width: int = 260, height: int = 150) -> np.ndarray:
    """A spectrogram of audio (T,), 0 Hz at the bottom, −100 to −20 dB of full scale, (height, width, 3) uint8."""
    window = min(max(64, rate // 40), len(audio))
    _, _, power = spectrogram(audio, rate, nperseg=window, noverlap=window * 3 // 4, scaling="spectrum")
    level = np.clip((10 * np.log10(power + 1e-12) + 100) / 80, 0, 1)[::-1]
    at = level * (len(HEAT) - 1)
    low = np.minimum(at.astype(int), len(HEAT) - 2)
    colour = HEAT[low] + (HEAT[low + 1] - HEAT[low]) * (at - low)[..., None]
    return np.asarray(Image.fromarray(colour.astype(np.uint8)).resize((width, height), Image.Resampling.BILINEAR))


def sheet(rows: Sequence[Row], columns: int = 1, width: int = 1200) -> Image.Image:
    """All rows as one picture, `columns` rows beside each other, at most `width` pixels wide."""
    font, small = ImageFont.load_default(15), ImageFont.load_default(12)
    cell = (width - GAP * (columns + 1)) // columns
    cells = [_cell(row, cell, font, small) for row in rows]
    lines = [cells[i : i + columns] for i in range(0, len(cells), columns)]
    heights = [max(one.height for one in line) for line in lines]
    whole = Image.new("RGB", (width, sum(heights) + GAP * (len(lines) + 1)), PAPER)
    y = GAP
    for line, height in zip(lines, heights, strict=True):
        for i, one in enumerate(line):
            whole.paste(one, (GAP + i * (cell + GAP), y))
        y += height + GAP
    return whole


def _cell(row: Row, width: int, font: Font, small: Font) -> Image.Image:
    each = (width - GAP * (len(row.panels) - 1)) // len(row.panels)
    scale = min(1.0, *(each / panel.pixels.shape[1] for panel in row.panels))
    pictures = [
        Image.fromarray(panel.pixels).resize(
            (round(panel.pixels.shape[1] * scale), round(panel.pixels.shape[0] * scale))
        )
        for panel in row.panels
    ]
    top, tall = 24, max(picture.height for picture in pictures)
    cell = Image.new("RGB", (width, top + tall + 20), PAPER)
    draw = ImageDraw.Draw(cell)
    draw.text((0, 0), row.title, INK, font)
    for i, (panel, picture) in enumerate(zip(row.panels, pictures, strict=True)):
        x = i * (each + GAP)
        cell.paste(picture, (x, top))
        draw.text((x, top + tall + 3), panel.caption, FAINT, small)
    return cell
