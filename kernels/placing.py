"""Where a marked thing of one picture comes to lie in another."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import ndimage

MOST_REACH = 3.0
"""By how much a thing is enlarged at most to reach two opposite edges."""


@dataclass(frozen=True)
class Spot:
    """A place in an image, and the map from there to the donor.

    Args:
        window: (rows, columns), the part of the image that is looked at.
        turn: (2, 2), a step in the image, (down, right), as a step in the donor's picture.
        start: the position (down, right) in the donor's picture of the window's upper left pixel.
    """

    window: tuple[slice, slice]
    turn: np.ndarray
    start: np.ndarray

    def sampled(self, picture: np.ndarray, border: str) -> np.ndarray:
        """The donor's picture (h, w) or (h, w, C) float64, bilinear, as it lies in the window.

        Args:
            border: what lies beyond the picture: `mirror`, or `grid-constant`: nothing.
        """
        size = tuple(part.stop - part.start for part in self.window)
        if picture.ndim == 3:
            return np.stack([self.sampled(picture[..., k], border) for k in range(picture.shape[2])], axis=2)
        found: np.ndarray = ndimage.affine_transform(picture, self.turn, self.start, size, order=1, mode=border)
        return found


def spot(mask: np.ndarray, height: int, width: int, row: Mapping[str, Any], margin: int) -> Spot:
    """The place of what is set in a donor's mask (h, w), in an image of `height` by `width` pixels.

    Args:
        row: `x y rotate scale flip_x flip_y`, as `Paste` explains them.
        margin: pixels around it that are looked at too.
    """
    down, right = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    tall, wide = down[-1] - down[0] + 1.0, right[-1] - right[0] + 1.0
    cos, sin = (abs(part) for part in _turn(row["rotate"]))
    across = _ends(right, mask.shape[1], row["flip_x"])
    along = _ends(down, mask.shape[0], row["flip_y"])
    scale = float(row["scale"])
    scale = _reaching(scale, across, wide * cos - tall * sin, width)
    scale = _reaching(scale, along, tall * cos - wide * sin, height)
    middle_x = _middle(scale * wide * cos, scale * tall * sin, width, row["x"], across)
    middle_y = _middle(scale * tall * cos, scale * wide * sin, height, row["y"], along)
    middle = np.array([(down[0] + down[-1]) / 2, (right[0] + right[-1]) / 2])
    # Moved by whole pixels: what is neither turned nor scaled keeps its values.
    middle_y, middle_x = middle + np.rint(np.array([middle_y, middle_x]) - middle)
    half_x = scale * (wide * cos + tall * sin) / 2 + margin
    half_y = scale * (tall * cos + wide * sin) / 2 + margin
    window = _span(middle_y, half_y, height), _span(middle_x, half_x, width)
    turn_cos, turn_sin = _turn(row["rotate"])
    flip_x, flip_y = (-1.0 if row[name] else 1.0 for name in ("flip_x", "flip_y"))
    # Donor = middle + F · R⁻¹ · (image − middle) / scale, in (down, right).
    turn = np.array([[flip_y * turn_cos, -flip_y * turn_sin], [flip_x * turn_sin, flip_x * turn_cos]]) / scale
    corner = np.array([window[0].start - middle_y, window[1].start - middle_x])
    return Spot(window, turn, middle + turn @ corner)


def _turn(degrees: float) -> tuple[float, float]:
    angle = math.radians(degrees)
    return math.cos(angle), math.sin(angle)


def _ends(at: np.ndarray, size: int, flipped: bool) -> tuple[bool, bool]:
    """Whether the picture's edge cuts the thing at its low and at its high end, once it is mirrored."""
    low, high = bool(at[0] == 0), bool(at[-1] == size - 1)
    return (high, low) if flipped else (low, high)


def _reaching(scale: float, cut: tuple[bool, bool], reach: float, size: int) -> float:
    """A scale at which what two edges cut reaches them again; as it was where that is too much."""
    wanted = size / reach if all(cut) and reach > 0 else scale
    return max(scale, wanted) if wanted <= MOST_REACH else scale


def _middle(straight: float, tilted: float, size: int, share: float, cut: tuple[bool, bool]) -> float:
    """The middle's coordinate, pixel centres at whole numbers, of an extent `straight + tilted`."""
    room = size - straight - tilted
    if cut[0] != cut[1] and room > 0:
        # The whole of the side that was cut, tilted as it is, lies outside.
        inside = (straight - tilted) / 2
        return inside - 0.5 if cut[0] else size - 0.5 - inside
    if room <= 0 or all(cut):
        return (size - 1) / 2
    return (straight + tilted) / 2 + share * room - 0.5


def _span(middle: float, half: float, size: int) -> slice:
    low, high = max(0, math.floor(middle - half)), min(size, math.ceil(middle + half) + 1)
    return slice(min(low, size - 1), max(high, min(low, size - 1) + 1))


Window = tuple[slice, slice]
"""Rows and columns of a picture."""

TRIES = 16
"""Windows that are tried, one after the other."""

STEP = (0.7548776662466927, 0.5698402909980532)
"""Of an additive sequence whose places stay apart: 1/g and 1/g² of g³ = g + 1 (Roberts, 2018)."""


def found(
    x: float, y: float, extent: tuple[int, int], size: tuple[int, int], score: Callable[[Window], float]
) -> Window:
    """The first of 16 windows whose score is 1 or more, or the best of them; the first lies where x and y say.

    Args:
        x, y: 0…1 of the room that the window leaves, from left to right, from the top down.
        extent: height and width of the window, at most `size`.
        size: height and width of the picture.
        score: how well a window suits.
    """
    best, most = (slice(0, 0), slice(0, 0)), -math.inf
    for n in range(TRIES):
        shares = (y + n * STEP[1]) % 1.0 if n else y, (x + n * STEP[0]) % 1.0 if n else x
        starts = [
            min(int(share * (whole - part + 1)), whole - part)
            for share, whole, part in zip(shares, size, extent, strict=True)
        ]
        window = slice(starts[0], starts[0] + extent[0]), slice(starts[1], starts[1] + extent[1])
        suits = score(window)
        if suits > most:
            best, most = window, suits
        if suits >= 1:
            break
    return best


def aside(one: Window, other: Window) -> float:
    """How far two windows of a picture lie apart: 1 from half their extent in either direction on."""
    shares = [
        2 * abs((a.start + a.stop) - (b.start + b.stop)) / max(1, a.stop - a.start + b.stop - b.start)
        for a, b in zip(one, other, strict=True)
    ]
    return min(1.0, max(shares))


def foreground(image: np.ndarray, apart: float) -> np.ndarray:
    """(H, W) bool: what is at least `apart` grey levels of 255 from the median of the outermost pixels, the background.

    Args:
        image: (H, W, C) float32, 0…1.
    """
    rim = np.concatenate([image[0], image[-1], image[:, 0], image[:, -1]])
    away: np.ndarray = np.abs(image - np.median(rim, axis=0)).max(axis=2) >= apart / 255
    return away


def extents(area: float, aspect: float, height: int, width: int) -> tuple[int, int]:
    """Height and width, whole pixels, of a rectangle of `area` pixels and width : height `aspect` that fits an image.

    Where a side does not fit, the other makes up for it.
    """
    tall = min(max(math.sqrt(area / aspect), 1.0), height)
    wide = min(max(area / tall, 1.0), width)
    tall = min(max(1, round(area / wide)), height)
    return tall, min(max(1, round(area / tall)), width)
