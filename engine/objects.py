"""The objects of a made image: each thing that a step painted, and each that its parent brought along."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np

from sliceforge.engine import picture, regions, scene
from sliceforge.engine.op import Apply, Op, Paint, Warp
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

    One painting step is one object, however many pieces its mask has. A brought box is one object. With an outline of
    its own that is its mask, and once it was moved its box is tight; where its parent has one mask for all, what of
    that lies in the box. A brought mask without any box is one object with the parent's label.
    """
    there = brought(recipe, outcome)
    mask = outcome.made.masks.get(BROUGHT) if outcome.made else None
    whole = None if mask is None else picture.tight_box(mask)
    if whole and outcome.row.get("read.boxes") is None:
        there = [Thing(outcome.row["label"], list(whole), mask)]
    return (*there, *painted(recipe, outcome))


def brought(recipe: Recipe, outcome: Outcome) -> list[Thing]:
    """The parent's boxes that are still in the image, with their masks."""
    if outcome.brought is None:
        outcome.brought = _brought(recipe, outcome)
    return outcome.brought


def _brought(recipe: Recipe, outcome: Outcome) -> list[Thing]:
    boxes = outcome.made.boxes if outcome.made else None
    if outcome.made is None or boxes is None:
        return []
    labels = json.loads(outcome.row.get("read.box_labels") or "null") or [outcome.row["label"]] * len(boxes)
    rounded = [[round(float(edge), 3) for edge in box] for box in boxes]
    whole, own = outcome.made.masks.get(BROUGHT), _outlines(recipe, outcome)
    height, width = outcome.made.parent.shape[:2]
    before = np.clip(json.loads(outcome.row["read.boxes"]), 0, [width, height] * 2) if own else boxes
    things = []
    for place, (label, box) in enumerate(zip(labels, rounded, strict=True)):
        if not (box[0] < box[2] and box[1] < box[3]):
            continue
        if own is None or whole is None:
            things.append(Thing(label, box, None if whole is None else _within(whole, box)))
        elif place not in own:
            things.append(Thing(label, box))
        else:
            # Nothing is left of an object that a step covered, or whose box alone still reaches into the image.
            mask = own[place] & whole
            tight = picture.tight_box(mask)
            moved = not np.allclose(box, before[place], rtol=0, atol=1e-3)
            things += [Thing(label, list(map(float, tight)) if moved else box, mask)] if tight else []
    return things


def _outlines(recipe: Recipe, outcome: Outcome) -> dict[int, np.ndarray] | None:
    """Place of a box → the mask of its own outline in the image; None where the parent has no outlines.

    The union that an image's steps carry does not tell objects that overlap from each other: each outline goes once
    more through the steps that move pixels.
    """
    text, made = outcome.row.get("read.segmentations"), outcome.made
    if made is None or not text or outcome.row.get("read.mask"):
        return None
    height, width = made.parent.shape[:2]
    masks = _drawn(text, height, width)
    moving = [step for step in recipe.steps if _moves(step.op) and recipe.active(step, outcome.row)]
    blank = np.zeros((height, width, 1), np.float32)
    for alone, group in groupby(moving, key=lambda step: isinstance(step.op, Apply)):
        run = [(step.name, step.op, recipe.draws(step, outcome.row)) for step in group]
        if not alone:
            rendered = picture.render(blank, run, masks)
            blank, masks = rendered.image, rendered.masks
            continue
        for name, op, draws in run:
            assert isinstance(op, Apply)
            blank, masks, _ = scene.alone(name, op, draws, blank, masks, np.zeros((0, 4)), None)
    return {int(name): mask for name, mask in masks.items()}


def _drawn(text: str, height: int, width: int) -> dict[str, np.ndarray]:
    """Place of a box → the mask of its outline, where that covers a pixel."""
    outlines = {str(i): regions.outlined(one, height, width) for i, one in enumerate(json.loads(text)) if one}
    return {name: mask for name, mask in outlines.items() if mask.any()}


def _moves(op: Op) -> bool:
    """Whether a step moves pixels: a warp, or one that runs alone and paints nothing."""
    return isinstance(op, Warp) or (isinstance(op, Apply) and not op.paints)


def named(row: Mapping[str, Any]) -> bool:
    """Whether a plan row's label is no more than the labels of its parent's boxes."""
    labels = json.loads(row.get("read.box_labels") or "null") or ()
    return bool(labels) and all(labels) and row["label"] == "+".join(dict.fromkeys(labels))


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
