"""What the forms of image operators mean, in slow, plain Python and numpy: the definition that engines must meet.

Images are (H, W, C) float32. Nothing here is compiled or shared with the engine, but for an operator's own `pixel`,
`row`, `matrix` and `shift`, which are plain functions here.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from types import FunctionType
from typing import Any

import numpy as np

from sliceforge.engine.op import Paint, Warp

ROUNDED = 1e-5
"""Of white: what compiled code may be off by, for it fuses a product and a sum into one rounding of float32."""

BITS = {"bits": lambda x: np.float32(x).view(np.int32), "unbits": lambda i: np.int32(i).view(np.float32)}


@cache
def plain(function: Callable[..., Any]) -> Callable[..., Any]:
    """A scalar function as the Python that it was written as, and every function that it calls too."""
    known: dict[str, Any] = {}
    for name in set(function.__code__.co_names) & set(function.__globals__):
        found = function.__globals__[name]
        known[name] = BITS.get(name) or (plain(found.py_func) if hasattr(found, "py_func") else found)
    python = FunctionType(function.__code__, {**function.__globals__, **known}, closure=function.__closure__)

    def run(*arguments: Any) -> Any:
        with np.errstate(over="ignore"):  # a product of 32 bits is meant to keep the lower ones alone
            return python(*arguments)

    return run


def mirror(i: int, size: int) -> int:
    """reflect_101: … 2 1 | 0 1 2 … n−1 | n−2 n−3 …, walked one reflection at a time."""
    while size > 1 and not 0 <= i < size:
        i = -i if i < 0 else 2 * (size - 1) - i
    return i if size > 1 else 0


Map = list[Any]
"""What neighbouring warps do to an output position, the last first: a matrix, or a `shift` with its row."""


def composed(run: Sequence[tuple[str, Any, Mapping[str, Any]]], height: int, width: int) -> Map:
    """The map of neighbouring warps; matrices that meet are multiplied."""
    found: Map = [np.eye(3)]
    for _, warp, own in run:
        matrix = warp.matrix(height, width, **own)
        if isinstance(found[-1], np.ndarray):
            found[-1] = found[-1] @ matrix
        else:
            found.append(matrix)
        if warp.shift is not None:
            found.append((plain(warp.shift), warp.row(height, width, **own)))
    return found


def source(parts: Map, x: float, y: float) -> tuple[float, float]:
    """The source position, in float64, of an output position."""
    x, y = np.float64(x), np.float64(y)
    for one in reversed(parts):
        if isinstance(one, np.ndarray):
            scale = one[2, 0] * x + one[2, 1] * y + one[2, 2]
            x, y = (
                (one[0, 0] * x + one[0, 1] * y + one[0, 2]) / scale,
                (one[1, 0] * x + one[1, 1] * y + one[1, 2]) / scale,
            )
        else:
            shift, row = one
            dx, dy = shift(x, y, row)
            x, y = x + dx, y + dy
    return x, y


def resample(image: np.ndarray, parts: Map, border: str) -> np.ndarray:
    """Bilinear through an output → source map; positions in float64, weights and values in float32."""
    height, width = image.shape[:2]
    out = np.empty_like(image)
    zero = np.zeros_like(image[0, 0])

    def at(row: int, column: int) -> np.ndarray:
        if border == "mirror":
            return image[mirror(row, height), mirror(column, width)]
        return image[row, column] if 0 <= row < height and 0 <= column < width else zero

    for y in range(height):
        for x in range(width):
            source_x, source_y = source(parts, x, y)
            j, i = int(np.floor(source_x)), int(np.floor(source_y))
            right, down = np.float32(source_x - j), np.float32(source_y - i)
            upper = at(i, j) + (at(i, j + 1) - at(i, j)) * right
            lower = at(i + 1, j) + (at(i + 1, j + 1) - at(i + 1, j)) * right
            out[y, x] = upper + (lower - upper) * down
    return out


def point(image: np.ndarray, op: Any, draws: Mapping[str, Any]) -> np.ndarray:
    """A `Point`: its scalar function at every value of every channel."""
    height, width, channels = image.shape
    row, pixel = op.row(height, width, **draws), plain(op.pixel)
    out = np.empty_like(image)
    for y in range(height):
        for x in range(width):
            for channel in range(channels):
                out[y, x, channel] = pixel(image[y, x, channel], np.float32(x), np.float32(y), row)
    return out


def runs(steps: Sequence[tuple[str, Any, Mapping[str, Any]]]) -> list[list[tuple[str, Any, Mapping[str, Any]]]]:
    """Neighbouring warps together, every other step alone."""
    found: list[list[tuple[str, Any, Mapping[str, Any]]]] = []
    for step in steps:
        if found and isinstance(step[1], Warp) and isinstance(found[-1][0][1], Warp):
            found[-1].append(step)
        else:
            found.append([step])
    return found


def render(
    image: np.ndarray, steps: Sequence[tuple[str, Any, Mapping[str, Any]]], mask: np.ndarray | None = None
) -> tuple[np.ndarray, dict[str, np.ndarray], np.ndarray | None]:
    """The image before rounding, the mask of each paint, and the input's mask."""
    covers: dict[str, np.ndarray] = {}
    least = {name: 0.25 if getattr(op, "line", False) else 0.5 for name, op, _ in steps}
    if mask is not None:
        covers[""], least[""] = mask.astype(np.float32), 0.5
    for run in runs(steps):
        name, op, draws = run[0]
        if isinstance(op, Warp):
            parts = composed(run, *image.shape[:2])
            image = resample(image, parts, "mirror")
            covers = {name: resample(cover, parts, "nothing") for name, cover in covers.items()}
            continue
        before, image = image, point(image, op, draws)
        if isinstance(op, Paint):
            changed = np.abs(image - before).max(axis=2) >= np.float32(op.label_above / 255)
            covers[name] = changed.astype(np.float32)
    masks = {name: cover >= least[name] for name, cover in covers.items()}
    return image, {name: one for name, one in masks.items() if name}, masks.get("")


def shown_at(parts: Map, x: float, y: float) -> tuple[float, float]:
    """The output position that shows a source position: Newton's method on `source`, with slopes by differences."""
    place, wanted, step = np.array([x, y]), np.array([x, y]), 1e-4
    for _ in range(60):
        here = np.array(source(parts, *place))
        right = (np.array(source(parts, place[0] + step, place[1])) - here) / step
        down = (np.array(source(parts, place[0], place[1] + step)) - here) / step
        place = place + np.linalg.solve(np.stack([right, down], axis=1), wanted - here)
    return float(place[0]), float(place[1])


def moved_box(box: Sequence[float], parts: Map, height: int, width: int) -> list[float]:
    """Upright hull of a box's boundary, 16 points a side, in pixel edges, cut to the image."""
    x0, y0, x1, y1 = box
    xs, ys = [], []
    for k in range(16):
        x, y = x0 + (x1 - x0) * k / 15, y0 + (y1 - y0) * k / 15
        for edge_x, edge_y in ((x, y0), (x, y1), (x0, y), (x1, y)):
            moved_x, moved_y = shown_at(parts, edge_x - 0.5, edge_y - 0.5)
            xs.append(min(max(moved_x + 0.5, 0), width))
            ys.append(min(max(moved_y + 0.5, 0), height))
    return [min(xs), min(ys), max(xs), max(ys)]
