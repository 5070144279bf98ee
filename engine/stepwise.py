"""The plain executor: one item, one step after the other. Its meaning is what faster executors must keep."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from sliceforge.engine import scene, sound
from sliceforge.engine.gates import Made, Verdict
from sliceforge.engine.recipe import Recipe


def make(
    recipe: Recipe,
    parent: np.ndarray,
    rate: int,
    row: Mapping[str, Any],
    banks: Any = None,
    mask: np.ndarray | None = None,
    boxes: np.ndarray | None = None,
) -> Made:
    """One finished item from one plan row.

    Args:
        recipe: what to do.
        parent: audio (T,) float32, or image (H, W, C) uint8 or uint16; left as it is.
        rate: hertz, 0 for images.
        row: the plan row.
        banks: needed where the plan names bank items.
        mask, boxes: what an image's label covers, (H, W) bool and (N, 4).

    Raises:
        InputError: where a level cannot be measured, or a value is not finite.
    """
    if recipe.kind == "image":
        return scene.make(recipe, parent, row, banks, mask, boxes)
    return sound.make(recipe, parent, rate, row, banks)


def measure(recipe: Recipe, made: Made, row: Mapping[str, Any]) -> dict[str, Verdict]:
    """What each gate finds on a made item; gates of steps that did not happen are left out."""
    found = {}
    for name, gate in recipe.gates.items():
        step = recipe.step(gate.step) if gate.step else None
        if step is not None and not recipe.active(step, row):
            continue
        if gate.whole or step is None:
            found[name] = gate.measure(made, recipe, row)
        else:
            found[name] = gate.measure(made, step.op, recipe.draws(step, row))
    return found
