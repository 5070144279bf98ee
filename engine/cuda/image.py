"""A batch of images on a CUDA device: images of one size go up in one copy and come back in one.

`engine/cpu/image.py` does the same on a CPU. Between steps that run alone, what happens to each item is its own script,
so that images of one size share their launches, one for each pass of the item that has the most.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from sliceforge.engine import picture
from sliceforge.engine.cpu import maps
from sliceforge.engine.cuda import scene
from sliceforge.engine.cuda.device import check
from sliceforge.engine.cuda.flush import Landed, flush
from sliceforge.engine.cuda.scripts import Functions
from sliceforge.engine.errors import InputError
from sliceforge.engine.fuse import Task, passes
from sliceforge.engine.gates import Made
from sliceforge.engine.op import Apply, Warp
from sliceforge.engine.recipe import Recipe
from sliceforge.engine.scene import BROUGHT
from sliceforge.engine.step import Step


@dataclass
class Item:
    """An image on its way.

    Args:
        task: what it is made from.
        image: its pixels on the host as they were read, or (C, H, W) float32 on the device.
        masks: name → (H, W): bool on the host, or uint8 on the device, as the image is.
        boxes: (N, 4).
        waiting: steps that happen to it and have not been done yet.
        earlier: what it was on the device before steps that run alone, which may hide a value that is not finite.
        landed: the finished pixels and masks, once they are under way.
        error: why it cannot be made.
    """

    task: Task
    image: np.ndarray | torch.Tensor
    masks: dict[str, Any]
    boxes: np.ndarray
    waiting: list[Step] = field(default_factory=list)
    earlier: list[tuple[Landed, int]] = field(default_factory=list)
    landed: tuple[Landed, int] | None = None
    error: InputError | None = None

    @property
    def fresh(self) -> bool:
        """Whether it is still on the host."""
        return isinstance(self.image, np.ndarray)

    @property
    def sides(self) -> tuple[int, int, int]:
        """Channels, height and width."""
        one, two, three = self.image.shape
        return (three, one, two) if self.fresh else (one, two, three)


def make(recipe: Recipe, tasks: Sequence[Task], banks: Any = None, device: str = "cuda") -> list[Made | InputError]:
    """Finished items, in order, within one step of what the CPU makes; instead of one that cannot be made, why not.

    Args:
        recipe: what to do.
        tasks: one for each item.
        banks: needed where a plan names bank items.
        device: as torch names it.

    Raises:
        SettingError: no such device, or a warp with no sensible map.
    """
    return [_finished(item) for item in launched(recipe, tasks, banks, device)]


def launched(recipe: Recipe, tasks: Sequence[Task], banks: Any = None, device: str = "cuda") -> list[Item]:
    """The same on their way: those that a step happened to are `landed` or have their `error`, the others are as read.

    Nobody has waited for the device but for steps that run alone.

    Args:
        recipe, tasks, banks, device: as for `make`.

    Raises:
        SettingError: no such device, or a warp with no sensible map.
    """
    check(device)
    functions, items = Functions(recipe), [_begin(task) for task in tasks]
    with torch.no_grad(), nullcontext() if device == "cpu" else torch.cuda.device(device):
        for step in recipe.steps:
            happens = [item for item in items if not item.error and recipe.active(step, item.task.row)]
            if not isinstance(step.op, Apply):
                for item in happens:
                    item.waiting.append(step)
                continue
            _through(functions, [item for item in happens if item.waiting], device, last=False)
            scene.aboard([item for item in happens if item.fresh], device)
            scene.apply(step, recipe, happens, banks)
        left = [item for item in items if not item.error and (item.waiting or not item.fresh)]
        _through(functions, left, device, last=True)
    return items


def _begin(task: Task) -> Item:
    masks = {} if task.mask is None else {BROUGHT: task.mask}
    boxes = np.zeros((0, 4)) if task.boxes is None else np.asarray(task.boxes, np.float64).reshape(-1, 4)
    return Item(task, task.parent, masks, boxes)


def _through(functions: Functions, items: Iterable[Item], device: str, last: bool) -> None:
    """Do what waits, images of one size together."""
    alike: dict[Any, list[Item]] = {}
    for item in items:
        alike.setdefault((item.fresh, item.sides, item.task.parent.dtype), []).append(item)
    for some in alike.values():
        for part in flush(functions, some, device, last):
            _boxes(part)
            for item in part:
                item.waiting = []


def _boxes(items: Sequence[Item]) -> None:
    for item in items:
        if not len(item.boxes):
            continue
        _, height, width = item.sides
        for turn in passes(item.waiting):
            warps = [step for step in turn if isinstance(step.op, Warp)]
            if warps:
                item.boxes = maps.boxes(item.boxes, warps, item.task.row, height, width)


def _finished(item: Item) -> Made | InputError:
    task = item.task
    if item.error:
        return item.error
    image, masks = task.parent.copy(), {name: np.asarray(mask) for name, mask in item.masks.items() if item.fresh}
    if item.landed:
        landed, n = item.landed
        image, masks = landed.image(n), landed.masks(n, list(item.masks))
        if any(one.flawed[at] for one, at in (*item.earlier, item.landed)):
            return InputError("non_finite", "a step made a value that is not finite")
        if image.dtype != task.parent.dtype:
            image = picture.quantise(image.transpose(1, 2, 0), task.parent.dtype)
    return Made(task.parent, image, masks=masks, boxes=None if task.boxes is None else item.boxes)
