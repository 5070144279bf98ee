"""The maps of neighbouring warps for a batch of images of one size, as the compiled loops take them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from sliceforge.engine.cpu.loops import MATRIX
from sliceforge.engine.errors import SettingError
from sliceforge.engine.op import Warp
from sliceforge.engine.step import Step
from sliceforge.engine.warps import composed, move_boxes


def columns(step: Step, rows: Sequence[Mapping[str, Any]]) -> dict[str, np.ndarray]:
    """A step's own draws as columns (B,) under their own names, numbers in doubles or whole; `on` is not among them."""
    head = f"{step.name}."
    names = [name for name in rows[0] if name.startswith(head) and name != f"{step.name}.on"]
    return {name[len(head) :]: np.array([row[name] for row in rows]) for name in names}


def gathered(
    warps: Sequence[Step],
    shifts: Sequence[Callable[..., Any]],
    rows: Sequence[Mapping[str, Any]],
    height: int,
    width: int,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """The output → source map of neighbouring warps, the first of which happens first.

    Returns:
        kinds: (P,) int64 of each part, `MATRIX` or a displacement's place among `shifts`; the last acts first.
        matrices: (B, P, 9) float64, of those parts that are matrices.
        numbers: (B, Q) float32, what the displacements read, one after the other.
        bounds: (P + 1,) int64, where each part's numbers begin in it.

    Raises:
        SettingError: a map that is not finite, cannot be undone, or has its horizon inside the image.
    """
    kinds: list[int] = []
    matrices: list[np.ndarray] = []
    tables = [np.zeros((len(rows), 0), np.float32)]
    bounds, whole, wholes = [0], np.broadcast_to(np.eye(3), (len(rows), 3, 3)), []
    for step in warps:
        op = step.op
        assert isinstance(op, Warp)
        own_columns = columns(step, rows)
        own = np.broadcast_to(op.matrix(height, width, **own_columns), (len(rows), 3, 3))
        whole = whole @ own
        wholes.append(whole)
        if kinds and kinds[-1] == MATRIX:
            matrices[-1] = matrices[-1] @ own
        else:
            kinds.append(MATRIX)
            matrices.append(own)
            bounds.append(bounds[-1])
        shift = type(op).shift
        if shift is not None:
            numbers = np.asarray(op.row(height, width, **own_columns), np.float32)
            tables.append(np.broadcast_to(numbers, (len(rows), numbers.shape[-1])))
            kinds.append(shifts.index(shift))
            matrices.append(np.zeros((len(rows), 3, 3)))
            bounds.append(bounds[-1] + numbers.shape[-1])
    _check(warps, wholes, height, width)
    flat = np.stack(matrices, axis=1).reshape(len(rows), -1, 9) if matrices else np.zeros((len(rows), 0, 9))
    return (
        np.array(kinds, np.int64),
        np.ascontiguousarray(flat),
        np.ascontiguousarray(np.concatenate(tables, axis=1)),
        np.array(bounds, np.int64),
    )


def _check(warps: Sequence[Step], wholes: Sequence[np.ndarray], height: int, width: int) -> None:
    if not warps:
        return
    corners = np.array([[0, width, 0, width], [0, 0, height, height], [1, 1, 1, 1]])
    whole = np.stack(wholes)  # (W, B, 3, 3), up to each warp
    (a, b, c), (d, e, f), (g, h, i) = np.moveaxis(whole, (2, 3), (0, 1))
    determinant = a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g)
    # A NaN or an infinity anywhere makes it one of both too.
    fine = np.isfinite(determinant) & (determinant != 0) & ((whole[:, :, 2] @ corners).min(-1) > 0)
    for step, sensible in zip(warps, fine.all(1), strict=True):
        if not sensible:
            raise SettingError(
                f"steps.{step.name}: no sensible map for {width} × {height} pixels; expected a milder warp"
            )


def boxes(before: np.ndarray, warps: Sequence[Step], row: Mapping[str, Any], height: int, width: int) -> np.ndarray:
    """(N, 4) boxes of one item through its warps; see `move_boxes`."""
    one = [(step.name, step.op, {name: value[0] for name, value in columns(step, [row]).items()}) for step in warps]
    return move_boxes(before, composed(one, height, width), height, width)
