"""The objects of a made image: each thing that a step painted, and each that its parent brought along."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sliceforge.engine import picture
from sliceforge.engine.op import Apply, Paint
from sliceforge.engine.recipe import Recipe
from sliceforge.engine.scene import BROUGHT

if TYPE_CHECKING:
    from sliceforge.engine.outcome import Outcome


@dataclass(frozen=True)
class Thing:
    """One object.

    Args:
        label: its class, or None.
        box: x0, y0, x1, y1 in pixel edges.
        mask: (H, W) bool, or None where a box is all that is known.
    """

    label: str | None
    box: list[float]
    mask: np.ndarray | None = None


def found(recipe: Recipe, outcome: Outcome) -> tuple[Thing, ...]:
    """Every object of an image, those that were brought first.

    One painting step is one object, however many pieces its mask has. A brought box is one object; its mask is what of
    the parent's mask lies in the box. A brought mask without any box is one object with the parent's label.
    """
    there = brought(outcome)
    mask = outcome.made.masks.get(BROUGHT) if outcome.made else None
    if mask is None:
        return (*there, *painted(recipe, outcome))
    whole = picture.tight_box(mask)
    if whole and outcome.row.get("read.boxes") is None:
        there = [Thing(outcome.row["label"], list(whole), mask)]
    else:
        there = [Thing(one.label, one.box, _within(mask, one.box)) for one in there]
    return (*there, *painted(recipe, outcome))


def brought(outcome: Outcome) -> list[Thing]:
    """The parent's boxes that are still in the image."""
    boxes = outcome.made.boxes if outcome.made else None
    if boxes is None:
        return []
    labels = json.loads(outcome.row.get("read.box_labels") or "null") or [outcome.row["label"]] * len(boxes)
    rounded = [[round(float(edge), 3) for edge in box] for box in boxes]
    kept = [pair for pair in zip(labels, rounded, strict=True) if pair[1][0] < pair[1][2] and pair[1][1] < pair[1][3]]
    return [Thing(label, box) for label, box in kept]


def painted(recipe: Recipe, outcome: Outcome) -> list[Thing]:
    """Every painted mask that is not empty, with its tight box."""
    things = []
    for name, mask in outcome.made.masks.items() if outcome.made else ():
        box = picture.tight_box(mask)
        if name != BROUGHT and box:
            op = recipe.step(name).op
            own = op.label if isinstance(op, Paint | Apply) else ""
            things.append(Thing(outcome.row.get(f"{name}.label") or own, list(box), mask))
    return things


def _within(mask: np.ndarray, box: list[float]) -> np.ndarray | None:
    """What of a mask lies in the pixels that a box touches, or None where that is nothing."""
    x0, y0 = (int(np.floor(edge)) for edge in box[:2])
    x1, y1 = (int(np.ceil(edge)) for edge in box[2:])
    part = np.zeros_like(mask)
    part[y0:y1, x0:x1] = mask[y0:y1, x0:x1]
    return part if part.any() else None
