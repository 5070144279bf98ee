"""What a made image looks like beside its parent: both, its label, and what changed."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw
from scipy.ndimage import binary_dilation

from sliceforge.engine.gates import Made
from sliceforge.engine.report.sheet import Colour, Panel, panel_width

COLOURS: tuple[Colour, ...] = ((213, 62, 0), (0, 114, 178), (0, 140, 100), (184, 70, 140), (150, 120, 0))
"""Of the labels in turn: told apart by every eye."""

SMALL, WIDE = 64, 2.2
"""Images of at most 64 pixels stand two rows beside each other; wider ones than 2.2 : 1 two panels to a line."""


def columns(images: list[Made]) -> int:
    """How many rows of a sheet fit beside each other."""
    return 2 if images and all(max(made.item.shape[:2]) <= SMALL for made in images) else 1


def across(made: Made) -> int:
    """How many panels of an item fit beside each other."""
    height, width = made.item.shape[:2]
    return 2 if width > WIDE * height else 4


def panels(made: Made, beside: int = 1) -> list[Panel]:
    """Parent, made item, the made item's label, and the difference where both are of one size.

    Args:
        made: an image.
        beside: rows of the sheet that stand beside each other.
    """
    side = panel_width(across(made), beside)
    # An image of 16 bits may use 12 of them.
    top = max(made.parent.max(), made.item.max(), 1) if made.item.dtype == np.uint16 else 255
    before, after = made.parent / np.float32(top), made.item / np.float32(top)
    shown = [Panel(pixels(before, side), "parent"), Panel(pixels(after, side), f"made, {_size(made.item)}")]
    marked, legend = overlay(after, made, side)
    if legend:
        shown.append(Panel(marked, "label:" if beside == 1 else "", legend))
    if before.shape == after.shape:
        strength = amplification(before, after)
        shown_as = f", {strength} times" if strength > 1 else ""
        shown.append(Panel(pixels(0.5 + strength * (after - before), side), f"made minus parent{shown_as}"))
    return shown


def pixels(image: np.ndarray, side: int) -> np.ndarray:
    """(H, W, C) of 0…1 as (h, w, 3) uint8, its longer side brought to `side` pixels."""
    eight = np.rint(np.clip(image[..., :3], 0, 1) * 255).astype(np.uint8)
    eight = np.repeat(eight[..., :1], 3, axis=2) if eight.shape[2] < 3 else eight
    return np.asarray(_resized(Image.fromarray(eight), side))


def _resized(picture: Image.Image, side: int) -> Image.Image:
    scale = side / max(picture.size)
    way = Image.Resampling.LANCZOS if scale < 1 else Image.Resampling.NEAREST
    return picture.resize((max(1, round(picture.width * scale)), max(1, round(picture.height * scale))), way)


def overlay(image: np.ndarray, made: Made, side: int) -> tuple[np.ndarray, list[tuple[str, Colour]]]:
    """The image with the rim of each mask and every box in a colour of its own, and the (name, colour) of each.

    The rims lie outside what they mark, and are as wide in a small panel as in a large one.
    """
    canvas = pixels(image, side).copy()
    height, width = canvas.shape[:2]
    legend = []
    for (name, mask), colour in zip(made.masks.items(), COLOURS * len(made.masks), strict=False):
        if mask.any():
            covered = _covered(mask, height, width)
            canvas[binary_dilation(covered, iterations=2) & ~covered] = colour
            legend.append((name, colour))
    if made.boxes is not None and len(made.boxes):
        colour = COLOURS[len(made.masks) % len(COLOURS)]
        scale = np.array([width, height, width, height]) / np.tile(image.shape[1::-1], 2)
        picture = Image.fromarray(canvas)
        for x0, y0, x1, y1 in np.rint(made.boxes * scale).astype(int).tolist():
            if x1 > x0 and y1 > y0:
                ImageDraw.Draw(picture).rectangle((x0 - 1, y0 - 1, x1, y1), outline=colour)
        canvas = np.array(picture)
        legend.append(("boxes", colour))
    return canvas, legend


def _covered(mask: np.ndarray, height: int, width: int) -> np.ndarray:
    """The mask at another size; where it becomes smaller a line keeps at least one pixel."""
    share = Image.fromarray(mask.astype(np.float32)).resize((width, height), Image.Resampling.BOX)
    return np.asarray(share) > (0.5 if height > mask.shape[0] else 0.0)


def amplification(before: np.ndarray, after: np.ndarray) -> int:
    """1, 2, 4, 8 or 16: how much a difference can be enlarged before a thousandth of it is cut."""
    largest = float(np.quantile(np.abs(after - before), 0.999))
    return next((power for power in (16, 8, 4, 2) if power * largest <= 0.5), 1)


def _size(image: np.ndarray) -> str:
    return f"{image.shape[1]} x {image.shape[0]}"
