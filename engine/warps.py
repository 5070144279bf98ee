"""Neighbouring warps as one map from output to source, and boxes carried the other way."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numba import njit

from sliceforge.engine.cache import install
from sliceforge.engine.cpu.tile import inline
from sliceforge.engine.errors import SettingError
from sliceforge.engine.op import Op, Warp
from sliceforge.kernels.resample import carry_cpu

install()

BOX_POINTS = 16
"""Points on each side of a box that are carried through a warp."""

UNDONE, TRIES = 1e-9, 1000
"""A displacement counts as undone when a further try moves a point by fewer pixels; a try shortens what is left."""


@dataclass(frozen=True)
class Shift:
    """A displacement: position p shows p + of(p, row)."""

    of: Callable[..., Any]
    row: np.ndarray


Part = np.ndarray | Shift


def composed(warps: Iterable[tuple[str, Op, Mapping[str, Any]]], height: int, width: int) -> list[Part]:
    """The output → source map of neighbouring warps, the first of which happens first.

    Returns:
        Matrices (3, 3) and displacements. The last acts first on an output position; neighbouring matrices are one.

    Raises:
        SettingError: a map that is not finite, cannot be undone, or has its horizon inside the image.
    """
    parts: list[Part] = []
    whole = np.eye(3)
    for name, op, draws in warps:
        if not isinstance(op, Warp):
            raise SettingError(f"steps.{name}: {type(op).__name__} moves no pixel; expected a warp")
        own = op.matrix(height, width, **draws)
        whole = whole @ own
        corners = whole[2] @ np.array([[0, width, 0, width], [0, 0, height, height], [1, 1, 1, 1]])
        if not np.isfinite(whole).all() or corners.min() <= 0 or np.linalg.det(whole) == 0:
            raise SettingError(f"steps.{name}: no sensible map for {width} × {height} pixels; expected a milder warp")
        if parts and isinstance(parts[-1], np.ndarray):
            parts[-1] = parts[-1] @ own
        else:
            parts.append(np.eye(3) @ own)
        shift = type(op).shift
        if shift is not None:
            parts.append(Shift(shift, np.ascontiguousarray(op.row(height, width, **draws), np.float32)))
    return parts


def places(parts: Sequence[Part], height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """The source x and y, (H, W) float64, that each output pixel shows."""
    y, x = np.mgrid[:height, :width].astype(np.float64)
    for part in reversed(parts):
        if isinstance(part, Shift):
            _loops(part.of)[0](x.reshape(-1), y.reshape(-1), part.row)
        else:
            carry_cpu(x.reshape(-1), y.reshape(-1), part)
    return x, y


def move_boxes(boxes: np.ndarray, parts: Sequence[Part], height: int, width: int) -> np.ndarray:
    """(N, 4) boxes through a warp: the hull of each moved boundary, 16 points a side, cut to the image.

    Args:
        boxes: x0, y0, x1, y1 in pixel edges (half a pixel outside the centres that a map speaks of).
        parts: output → source, as the image is resampled with.
    """
    share = np.linspace(0, 1, BOX_POINTS)
    ends = np.zeros(BOX_POINTS), np.ones(BOX_POINTS)
    right = np.concatenate([share, share, *ends])  # (64,), the four sides of a unit square
    down = np.concatenate([*ends, share, share])
    x0, y0, x1, y1 = boxes.T[..., None]
    x, y = x0 + (x1 - x0) * right - 0.5, y0 + (y1 - y0) * down - 0.5
    for part in parts:
        if isinstance(part, Shift):
            _loops(part.of)[1](x.reshape(-1), y.reshape(-1), part.row)
        else:
            x, y, scale = np.einsum("ij,jnk->ink", np.linalg.inv(part), np.stack([x, y, np.ones_like(x)]))
            x, y = np.ascontiguousarray(x / scale), np.ascontiguousarray(y / scale)
    x, y = np.clip(x + 0.5, 0, width), np.clip(y + 0.5, 0, height)
    return np.stack([x.min(1), y.min(1), x.max(1), y.max(1)], axis=1)


@cache
def _loops(shift: Callable[..., Any]) -> tuple[Callable[..., None], Callable[..., None]]:
    one = inline(shift)
    ours = shift.__module__.startswith("sliceforge.")

    @njit(cache=ours)
    def displace_cpu(x, y, row):
        for n in range(len(x)):
            dx, dy = one(x[n], y[n], row)
            x[n] += dx
            y[n] += dy

    @njit(cache=ours)
    def undo_cpu(x, y, row):
        for n in range(len(x)):
            px, py = x[n], y[n]
            for _ in range(TRIES):
                dx, dy = one(px, py, row)
                ahead_x, ahead_y = x[n] - dx, y[n] - dy
                left = abs(ahead_x - px) + abs(ahead_y - py)
                px, py = ahead_x, ahead_y
                if left < UNDONE:
                    break
            x[n], y[n] = px, py

    return displace_cpu, undo_cpu
