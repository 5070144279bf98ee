"""Contact sheets: rows of panels under their captions, as one picture."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from PIL import Image, ImageDraw, ImageFont

INK, PAPER, FAINT, GOOD, BAD = (28, 32, 38), (250, 250, 248), (92, 98, 106), (0, 112, 80), (186, 32, 24)

GAP, EDGE = 12, 18

SIGNS = {"\u00a0": " ", "−": "-", "–": "-", "×": "x", "≥": ">=", "ß": "ss", "ł": "l", "ø": "o", "æ": "ae", "œ": "oe"}

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont
Colour = tuple[int, int, int]


@dataclass(frozen=True)
class Panel:
    """One picture and the line under it.

    Args:
        pixels: (H, W, 3) uint8.
        caption: what it shows.
        legend: (word, colour) of each colour in it, put after the caption.
    """

    pixels: np.ndarray
    caption: str = ""
    legend: Sequence[tuple[str, Colour]] = ()


@dataclass(frozen=True)
class Row:
    """One item: lines of text over panels that stand side by side.

    Args:
        title: the first line.
        state: what became of it, after the title.
        good: whether that is what was wanted.
        lines: further lines.
        panels: its pictures.
        across: panels beside each other; the others follow below.
    """

    title: str
    state: str = ""
    good: bool = True
    lines: Sequence[str] = ()
    panels: Sequence[Panel] = ()
    across: int = 4


@dataclass(frozen=True)
class _Fonts:
    title: Font = field(default_factory=lambda: ImageFont.load_default(16))
    text: Font = field(default_factory=lambda: ImageFont.load_default(13))


def panel_width(across: int, columns: int = 1, width: int = 1200) -> int:
    """Pixels that each of `across` panels has in a sheet of `columns`."""
    return (_cell_width(columns, width) - GAP * (across - 1)) // across


def sheet(heading: str, rows: Sequence[Row], columns: int = 1, width: int = 1200) -> Image.Image:
    """All rows under a heading, `columns` rows beside each other, `width` pixels wide."""
    fonts = _Fonts()
    top = Image.new("RGB", (width - 2 * EDGE, 26), PAPER)
    ImageDraw.Draw(top).text((0, 2), _cut(heading, top.width, fonts.title), INK, fonts.title)
    cells = [_cell(row, _cell_width(columns, width), fonts) for row in rows]
    lines = [[top], *(cells[i : i + columns] for i in range(0, len(cells), columns))]
    heights = [max(one.height for one in line) for line in lines]
    whole = Image.new("RGB", (width, sum(heights) + EDGE * (len(lines) + 1)), PAPER)
    y = EDGE
    for line, height in zip(lines, heights, strict=True):
        x = EDGE
        for one in line:
            whole.paste(one, (x, y))
            x += one.width + EDGE
        y += height + EDGE
    return whole


def _cell_width(columns: int, width: int) -> int:
    return (width - EDGE * (columns + 1)) // columns


def _cell(row: Row, width: int, fonts: _Fonts) -> Image.Image:
    """A row as a picture of its own."""
    lines = [part for line in row.lines for part in wrapped(line, width, fonts.text)]
    stacked = [row.panels[i : i + row.across] for i in range(0, len(row.panels), row.across)]
    heights = [max(panel.pixels.shape[0] for panel in panels) + 24 for panels in stacked]
    state = wrapped(row.state, width, fonts.text)
    title = _cut(row.title, width, fonts.title)
    beside = fonts.title.getlength(title) + 14 + fonts.text.getlength(drawable(row.state)) <= width
    top = 32 + 17 * (len(lines) + (0 if beside else len(state)))
    cell = Image.new("RGB", (width, top + sum(heights)), PAPER)
    draw = ImageDraw.Draw(cell)
    draw.line((0, 0, width, 0), (214, 214, 208))
    draw.text((0, 5), title, INK, fonts.title)
    y, colour = 26, GOOD if row.good else BAD
    if beside:
        draw.text((fonts.title.getlength(title) + 14, 7), drawable(row.state), colour, fonts.text)
    for text, ink in [*((one, colour) for one in ([] if beside else state)), *((one, FAINT) for one in lines)]:
        draw.text((0, y), text, ink, fonts.text)
        y += 17
    each = (width - GAP * (row.across - 1)) // row.across
    y = top
    for panels, height in zip(stacked, heights, strict=True):
        for i, panel in enumerate(panels):
            _put(cell, panel, (i * (each + GAP), y, each), fonts)
        y += height
    return cell


def _put(cell: Image.Image, panel: Panel, place: tuple[int, int, int], fonts: _Fonts) -> None:
    x, y, width = place
    draw = ImageDraw.Draw(cell)
    cell.paste(Image.fromarray(panel.pixels), (x, y))
    y, end = y + panel.pixels.shape[0] + 3, x + width
    for text, ink in [(panel.caption, FAINT), *panel.legend]:
        text = _cut(text, end - x, fonts.text)
        draw.text((x, y), text, ink, fonts.text)
        x += round(fonts.text.getlength(text)) + 6


def wrapped(text: str, width: float, font: Font) -> list[str]:
    """Lines that are no wider than `width`, broken between words."""
    lines: list[str] = []
    for word in map(drawable, text.split(" ") if text else []):
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and font.getlength(longer) <= width:
            lines[-1] = longer
        else:
            lines.append(_cut(word, width, font))
    return lines


def drawable(text: str) -> str:
    """The text in what the font that comes with Pillow has: accents are left out, other scripts are question marks.

    >>> drawable("Öffner−1"), drawable("停 ~1")
    ('Offner-1', '? ~1')
    """
    plain = unicodedata.normalize("NFD", "".join(SIGNS.get(sign, sign) for sign in text))
    return "".join(
        sign if " " <= sign <= "~" or sign in "·…“”‘°±" else "?" for sign in plain if not unicodedata.combining(sign)
    )


def _cut(text: str, width: float, font: Font) -> str:
    """The text as it can be drawn, or its beginning and … where it is wider."""
    text = drawable(text)
    if font.getlength(text) <= width:
        return text
    while text and font.getlength(f"{text}…") > width:
        text = text[:-1]
    return f"{text}…" if text else ""
