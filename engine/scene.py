"""What the steps of a recipe make of one image, with its masks and boxes."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby
from typing import Any, Protocol

import numpy as np

from sliceforge.engine import picture
from sliceforge.engine.alone import apply_image
from sliceforge.engine.errors import InputError
from sliceforge.engine.gates import Made
from sliceforge.engine.op import Apply, Op
from sliceforge.engine.recipe import Recipe

BROUGHT = "mask"
"""The name among an item's masks of the one that its parent brought along."""


class Shelf(Protocol):
    """Where bank material comes from."""

    def donor(self, bank: str, item: str) -> Any:
        """A bank's picture, with its mask."""


def make(
    recipe: Recipe,
    parent: np.ndarray,
    row: Mapping[str, Any],
    banks: Shelf | None = None,
    mask: np.ndarray | None = None,
    boxes: np.ndarray | None = None,
) -> Made:
    """One finished image from one plan row.

    Args:
        recipe: what to do.
        parent: (H, W, C) uint8 or uint16; left as it is.
        row: the plan row.
        banks: needed where the plan names bank items.
        mask: (H, W) bool, what the parent's label covers, or None.
        boxes: (N, 4), the parent's boxes, x0, y0, x1, y1 in pixel edges, or None.

    Raises:
        InputError: a value is not finite, or a bank item cannot be used.
    """
    image = picture.unit(parent)
    masks = {} if mask is None else {BROUGHT: mask}
    here = np.zeros((0, 4)) if boxes is None else np.asarray(boxes, np.float64).reshape(-1, 4)
    happening = [step for step in recipe.steps if recipe.active(step, row)]
    for apart, group in groupby(happening, key=lambda step: isinstance(step.op, Apply)):
        run: list[tuple[str, Op, dict[str, Any]]] = [(s.name, s.op, recipe.draws(s, row)) for s in group]
        if not apart:
            lines = {step.name for step in recipe.steps if getattr(step.op, "line", False)}
            rendered = picture.render(image, run, masks, here, lines)
            image, masks, here = rendered.image, rendered.masks, rendered.boxes
            continue
        for name, op, draws in run:
            if isinstance(op, Apply):
                image, masks, here = alone(name, op, draws, image, masks, here, banks)
    if not np.isfinite(image).all():
        raise InputError("non_finite", "a step made a value that is not finite")
    item = picture.quantise(image, parent.dtype)
    return Made(parent, item, masks=masks, boxes=None if boxes is None else here)


def alone(
    name: str,
    op: Apply,
    draws: Mapping[str, Any],
    image: np.ndarray,
    masks: dict[str, np.ndarray],
    boxes: np.ndarray,
    banks: Shelf | None,
) -> tuple[np.ndarray, dict[str, np.ndarray], np.ndarray]:
    """One step that runs alone: image (H, W, C) float32, masks and boxes as it leaves them.

    Raises:
        InputError: a bank item cannot be used.
    """
    item, donor = draws.get("item"), None
    if item:
        if banks is None:
            raise InputError("empty", f"the plan names an item of the bank {op.bank}, and no bank is given")
        donor = banks.donor(op.bank, item)
    stack = np.stack(list(masks.values())) if masks else np.zeros((0, *image.shape[:2]), bool)
    image, stack, boxes, painted = apply_image(op, image, stack, boxes, draws, donor)
    masks = dict(zip(masks, stack, strict=True))
    return image, masks if painted is None else {**masks, name: painted}, boxes
