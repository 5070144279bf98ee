"""The fused executor for images, on the CPU: a batch in passes, each item on one thread."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sliceforge.engine import picture
from sliceforge.engine.cpu import maps
from sliceforge.engine.cpu.blocks import arrays
from sliceforge.engine.cpu.loops import compiled
from sliceforge.engine.errors import InputError
from sliceforge.engine.fuse import Task, crew, passes
from sliceforge.engine.gates import Made
from sliceforge.engine.op import Apply, Paint, Point, Warp
from sliceforge.engine.recipe import Recipe
from sliceforge.engine.scene import BROUGHT, alone
from sliceforge.engine.step import Step

MOST_BYTES = 64 << 20
"""Of float32 that a pass holds at once: a batch of larger images goes through in parts."""


@dataclass
class _Item:
    """An image on its way.

    Args:
        task: what it is made from.
        image: (H, W, C) uint8 as it was read, or (C, H, W) float32.
        masks: name → (H, W) bool.
        boxes: (N, 4).
        waiting: which steps happen to it and have not been done yet: 2 to the place of each in the recipe, added up.
        error: why it cannot be made.
    """

    task: Task
    image: np.ndarray
    masks: dict[str, np.ndarray]
    boxes: np.ndarray
    waiting: int = 0
    error: InputError | None = None

    @property
    def sides(self) -> tuple[int, int]:
        """Height and width."""
        return self.image.shape[:2] if self.image.dtype == np.uint8 else self.image.shape[1:]


def make(recipe: Recipe, tasks: Sequence[Task], banks: Any, threads: int) -> list[Made | InputError]:
    """See `fuse.make`."""
    items = [_begin(task) for task in tasks]
    run = _Run(recipe, threads)
    for place, step in enumerate(recipe.steps):
        happens = items
        if step.p < 1 or step.group:
            happens = [item for item in items if recipe.active(step, item.task.row)]
        if not isinstance(step.op, Apply):
            for item in happens:
                item.waiting |= 1 << place
            continue
        happens = [item for item in happens if not item.error]
        run.flush(happens, last=False)
        for item in happens:
            _apply(step, recipe, item, banks)
    run.flush([item for item in items if not item.error], last=True)
    return [_finished(item) for item in items]


def _begin(task: Task) -> _Item:
    image = task.parent
    if image.dtype != np.uint8:
        image = np.ascontiguousarray(picture.unit(image).transpose(2, 0, 1))
    masks = {} if task.mask is None else {BROUGHT: task.mask}
    boxes = np.zeros((0, 4)) if task.boxes is None else np.asarray(task.boxes, np.float64).reshape(-1, 4)
    return _Item(task, image, masks, boxes)


def _apply(step: Step, recipe: Recipe, item: _Item, banks: Any) -> None:
    assert isinstance(step.op, Apply)
    if item.error:
        return
    if item.image.dtype == np.uint8:
        item.image = np.ascontiguousarray(picture.unit(item.image).transpose(2, 0, 1))
    draws = recipe.draws(step, item.task.row)
    try:
        image, item.masks, item.boxes = alone(
            step.name, step.op, draws, item.image.transpose(1, 2, 0), item.masks, item.boxes, banks
        )
    except InputError as error:
        item.error = error
        return
    item.image = np.ascontiguousarray(image.transpose(2, 0, 1))


def _finished(item: _Item) -> Made | InputError:
    task, image = item.task, item.image
    if item.error is None and image.dtype != np.uint8 and not np.isfinite(image).all():
        item.error = InputError("non_finite", "a step made a value that is not finite")
    if item.error:
        return item.error
    if image.dtype != np.uint8:
        image = picture.quantise(image.transpose(1, 2, 0), task.parent.dtype)
    boxes = None if task.boxes is None else item.boxes
    return Made(task.parent, image.copy() if image is task.parent else image, masks=item.masks, boxes=boxes)


class _Run:
    """The compiled loops of a recipe, and how items go through them.

    Args:
        recipe: whose steps.
        threads: at a time.
    """

    def __init__(self, recipe: Recipe, threads: int) -> None:
        self.threads, self.steps = threads, recipe.steps
        self.points = [step for step in recipe.steps if isinstance(step.op, Point)]
        ops = [step.op for step in recipe.steps if isinstance(step.op, Point)]
        self.pixels = tuple((type(op).pixel, isinstance(op, Paint)) for op in ops)
        self.place = {step.name: i for i, step in enumerate(self.points)}
        warps = [type(step.op) for step in recipe.steps if isinstance(step.op, Warp)]
        shifts = [(warp.shift, warp.line, warp.along) for warp in warps if warp.shift is not None]
        self.shifts: list[Any] = list(dict.fromkeys(shifts))
        self.lines = {step.name for step in recipe.steps if getattr(step.op, "line", False)}

    def loop(self, whole_in: bool, whole_out: bool) -> Any:
        """The loop for these ends."""
        return compiled(self.pixels, tuple(self.shifts), whole_in, whole_out)

    def flush(self, items: Iterable[_Item], last: bool) -> None:
        """Do what waits, like items together."""
        alike: dict[Any, list[_Item]] = {}
        for item in items:
            if item.waiting:
                key = item.waiting, item.image.shape, item.image.dtype, tuple(item.masks)
                alike.setdefault(key, []).append(item)
        for some in alike.values():
            most = max(1, MOST_BYTES // (4 * some[0].image.size))
            for start in range(0, len(some), most):
                self._through(some[start : start + most], last)

    def _through(self, items: list[_Item], last: bool) -> None:
        steps = [step for i, step in enumerate(self.steps) if items[0].waiting >> i & 1]
        rows = [item.task.row for item in items]
        names = [*items[0].masks, *(step.name for step in steps if isinstance(step.op, Paint))]
        slots = {name: k for k, name in enumerate(names)}
        height, width = items[0].sides
        covers = np.zeros((len(items), len(names), height, width), np.float32)
        for item, cover in zip(items, covers, strict=True):
            for name, mask in item.masks.items():
                cover[slots[name]] = mask
        images = [np.ascontiguousarray(item.image) for item in items]
        there, flaws = set(items[0].masks), np.zeros(len(items), np.int32)
        turns = passes(steps)
        for turn in turns:
            whole = last and turn is turns[-1] and items[0].task.parent.dtype == np.uint8
            images, covers, flawed = self._pass(turn, rows, images, covers, slots, there, whole)
            flaws |= flawed
            there |= {step.name for step in turn if isinstance(step.op, Paint)}
            self._boxes(turn, items, height, width)
        least = {name: picture.LINE_COVERED if name in self.lines else picture.COVERED for name in names}
        for n, item in enumerate(items):
            item.image, item.waiting = images[n], 0
            if names:
                item.masks = {name: covers[n, k] >= least[name] for name, k in slots.items()}
            if flaws[n]:
                item.error = InputError("non_finite", "a step made a value that is not finite")

    def _boxes(self, turn: list[Step], items: list[_Item], height: int, width: int) -> None:
        warps = [step for step in turn if isinstance(step.op, Warp)]
        for item in items if warps else []:
            if len(item.boxes):
                item.boxes = maps.boxes(item.boxes, warps, item.task.row, height, width)

    def _pass(
        self,
        turn: list[Step],
        rows: Sequence[Mapping[str, Any]],
        images: list[np.ndarray],
        covers: np.ndarray,
        slots: Mapping[str, int],
        there: set[str],
        whole: bool,
    ) -> tuple[list[np.ndarray], np.ndarray, np.ndarray]:
        count, whole_in, shape = len(images), images[0].dtype == np.uint8, images[0].shape
        height, width, channels = shape if whole_in else (*shape[1:], shape[0])
        warps = [step for step in turn if isinstance(step.op, Warp)]
        moves = maps.gathered(warps, [shift[0] for shift in self.shifts], rows, height, width)
        points = self._numbers(turn, rows, height, width, slots)
        here = np.array([name in there for name in slots], bool)
        moved = np.zeros_like(covers) if warps else covers
        size, kind = ((height, width, channels), np.uint8) if whole else ((channels, height, width), np.float32)
        made = arrays(count, size, kind)
        sources, outs = _addresses(images), _addresses(made)
        sides, ends = (height, width, channels), (np.empty(0, images[0].dtype), np.empty(0, kind))
        flaws, loop = np.zeros(count, np.int32), self.loop(whole_in, whole)
        packed = (channels, height, width) if warps and whole_in else (0, 0, 0)

        def part(low: int, high: int) -> None:
            quads, line = np.empty(packed, np.uint32), np.empty(moves[2].shape[1], np.float32)
            loop(sources, outs, ends, sides, quads, line, (covers, moved, here), moves, points, flaws, low, high)

        edges = np.linspace(0, count, min(self.threads, count) + 1).astype(int).tolist()
        if len(edges) == 2:
            part(0, count)
        else:
            list(crew(self.threads).map(part, edges[:-1], edges[1:]))
        return made, moved, flaws

    def _numbers(
        self, turn: list[Step], rows: Sequence[Mapping[str, Any]], height: int, width: int, slots: Mapping[str, int]
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Which points happen, where the numbers of each begin, what the paints need, and the numbers (B, P)."""
        on, starts = np.zeros(len(self.points), bool), np.zeros(len(self.points) + 1, np.int64)
        above, place = np.zeros(len(self.points), np.float32), np.zeros(len(self.points), np.int64)
        tables: dict[int, np.ndarray] = {}
        for step in turn:
            if not isinstance(step.op, Point):
                continue
            i = self.place[step.name]
            on[i] = True
            own = step.op.row(height, width, **maps.columns(step, rows))
            tables[i] = np.broadcast_to(np.asarray(own, np.float32), (len(rows), np.shape(own)[-1]))
            if isinstance(step.op, Paint):
                above[i], place[i] = np.float32(step.op.label_above / 255), slots[step.name]
        for i in range(len(self.points)):
            starts[i + 1] = starts[i] + (tables[i].shape[1] if i in tables else 0)
        parts = [tables[i] for i in sorted(tables)]
        table = np.concatenate(parts, axis=1) if parts else np.zeros((len(rows), 0), np.float32)
        return on, starts, above, place, np.ascontiguousarray(table)


def _addresses(images: Sequence[np.ndarray]) -> np.ndarray:
    """Where each array's values begin, (B,) int64."""
    return np.array([image.__array_interface__["data"][0] for image in images], np.int64)
