"""Items as other libraries have them, and what a recipe makes of some of them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from sliceforge.engine import direct, making, regions
from sliceforge.engine.banks import Shelf
from sliceforge.engine.classes import Classes
from sliceforge.engine.codecs import audio
from sliceforge.engine.errors import InputError
from sliceforge.engine.groups import group_of
from sliceforge.engine.op import Inventory, Op, Shapes
from sliceforge.engine.outcome import OWN, Outcome
from sliceforge.engine.read import resample
from sliceforge.engine.recipe import Recipe


@dataclass(frozen=True)
class Subject:
    """An item as another library has it.

    Args:
        id: its id.
        array: (T,) float32, or (H, W, C) uint8 or uint16; not written to.
        rate: hertz; 0 for images.
        label: its class, or None.
        row: what else is said of it, as a manifest would.
        mask: (H, W) bool, or None.
        boxes: x0, y0, x1, y1 of each in pixel edges, or None.
        box_labels: the class of each box.
    """

    id: str
    array: np.ndarray
    rate: int = 0
    label: str | None = None
    row: Mapping[str, Any] = field(default_factory=dict)
    mask: np.ndarray | None = None
    boxes: Sequence[Sequence[float]] | None = None
    box_labels: Sequence[str | None] = ()


def marked(subject: Subject, marks: Mapping[str, Any], mask: np.ndarray | None, classes: Classes) -> Subject:
    """A picture with its mask, and with the `boxes` and `box_labels` that are said of it.

    Raises:
        InputError: they are no boxes.
    """
    boxes = regions.boxes(marks)
    if boxes is None:
        return replace(subject, mask=mask)
    given = marks.get("box_labels")
    words = [classes.named(one) for one in given] if isinstance(given, list) else given
    labels = regions.box_labels({"label": subject.label, "box_labels": words}, len(boxes))
    return replace(subject, mask=mask, boxes=boxes, box_labels=labels)


def make(
    recipe: Recipe,
    subjects: Sequence[Subject],
    seed: int,
    variant: int,
    shelf: Shelf,
    banks: Mapping[str, Inventory],
    slice_: str | None = None,
) -> list[Outcome]:
    """What becomes of some items, drawn together; one that cannot be made has a reason.

    Args:
        variant: from 1.
        shelf: the banks.
        banks: what a draw may know of them.
        slice_: the promise that each made item keeps.
    """
    outcomes = [Outcome({}) for _ in subjects]
    ready: dict[int, Subject] = {}
    for place, one in enumerate(subjects):
        try:
            ready[place] = _clip(recipe, one) if recipe.kind == "audio" else one
        except InputError as error:
            outcomes[place] = Outcome({}, error.reason, error.detail)
    known = list(ready.values())
    drawn = direct.rows(recipe, seed, [one.id for one in known], variant, shapes(known, banks), slice_)
    left = []
    for (place, one), row in zip(ready.items(), drawn, strict=True):
        if row is None:
            outcomes[place] = Outcome({}, "gate.slice", "no draw is inside")
            continue
        outcomes[place] = Outcome({**_row(one, variant), **row})
        left.append((outcomes[place], making.Source(one.array, one.rate, one.mask, _boxes(one))))
    making.make(recipe, [pair[0] for pair in left], [pair[1] for pair in left], shelf, gates=False)
    return outcomes


def shapes(subjects: Sequence[Subject], banks: Mapping[str, Inventory]) -> Shapes:
    """What a draw may know of some items."""
    sound = [one.rate > 0 for one in subjects]
    pairs = zip(subjects, sound, strict=True)
    sizes = [(len(one.array), one.rate, 0, 0) if heard else (0, 0, *one.array.shape[:2]) for one, heard in pairs]
    length, rate, height, width = np.array(sizes, np.int64).reshape(-1, 4).T.copy()
    whose = np.array([group_of(one.row, one.id) for one in subjects], object)
    return Shapes(length, rate, height, width, banks, whose)


def moves(recipe: Recipe) -> bool:
    """Whether one of its steps moves moments of a clip."""
    return any(type(step.op).moment is not Op.moment for step in recipe.steps)


def _clip(recipe: Recipe, one: Subject) -> Subject:
    """A clip that can be worked on, at the recipe's rate.

    Raises:
        InputError: empty, non_finite, silent, unreadable.
    """
    if not len(one.array):
        raise InputError("empty", "0 samples")
    if not 1000 <= one.rate <= 768_000:
        raise InputError("unreadable", f"a rate of {one.rate} Hz")
    if not np.isfinite(one.array).all():
        raise InputError("non_finite", "a value is not finite")
    audio.check_level(one.array)
    rate = recipe.rate or one.rate
    return replace(one, array=resample(one.array, one.rate, rate), rate=rate)


def _row(one: Subject, variant: int) -> dict[str, Any]:
    """The parent's part of a plan row."""
    row = {name: value for name, value in one.row.items() if name not in OWN and "." not in name}
    marks = None if one.boxes is None else [[float(edge) for edge in box] for box in one.boxes]
    return {
        **row,
        "id": f"{one.id}~{variant}",
        "parent": one.id,
        "path": None,
        "label": one.label,
        "split": one.row.get("split"),
        "group": one.row.get("group"),
        "variant": variant,
        "read.boxes": None if marks is None else json.dumps(marks),
        "read.box_labels": None if marks is None else json.dumps(list(one.box_labels), ensure_ascii=False),
    }


def _boxes(one: Subject) -> np.ndarray | None:
    if one.boxes is None:
        return None
    height, width = one.array.shape[:2]
    return np.clip(np.array(one.boxes, np.float64).reshape(-1, 4), 0, [width, height, width, height])
