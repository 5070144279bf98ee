"""What images of one size go through on a device, worked out on the host: a script for each, and its numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sliceforge.engine.cpu import maps
from sliceforge.engine.cuda import raster
from sliceforge.engine.cuda.sampling import AFFINE, COARSE, MATRIX
from sliceforge.engine.fuse import passes
from sliceforge.engine.op import Paint, Point, Warp
from sliceforge.engine.recipe import Recipe
from sliceforge.engine.step import Step

Rows = Sequence[Mapping[str, Any]]


class Functions:
    """The functions of a recipe's steps, each once, and the kernel that holds them.

    Args:
        recipe: whose steps.
    """

    def __init__(self, recipe: Recipe) -> None:
        operators = [type(step.op) for step in recipe.steps]
        pixels = [one.pixel for one in operators if issubclass(one, Point)]
        shifts = [one.shift for one in operators if issubclass(one, Warp) and one.shift is not None]
        self.points, self.shifts = list(dict.fromkeys(pixels)), list(dict.fromkeys(shifts))
        self.lines = {step.name for step in recipe.steps if getattr(step.op, "line", False)}
        self.kernel = raster.compiled(tuple(self.points), tuple(self.shifts))


@dataclass(frozen=True)
class Script:
    """A batch's passes.

    Args:
        words: (passes, B, …) int32, as `raster` names its columns.
        numbers: (N,) float32.
        steps_at, covers_at: columns of words.
        covers: the name of each.
    """

    words: np.ndarray
    numbers: np.ndarray
    steps_at: int
    covers_at: int
    covers: Sequence[str]


class Writer:
    """Writes the script of images of one size.

    Args:
        functions: of the recipe.
        height, width: pixels.
        steps: what happens to each item, in order.
        rows: the plan of each.
        masks: the names of what is marked on each already.
        first: the names of covers that come first, whichever item has them.
    """

    def __init__(
        self,
        functions: Functions,
        height: int,
        width: int,
        steps: Sequence[Sequence[Step]],
        rows: Rows,
        masks: Sequence[Sequence[str]],
        first: Sequence[str],
    ) -> None:
        self.functions, self.height, self.width, self.rows = functions, height, width, rows
        painted = [step.name for some in steps for step in some if isinstance(step.op, Paint)]
        self.covers = list(dict.fromkeys([*first, *painted]))
        self.slots = {name: k for k, name in enumerate(self.covers)}
        alike: dict[tuple[tuple[str, ...], tuple[str, ...]], list[int]] = {}
        for n, (some, names) in enumerate(zip(steps, masks, strict=True)):
            alike.setdefault((tuple(step.name for step in some), tuple(names)), []).append(n)
        groups = [(items, passes(steps[items[0]]) or [[]]) for items in alike.values()]
        self.steps_at = raster.HEAD + 2 * max(2 * sum(isinstance(s.op, Warp) for s in some) for some in steps)
        self.covers_at = self.steps_at + 3 * max(sum(isinstance(s.op, Point) for s in some) for some in steps)
        count = max(len(turns) for _, turns in groups)
        self.words = np.zeros((count, len(rows), self.covers_at + len(self.covers)), np.int32)
        self.tables: list[np.ndarray] = []
        self.end = 0
        for items, turns in groups:
            there = set(masks[items[0]])
            for p, turn in enumerate(turns):
                self._pass(self.words[p], np.array(items), turn, there)
                there |= {step.name for step in turn if isinstance(step.op, Paint)}
            self.words[0, items, raster.FLAGS] |= raster.WHOLE_IN | raster.GIVEN
            self.words[len(turns) - 1, items, raster.FLAGS] |= raster.WHOLE_OUT | raster.ENDS

    def script(self, whole_in: bool, whole_out: bool) -> Script:
        """What was written.

        Args:
            whole_in: what comes is uint8.
            whole_out: what is made is.
        """
        self.words[..., raster.FLAGS] &= ~(0 if whole_in else raster.WHOLE_IN) & ~(0 if whole_out else raster.WHOLE_OUT)
        numbers = np.concatenate([*self.tables, np.zeros(1, np.float32)])
        return Script(self.words, numbers, self.steps_at, self.covers_at, self.covers)

    def _add(self, table: np.ndarray) -> np.ndarray:
        """Numbers of some items, (n, P), or alike for all of them; returns where those of each begin, (n,)."""
        starts = self.end + np.arange(len(table)) * table.shape[1]
        self.tables.append(np.ascontiguousarray(table, np.float32).reshape(-1))
        self.end += table.size
        return starts

    def _pass(self, words: np.ndarray, items: np.ndarray, turn: Sequence[Step], there: set[str]) -> None:
        rows = [self.rows[n] for n in items]
        warps = [step for step in turn if isinstance(step.op, Warp)]
        points = [step for step in turn if isinstance(step.op, Point)]
        words[items, raster.FLAGS] |= raster.WORKS
        if warps:
            self._map(words, items, warps, rows)
        words[items, raster.STEPS] = len(points)
        for s, step in enumerate(points):
            self._point(words, items, self.steps_at + 3 * s, step, rows)
        for name in there:
            thin = name in self.functions.lines
            words[items, self.covers_at + self.slots[name]] = raster.THIN if thin else raster.THICK

    def _map(self, words: np.ndarray, items: np.ndarray, warps: Sequence[Step], rows: Rows) -> None:
        kinds, matrices, shifting, bounds = maps.gathered(warps, self.functions.shifts, rows, self.height, self.width)
        words[items, raster.PARTS] = len(kinds)
        for q, p in enumerate(reversed(range(len(kinds)))):
            kind, column = int(kinds[p]), raster.HEAD + 2 * q
            if kind >= 0:
                table = shifting[:, bounds[p] : bounds[p + 1]]
            else:
                kind, table = split(matrices[:, p], first=q == 0)
            words[items, column], words[items, column + 1] = kind, self._add(table)

    def _point(self, words: np.ndarray, items: np.ndarray, column: int, step: Step, rows: Rows) -> None:
        op = step.op
        assert isinstance(op, Point)
        own = np.asarray(op.row(self.height, self.width, **maps.columns(step, rows)), np.float32)
        table = np.full((len(items), 1 + own.shape[-1]), np.inf, np.float32)
        table[:, 1:] = own
        slot = -1
        if isinstance(op, Paint):
            table[:, 0], slot = np.float32(op.label_above / 255), self.slots[step.name]
        words[items, column] = self.functions.points.index(type(op).pixel)
        words[items, column + 1], words[items, column + 2] = self._add(table), slot


def split(matrix: np.ndarray, first: bool) -> tuple[int, np.ndarray]:
    """Kind and numbers of matrices (B, 9) float64; `first`: of those that act on whole positions."""
    if not first or (matrix[:, 6:] != (0, 0, 1)).any():
        return MATRIX, matrix
    coarse = np.rint(matrix[:, :6] * COARSE) / COARSE
    return AFFINE, np.concatenate([coarse, matrix[:, :6] - coarse], axis=1)
