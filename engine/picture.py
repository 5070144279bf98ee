"""What warps, points and paints make of one image, its mask and its boxes: step by step, on the CPU, one thread.

Neighbouring warps compose into one resampling; every other step is one pass. `tests/reference.py` is the definition.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from types import MappingProxyType
from typing import Any

import numpy as np
from numba import njit

from sliceforge.engine.cache import install
from sliceforge.engine.cpu.tile import inline
from sliceforge.engine.errors import SettingError
from sliceforge.engine.op import Op, Paint, Point, Warp
from sliceforge.engine.warps import Part, composed, move_boxes, places
from sliceforge.kernels.resample import gather_cover_cpu, gather_image_cpu, resample_cover_cpu, resample_image_cpu

install()

Steps = Sequence[tuple[str, Op, Mapping[str, Any]]]

COVERED, LINE_COVERED = 0.5, 0.25
"""The coverage from which a resampled mask counts: half a pixel, or a quarter for lines."""


@dataclass(frozen=True)
class Rendered:
    """One made image, before rounding.

    Args:
        image: (H, W, C) float32, 0…1 unless a step left that range.
        masks: those given, and one for each active paint, in the final geometry: name → (H, W) bool.
        boxes: those given, through the warps, (N, 4) float64, in pixel edges, cut to the image; a box that left the
            image keeps its row, with no area.
    """

    image: np.ndarray
    masks: dict[str, np.ndarray]
    boxes: np.ndarray


def render(
    image: np.ndarray,
    steps: Steps,
    masks: Mapping[str, np.ndarray] = MappingProxyType({}),
    boxes: np.ndarray | None = None,
    lines: Container[str] = (),
) -> Rendered:
    """Apply the active steps, in order; the inputs are left as they were.

    Args:
        image: (H, W, C) float32 in 0…1.
        steps: name, operator and own draws of each step that happens to this item.
        masks: what is marked already, name → (H, W) bool.
        boxes: (N, 4) x0, y0, x1, y1 in pixel edges, or None.
        lines: names of masks that are thin marks.

    Raises:
        SettingError: a step that is no warp, point or paint, or a warp with no sensible map.
    """
    height, width = image.shape[:2]
    image = np.array(image, np.float32, order="C")
    covers = {name: np.array(mask, np.float32, order="C") for name, mask in masks.items()}
    carried = np.zeros((0, 4)) if boxes is None else np.array(boxes, np.float64).reshape(-1, 4)
    for warps, group in groupby(steps, key=lambda step: isinstance(step[1], Warp)):
        if not warps:
            for name, op, draws in group:
                image, marked = point(name, op, draws, image)
                if marked is not None:
                    covers[name] = marked
            continue
        parts = composed(group, height, width)
        image, covers = _moved(image, covers, parts)
        carried = move_boxes(carried, parts, height, width)
    thin = {name for name, op, _ in steps if isinstance(op, Paint) and op.line}
    least = {name: LINE_COVERED if name in thin or name in lines else COVERED for name in covers}
    return Rendered(image, {name: one >= least[name] for name, one in covers.items()}, carried)


def unit(image: np.ndarray) -> np.ndarray:
    """(H, W) or (H, W, C) of uint8 or uint16 → (H, W, C) float32 in 0…1, which `quantise` turns back exactly."""
    values = image.astype(np.float32) / np.float32(np.iinfo(image.dtype).max)
    return values[..., None] if image.ndim == 2 else values


def quantise(image: np.ndarray, dtype: Any) -> np.ndarray:
    """The one rounding, half to even, of 0…1 to uint8 or uint16; what lies outside is cut.

    >>> quantise(np.array([-0.1, 0.5, 1.2], np.float32), np.uint8)
    array([  0, 128, 255], dtype=uint8)
    """
    top = np.float32(np.iinfo(dtype).max)
    return np.rint(np.clip(np.asarray(image, np.float32), 0, 1) * top).astype(dtype)


def tight_box(mask: np.ndarray) -> tuple[int, int, int, int] | None:
    """x0, y0, x1, y1 in pixel edges around what is set in an (H, W) mask, or None where nothing is."""
    columns, rows = np.flatnonzero(mask.any(0)), np.flatnonzero(mask.any(1))
    if not len(rows):
        return None
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def _moved(
    image: np.ndarray, covers: dict[str, np.ndarray], parts: Sequence[Part]
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    moved, moved_covers = np.empty_like(image), {name: np.empty_like(cover) for name, cover in covers.items()}
    if len(parts) == 1 and isinstance(parts[0], np.ndarray):
        resample_image_cpu(image, parts[0], moved)
        for name, cover in covers.items():
            resample_cover_cpu(cover, parts[0], moved_covers[name])
        return moved, moved_covers
    x, y = places(parts, *image.shape[:2])
    gather_image_cpu(image, x, y, moved)
    for name, cover in covers.items():
        gather_cover_cpu(cover, x, y, moved_covers[name])
    return moved, moved_covers


def point(name: str, op: Op, draws: Mapping[str, Any], image: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
    """One point or paint over an image (H, W, C), or over a clip as (1, T, 1); a paint's marks are (H, W) float32."""
    if not isinstance(op, Point):
        raise SettingError(f"steps.{name}: {type(op).__name__} runs alone; expected a warp, a point or a paint")
    height, width, _ = image.shape
    row = np.ascontiguousarray(op.row(height, width, **draws), np.float32)
    above = np.float32(op.label_above / 255 if isinstance(op, Paint) else np.inf)
    out, marked = np.empty_like(image), np.zeros((height, width), np.float32)
    _loop(type(op).pixel)(np.ascontiguousarray(image), row, above, out, marked)
    return out, marked if isinstance(op, Paint) else None


@cache
def _loop(pixel: Callable[..., Any]) -> Callable[..., None]:
    # The cache notices edits in Sliceforge's own files alone: anyone else's operator is compiled in each process.
    one = inline(pixel)

    @njit(cache=pixel.__module__.startswith("sliceforge."))
    def pass_cpu(image, row, above, out, marked):
        height, width, channels = image.shape
        for y in range(height):
            for x in range(width):
                for k in range(channels):
                    value = image[y, x, k]
                    out[y, x, k] = one(value, np.float32(x), np.float32(y), row)
                    if abs(out[y, x, k] - value) >= above:
                        marked[y, x] = np.float32(1)

    return pass_cpu
