"""The panels of an item: its picture under its outline and boxes, or its sound, beside its parent."""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from sliceforge.engine import regions
from sliceforge.engine.codecs import audio
from sliceforge.engine.errors import InputError
from sliceforge.engine.report import figures, sound
from sliceforge.engine.report.image import COLOURS
from sliceforge.engine.report.markup import number, text

SIDE, SECONDS = 512, 20.0
"""Larger images are shown smaller, and longer clips to here."""

PICTURE = 480
"""Pixels of a spectrogram in width."""

ZOOM = 256
"""Pixels that an outline's picture has at least, so that it is thin about small images too."""


def pictures(run: Path, row: Mapping[str, Any], item: np.ndarray, parent: np.ndarray | None) -> str:
    """HTML of an image (H, W, C) under its outline and boxes, after its parent where that could be read."""
    top = max(item.max(), parent.max() if parent is not None else 1, 1) if item.dtype == np.uint16 else 255
    known = f"{row['id']}, {row['label']}" if row.get("label") else str(row["id"])
    over = _outlined(run, row, item) + _boxes(row, item)
    made = f'<span class="panel made">{_picture(item, top, known)}{over}</span>'
    if parent is None:
        return made
    of = ", ".join(row.get("parents") or [])
    return f'<span class="panel parent">{_picture(parent, top, "Parent " + of)}</span>{made}'


def _picture(pixels: np.ndarray, top: float, told: str) -> str:
    eight = np.rint(pixels[..., :3].astype(np.float32) * np.float32(255 / top)).astype(np.uint8)
    picture = Image.fromarray(eight[..., 0] if eight.shape[2] < 3 else eight)
    height, width = pixels.shape[:2]
    kind = "PNG"
    if max(height, width) > SIDE:
        picture.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
        kind = "JPEG" if picture.mode == "RGB" else "PNG"
    small = ' class="small"' if max(height, width) < ZOOM else ""
    return f'<img{small} src="{_embedded(picture, kind)}" width="{width}" height="{height}" alt="{text(told)}">'


def _outlined(run: Path, row: Mapping[str, Any], item: np.ndarray) -> str:
    """The rim of the item's mask, and a tint inside it, as a picture that lies over the item."""
    height, width = item.shape[:2]
    try:
        mask = regions.read_mask(run / row["mask"], height, width) if row.get("mask") else None
    except InputError:
        mask = None
    if mask is None or not mask.any():
        return ""
    # Only a picture of whole cells keeps lines of one pixel where it becomes smaller.
    step = -(-max(height, width) // (2 * SIDE))
    for axis in (0, 1) if step > 1 else ():
        mask = np.logical_or.reduceat(mask, np.arange(0, mask.shape[axis], step), axis=axis)
    zoom = -(-ZOOM // max(mask.shape))
    mask = np.repeat(np.repeat(mask, zoom, axis=0), zoom, axis=1)
    near = _grown(mask)
    rim = _grown(_grown(near)) & ~near
    picture = Image.fromarray(mask * np.uint8(1) + rim * np.uint8(2), "P")
    picture.putpalette([0, 0, 0, *COLOURS[0], *COLOURS[0]])
    shown = _embedded(picture, "PNG", transparency=bytes([0, 44, 255]))
    return f'<img class="over" src="{shown}" width="{width}" height="{height}" alt="">'


def _grown(mask: np.ndarray) -> np.ndarray:
    """The mask (H, W) and the pixels at its sides."""
    grown = mask.copy()
    grown[1:] |= mask[:-1]
    grown[:-1] |= mask[1:]
    grown[:, 1:] |= mask[:, :-1]
    grown[:, :-1] |= mask[:, 1:]
    return grown


def _boxes(row: Mapping[str, Any], item: np.ndarray) -> str:
    height, width = item.shape[:2]
    shapes = []
    for (x0, y0, x1, y1), label in zip(row.get("boxes") or [], row.get("box_labels") or [], strict=False):
        place = f'x="{x0:g}" y="{y0:g}" width="{x1 - x0:g}" height="{y1 - y0:g}"'
        shapes.append(f"<rect {place}><title>{text(label)}</title></rect>")
    if not shapes:
        return ""
    return (
        f'<svg class="over boxes" viewBox="0 0 {width} {height}" preserveAspectRatio="none" aria-hidden="true">'
        f"{''.join(shapes)}</svg>"
    )


def sounds(row: Mapping[str, Any], item: np.ndarray, parent: np.ndarray | None, rate: int) -> str:
    """HTML of a clip (T,), its parent and what was added, each a spectrogram over a player."""
    parts = [("made", "Made", item)]
    if parent is not None:
        parts.insert(0, ("parent", "Parent", parent))
        gain = row.get("got.gain")
        if gain is not None and math.isfinite(gain) and len(parent) == len(item):
            parts.append(("added", "Made less parent", item - np.float32(gain) * parent))
    longest = min(max(len(one) for _, _, one in parts), round(SECONDS * rate))
    return "".join(player(kind, title, one, rate, longest) for kind, title, one in parts)


def player(kind: str, title: str, clip: np.ndarray, rate: int, longest: int) -> str:
    """A clip's spectrogram over its player, under a title of plain text; its first `longest` samples."""
    cut = clip[:longest]
    padded = np.pad(cut, (0, longest - len(cut)))
    picture = Image.fromarray(sound.spectrum_over_time(padded, rate, PICTURE))
    rms = math.sqrt(float(np.mean(np.square(clip, dtype=np.float64)))) if len(clip) else 0.0
    level = f"{number(20 * math.log10(rms))} dBFS" if rms else "silent"
    lasts = f"{len(clip) / rate:.2f} s" + (f", the first {longest / rate:g} s" if len(cut) < len(clip) else "")
    form = "flac" if audio.holds("flac", rate) else "wav"
    values = np.rint(np.clip(cut, -1, 1 - 2.0**-15) * 32768).astype(np.int16)
    data = base64.b64encode(audio.encode(values, rate, form)).decode()
    told = f"{title}: spectrogram of {lasts}, 0 to {rate / 2000:g} kHz"
    played = f'aria-label="{text(title)}" src="data:audio/{form};base64,{data}"'
    return (
        f'<span class="panel {kind}"><span class="title">{text(title)} <small>{lasts}, {level}</small></span>'
        f'<span class="time" data-share="{len(cut) / longest:.4g}">'
        f'<img src="{_embedded(picture, "JPEG")}" width="{PICTURE}" height="{sound.TALL}" '
        f'alt="{text(told)}">{figures.wave(padded)}<i></i></span>'
        f'<audio controls preload="metadata" {played}></audio></span>'
    )


def _embedded(picture: Image.Image, kind: str, **more: Any) -> str:
    buffer = io.BytesIO()
    if kind == "JPEG":
        picture.save(buffer, "JPEG", quality=82)
    else:
        picture.save(buffer, "PNG", compress_level=2, **more)
    return f"data:image/{kind.lower()};base64,{base64.b64encode(buffer.getvalue()).decode()}"
