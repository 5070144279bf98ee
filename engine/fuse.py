"""A recipe's steps as segments: neighbours that run as one pass over the data; and the batch that goes through them.

`tests/reference.py` and the step-by-step executor say what comes out; this says how fast.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from typing import Any

import numpy as np

from sliceforge.engine.errors import InputError
from sliceforge.engine.gates import Made
from sliceforge.engine.op import Apply, Gain, Mix, Op, Paint, Point, Source, Spectrum, Warp
from sliceforge.engine.recipe import Recipe
from sliceforge.engine.step import Step


@dataclass(frozen=True)
class Task:
    """What one item is made from.

    Args:
        parent: audio (T,) float32, or image (H, W, C) uint8 or uint16; left as it is.
        rate: hertz, 0 for images.
        row: the plan row.
        mask, boxes: what an image's label covers, (H, W) bool and (N, 4), or None.
    """

    parent: np.ndarray
    rate: int
    row: dict[str, Any]
    mask: np.ndarray | None = None
    boxes: np.ndarray | None = None


def make(
    recipe: Recipe, tasks: Sequence[Task], banks: Any = None, threads: int = 1, device: str = "cpu"
) -> list[Made | InputError]:
    """Finished items, in order; instead of one that cannot be made, why not.

    On the CPU the bytes of an item depend on its own task alone: not on the batch, nor on the number of threads. A
    CUDA device makes it within one step of 16 bits or one grey level of that.

    Args:
        recipe: what to do.
        tasks: one for each item.
        banks: needed where a plan names bank items.
        threads: how many items are made at a time on the CPU.
        device: cpu, cuda or cuda:N.

    Raises:
        SettingError: a warp with no sensible map, or no such device.
    """
    if device != "cpu":
        return _on_cuda(recipe, tasks, banks, device)
    if recipe.kind == "image":
        from sliceforge.engine.cpu import image

        return image.make(recipe, tasks, banks, threads)
    from sliceforge.engine.cpu import sound

    def one(task: Task) -> Made | InputError:
        try:
            return sound.make(recipe, task.parent, task.rate, task.row, banks)
        except InputError as error:
            return error

    return list(crew(threads).map(one, tasks)) if threads > 1 else [one(task) for task in tasks]


def _on_cuda(recipe: Recipe, tasks: Sequence[Task], banks: Any, device: str) -> list[Made | InputError]:
    if recipe.kind == "image":
        from sliceforge.engine.cuda import image

        return image.make(recipe, tasks, banks, device)
    from sliceforge.engine.cuda import sound

    return sound.make_items(recipe, tasks, banks, device)


@lru_cache(maxsize=4)
def crew(threads: int) -> ThreadPoolExecutor:
    """Threads that are kept; compiled loops and transforms let them run at once."""
    return ThreadPoolExecutor(threads, "sliceforge")


def only(made: Sequence[Made | InputError]) -> Made:
    """The one item of a batch of one.

    Raises:
        InputError: why it could not be made.
    """
    (one,) = made
    if isinstance(one, InputError):
        raise one
    return one


@dataclass(frozen=True)
class Segment:
    """Neighbouring steps that run as one pass, where all of them happen.

    Args:
        form: what it does.
        steps: their names, in order.
    """

    form: str
    steps: tuple[str, ...]


def segments(recipe: Recipe) -> list[Segment]:
    """The passes that a recipe's steps become, in order.

    Where an item skips a step, its neighbours become neighbours of each other, so that an item never has more.
    """
    found: list[Segment] = []
    if recipe.kind == "image":
        for alone, group in groupby(recipe.steps, key=lambda step: isinstance(step.op, Apply)):
            steps = list(group)
            if alone:
                found += [Segment("alone", (step.name,)) for step in steps]
                continue
            found += [Segment(" + ".join(_forms(one)), tuple(step.name for step in one)) for one in passes(steps)]
        return found
    for form, group in groupby(recipe.steps, key=lambda step: _sound(step.op)):
        names = [step.name for step in group]
        together = form in ("convolution", "levels and sum")
        found += [Segment(form, tuple(names))] if together else [Segment(form, (name,)) for name in names]
    return found


def passes(steps: Sequence[Step]) -> list[list[Step]]:
    """Image steps in passes: the warps of each come first and are one resampling, its points follow."""
    found: list[list[Step]] = []
    for step in steps:
        begins = isinstance(step.op, Warp) and found and not isinstance(found[-1][-1].op, Warp)
        if begins or not found:
            found.append([])
        found[-1].append(step)
    return found


def _forms(steps: Sequence[Step]) -> list[str]:
    names = ["one resampling"] if isinstance(steps[0].op, Warp) else []
    if any(isinstance(step.op, Paint) for step in steps):
        names.append("paints")
    if any(isinstance(step.op, Point) and not isinstance(step.op, Paint) for step in steps):
        names.append("points")
    return names


def _sound(op: Op) -> str:
    if isinstance(op, Source):
        return "source"
    if isinstance(op, Spectrum):
        return "convolution"
    if isinstance(op, Mix | Gain | Point):
        return "levels and sum"
    return "alone"
