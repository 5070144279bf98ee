"""Outlines in pixel edges: a mask from polygons, and the polygons of a mask."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sliceforge.engine.errors import InputError

MOST = 100_000
"""Corners of the polygons of one image."""

FAR = 1e7
"""Pixels from the image's corner beyond which a corner of a polygon is damage."""

_CROSSINGS = 1 << 22
"""Crossings of outlines and rows that are worked out at once."""

_TURNS = {(y, x): ((x, -y), (y, x), (-x, y)) for y, x in ((0, 1), (1, 0), (0, -1), (-1, 0))}
"""A step (down, right) → the steps that may follow it: to the right hand, on, to the left hand."""


def fill(polygons: Sequence[Sequence[float]], height: int, width: int) -> np.ndarray:
    """(H, W) bool: the pixels whose centres lie in one of the polygons, by even and odd where it crosses itself.

    Args:
        polygons: x0, y0, x1, y1, … of each, in pixel edges: the first pixel goes from 0 to 1.
        height, width: pixels.

    Raises:
        InputError: fewer than three corners, too many, or what is no number.
    """
    whole = np.zeros((height, width), bool)
    for polygon in polygons:
        whole |= _one(_corners(polygon), height, width)
    return whole


def _corners(polygon: Sequence[float]) -> np.ndarray:
    """(N, 2), x and y."""
    try:
        found = np.array(polygon, np.float64)
    except (ValueError, TypeError):
        found = np.zeros(0)
    fits = found.ndim == 1 and found.size % 2 == 0 and 6 <= found.size <= 2 * MOST
    if not fits or not (np.abs(found) < FAR).all():
        raise InputError("unreadable", f"polygon: expected x and y of 3 to {MOST} corners")
    return found.reshape(-1, 2)


def _one(corners: np.ndarray, height: int, width: int) -> np.ndarray:
    x, y = corners.T
    ends = np.roll(x, -1), np.roll(y, -1)
    top, bottom = np.minimum(y, ends[1]), np.maximum(y, ends[1])
    # Rows whose centre is at or below an edge's upper end and above its lower one.
    first = np.clip(np.ceil(top - 0.5), 0, height).astype(np.int64)
    rows = np.clip(np.ceil(bottom - 0.5), 0, height).astype(np.int64) - first
    turns = np.zeros((height, width + 1), bool)
    share = max(1, _CROSSINGS // max(1, height))
    for start in range(0, len(x), share):
        part = slice(start, start + share)
        edge = np.repeat(np.arange(len(x))[part], rows[part])
        row = first[edge] + np.arange(len(edge)) - np.repeat(np.cumsum(rows[part]) - rows[part], rows[part])
        along = (row + 0.5 - y[edge]) / (ends[1] - y)[edge]
        across = x[edge] + along * (ends[0] - x)[edge]
        column = np.clip(np.ceil(across - 0.5), 0, width).astype(np.int64)
        np.logical_xor.at(turns, (row, column), True)
    return np.logical_xor.accumulate(turns, axis=1)[:, :width]


def trace(mask: np.ndarray) -> list[list[int]] | None:
    """The outlines of a mask's pieces along its pixels' edges, x0, y0, x1, y1, … of each; `fill` gives the mask back.

    Pixels that touch in a corner alone are two pieces. None where a piece has a hole: COCO joins an object's
    polygons, and so none of them can be cut out.

    Args:
        mask: (H, W) bool.
    """
    edges = _edges(mask)
    found = []
    while edges:
        # The uppermost corner that is left, its leftmost: no other outline can pass there.
        start = place = next(iter(edges))
        way = edges[start][0]
        corners, area = [start], 0
        while True:
            edges[place].remove(way)
            if not edges[place]:
                del edges[place]
            after = place[0] + way[0], place[1] + way[1]
            area += place[1] * after[0] - after[1] * place[0]
            if after == start:
                break
            turn = next(one for one in _TURNS[way] if one in edges[after])
            if turn != way:
                corners.append(after)
            place, way = after, turn
        if area < 0:
            return None
        found.append([edge for row, column in corners for edge in (column, row)])
    return found


def _edges(mask: np.ndarray) -> dict[tuple[int, int], list[tuple[int, int]]]:
    """Corner (row, column) → the steps from it along edges that have the mask on their right hand."""
    padded = np.pad(np.asarray(mask, np.int8), 1)
    found: dict[tuple[int, int], list[tuple[int, int]]] = {}
    across, down = np.diff(padded, axis=0)[:, 1:-1], np.diff(padded, axis=1)[1:-1]
    for steps, shift, way in (
        (across == 1, (0, 0), (0, 1)),
        (across == -1, (0, 1), (0, -1)),
        (down == -1, (0, 0), (1, 0)),
        (down == 1, (1, 0), (-1, 0)),
    ):
        for row, column in np.argwhere(steps).tolist():
            found.setdefault((row + shift[0], column + shift[1]), []).append(way)
    return dict(sorted(found.items()))
