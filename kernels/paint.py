"""A painted mark as a level set, and the two numbers that make it as large and as deep as asked.

change = amplitude · eased((level − cut) · keen) · shade, where `level` and `shade` are fields of an operator. The first
four numbers of its row are the cut, the signed amplitude, `keen`, and the least change that is painted at all.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from numba import njit

from sliceforge.engine.cpu.tile import inline
from sliceforge.engine.keys import Keys
from sliceforge.kernels.noise import eased

_ZERO, _ONE = np.float32(0), np.float32(1)
POINTS = 3072
"""Places, at most, where a field is looked at to find out how large and how deep a mark is."""

ROUNDS = 3
BINS = 1024

_compiled = njit(error_model="numpy", fastmath={"contract"}, nogil=True, cache=True)


def least(label_above: float) -> float:
    """The least change that is painted: it reaches `label_above`, grey levels of 255, whatever float32 rounds."""
    return label_above / 255 * 1.0001


def sign(keys: Keys, dark: float) -> np.ndarray:
    """(B,) float32: −1, darker, for a share `dark` of the items, and 1, brighter, for the others."""
    return np.where(keys.uniform("dark")[:, 0] < dark, -1, 1).astype(np.float32)


def begun(sign: Any, contrast: Any, keen: Any, label_above: float) -> list[Any]:
    """The first four numbers of a row, before `settled`: a cut of 0, and the contrast as the amplitude."""
    return [0.0, sign * contrast / 255, keen, least(label_above)]


def whole(height: int, width: int) -> tuple[int, int, int, int]:
    """The box of an image: left, top, right, bottom, in pixels."""
    return 0, 0, width, height


@njit(inline="always")
def kept(value, changed, floor, least):
    """The changed value, or exactly `value` where the change comes to less than `least`.

    It saturates as the camera does, so that its mask never claims a change that nobody can see, and is never made
    darker than `floor`; what is too faint for the mask is not painted either, so that nothing changes outside it.
    """
    made = min(max(changed, min(value, floor)), max(value, _ONE))
    return made if abs(made - value) >= least else value


@njit(inline="always")
def painted(value, level, shade, row):
    """The value with the mark on it; exactly `value` where there is none."""
    return kept(value, value + row[1] * eased((level - row[0]) * row[2]) * shade, _ZERO, row[3])


def settled(
    field: Callable[..., Any],
    rows: np.ndarray,
    sides: tuple[int, int],
    contrast: Any,
    area: Any = None,
    boxes: Any = None,
    again: bool = False,
) -> np.ndarray:
    """Rows (…, P) whose cut makes the mask cover `area` of the image, and whose amplitude makes the contrast.

    The contrast is the median of the change where it reaches half of its 95th percentile in the mask. Both are found
    on at most 3072 pixels of the box, in three rounds or six, since one depends on the other.

    Args:
        field: (x, y, row) → (level, shade), compiled to be part of whatever calls it.
        rows: (…, P) float32.
        sides: height and width of the image, in pixels.
        contrast: grey levels of 255, a number or (B,).
        area: share of the image, or None: the cut stays as it is.
        boxes: left, top, right, bottom of all that the mark may cover, in pixels, numbers or (B,); None: the image.
        again: the field reads the cut, so that it is looked at in every round.
    """
    height, width = sides
    found = np.array(rows.reshape(-1, rows.shape[-1]), np.float32)
    asked = np.zeros((len(found), 6), np.float64)
    asked[:, 0], asked[:, 1] = np.asarray(contrast, np.float64) / 255, -1 if area is None else area
    for k, (side, most) in enumerate(zip(boxes or whole(height, width), (width, height) * 2, strict=True)):
        asked[:, 2 + k] = np.clip(np.floor(side) if k < 2 else np.ceil(side), 0, most)
    _loop(getattr(field, "py_func", field))(found, asked, height * width, again, *np.empty((3, POINTS), np.float32))
    return found.reshape(rows.shape)


@cache
def _loop(field: Callable[..., Any]) -> Callable[..., None]:
    # As the engine's loops: kept on disk for Sliceforge's own operators alone.
    one = inline(field)

    @njit(error_model="numpy", fastmath={"contract"}, nogil=True, cache=field.__module__.startswith("sliceforge."))
    def settle_cpu(rows, asked, pixels, again, levels, shades, changes):
        for n in range(len(rows)):
            row = rows[n]
            left, top, right, bottom = asked[n, 2], asked[n, 3], asked[n, 4], asked[n, 5]
            if right <= left or bottom <= top:
                continue
            across, down = right - left, bottom - top
            apart = max(1.0, np.sqrt(across * down / POINTS))
            columns = min(int(np.ceil(across / apart)), int(across), POINTS)
            lines = max(1, min(int(down / apart), int(down), POINTS // columns))
            for turn in range(2 * ROUNDS if again else ROUNDS):
                count = lines * columns
                for k in range(count if again or not turn else 0):
                    x = np.float32(left + np.floor((k % columns + 0.5) * across / columns))
                    y = np.float32(top + np.floor((k // columns + 0.5) * down / lines))
                    levels[k], shades[k] = one(x, y, row)
                share = asked[n, 1] * pixels / (across * down)
                _solve(row, levels[:count], shades[:count], changes, asked[n, 0], share)

    return settle_cpu


@_compiled
def _solve(row, levels, shades, changes, contrast, share):
    if share >= 0:
        row[0] = _cut(row, levels, shades, share)
    most, count = np.float32(0), 0
    for k in range(len(levels)):
        changes[k] = abs(row[1] * eased((levels[k] - row[0]) * row[2]) * shades[k])
        most = max(most, changes[k])
        count += changes[k] >= row[3]
    if count:
        changes = changes[: len(levels)]
        high = _quantile(changes, row[3], most, count * 0.05) * np.float32(0.5)
        count = 0
        for k in range(len(changes)):
            count += changes[k] >= high
        row[1] *= np.float32(contrast) / _quantile(changes, high, most, count * 0.5)


@_compiled
def _quantile(changes, least, most, above):
    # What `above` of the changes exceed, of those that are at least `least`.
    counts = np.zeros(BINS + 1, np.int32)
    scale = np.float32(BINS) / most
    for k in range(len(changes)):
        if changes[k] >= least:
            counts[int(changes[k] * scale)] += 1
    bin, seen = BINS, 0
    while bin > 0 and seen + counts[bin] < above:
        seen += counts[bin]
        bin -= 1
    return (np.float32(bin) + np.float32(0.5)) / scale


@_compiled
def _cut(row, levels, shades, share):
    # Bisection, for the share covered only falls as the cut rises.
    low, high = levels[0], levels[0]
    for k in range(len(levels)):
        low, high = min(low, levels[k]), max(high, levels[k])
    low -= _ONE / row[2]
    for _ in range(14):
        cut = (low + high) * np.float32(0.5)
        covered = 0
        for k in range(len(levels)):
            covered += abs(row[1] * eased((levels[k] - cut) * row[2]) * shades[k]) >= row[3]
        if covered > share * len(levels):
            low = cut
        else:
            high = cut
    return (low + high) * np.float32(0.5)
