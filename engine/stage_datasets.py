"""A stage in `datasets`: the transform of a data set, or the function of `map`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from sliceforge.engine import forms, forms_picture, forms_sound, subjects
from sliceforge.engine.errors import InputError, SettingError, did_you_mean
from sliceforge.engine.item import line
from sliceforge.engine.moments import ALIGNMENTS, DURATION, MOMENTS
from sliceforge.engine.outcome import Outcome
from sliceforge.engine.read import RATES
from sliceforge.engine.subjects import Subject, marked

if TYPE_CHECKING:
    from sliceforge.engine.stage import Stage

OURS: dict[str, Any] = {"made": False, "reason": "", "row": ""}
"""Columns that are added: whether an item is made, why one is not that should have been, and the row of a made one in a
manifest, as JSON. Any collate function takes them."""


def rows(stage: Stage, batch: Mapping[str, Any], id_: str, column: str, arrays: bool) -> dict[str, list[Any]]:
    """A batch with its share of made items, drawn together; what came in goes out, in the form that it came in.

    A column of that name is understood: `mask` (one class), `boxes` (x0, y0, x1, y1 in pixels) with `box_labels`,
    `label`; and of a clip `words`, `start` and `end` where a step moves them, and its speaker. Where a recipe paints,
    there is a `mask` always.

    Args:
        stage: what makes them.
        batch: column → values.
        id_: the column of ids; without it an item's id is the hash of its content.
        column: of the sounds or pictures; empty: the first that holds any.
        arrays: sounds go out as `{"array": (T,) float32, "sampling_rate": …}` and pictures as (H, W, C), originals too.

    Raises:
        SettingError: there is no such column.
    """
    if not batch:
        return {}
    column = column or _found(batch, stage.recipe.kind)
    _check(batch, id_, column)
    count = len(batch[column])
    ids = [None if one is None else str(_item(one)) for one in batch.get(id_, [None] * count)]
    reader = _Reader(stage, batch, column, ids)
    outcomes = stage.outcomes(ids, reader.subject)
    out = {name: list(values) for name, values in batch.items()}
    out |= {name: list(batch.get(name, [empty] * count)) for name, empty in OURS.items()}
    if stage.recipe.paints() and "mask" not in out:
        out["mask"] = [None] * count
    for place in range(count):
        reader.put(out, place, outcomes.get(place), arrays)
    return out


def _check(batch: Mapping[str, Any], id_: str, column: str) -> None:
    """Refuse a batch without these columns, or a single row.

    Raises:
        SettingError: naming the column.
    """
    for name in (column, *([id_] if id_ != "id" else [])):
        if name not in batch:
            raise SettingError(f"columns: no column {name!r}{did_you_mean(name, batch)}")
    if _single(batch[column]):
        raise SettingError(
            f"columns: {column} is a single value; expected a batch, such as map(stage.rows, batched=True)"
        )


class _Reader:
    """Items of a batch, each read once.

    Args:
        stage: what makes them.
        batch: column → values.
        column: of the sounds or pictures.
        ids: of the items, or None.
    """

    def __init__(self, stage: Stage, batch: Mapping[str, list[Any]], column: str, ids: list[str | None]) -> None:
        self.stage, self.batch, self.column, self.ids = stage, batch, column, ids
        self.sound = stage.recipe.kind == "audio"
        own = {column, "label", *OURS} | (set() if self.sound else {"mask", "boxes", "box_labels"})
        if not subjects.moves(stage.recipe):
            own |= {*MOMENTS, DURATION, *ALIGNMENTS}
        self.said = [name for name in batch if name not in own]
        self._forms: dict[int, forms.Form] = {}

    def form(self, place: int) -> forms.Form:
        """The sound or picture at a place.

        Raises:
            InputError: it cannot be read.
        """
        if place not in self._forms:
            value = self.batch[self.column][place]
            self._forms[place] = forms_sound.sound(value) if self.sound else forms_picture.picture(value)
        return self._forms[place]

    def subject(self, place: int) -> Subject:
        """The item at a place.

        Raises:
            InputError: it, or its marks, cannot be read.
        """
        form = self.form(place)
        said = {name: self.batch[name][place] for name in self.said}
        row = {
            name: value for name, value in said.items() if name in ALIGNMENTS or isinstance(value, str | int | float)
        }
        label = self.stage.classes.named(_item(self.batch["label"][place])) if "label" in self.batch else None
        subject = Subject(self.ids[place] or form.key(), form.array, form.rate, label, row)
        if self.sound:
            return subject
        marks = {name: self.batch[name][place] for name in ("boxes", "box_labels") if name in self.batch}
        return marked(subject, marks, self._mask(place)[0], self.stage.classes)

    def _mask(self, place: int) -> tuple[np.ndarray | None, Any]:
        value = self.batch["mask"][place] if "mask" in self.batch else None
        if value is None:
            return None, forms_picture.blank(self.batch[self.column][place])
        return forms_picture.mask(value, *self.form(place).array.shape[:2])

    def put(self, out: dict[str, list[Any]], place: int, outcome: Outcome | None, arrays: bool) -> None:
        """What becomes of the item at a place, in its row."""
        made = outcome.made if outcome and not outcome.reason else None
        if outcome is None or made is None:
            out["reason"][place] = outcome.reason if outcome else out["reason"][place]
            self._pass(out, place, arrays)
            return
        facts = self.stage.facts(outcome)
        out["made"][place], out["row"][place] = True, line(facts).decode().rstrip("\n")
        form = self.form(place)
        out[self.column][place] = _plain(made.item, made.rate) if arrays else form.back(made.item, made.rate)
        for name in self.said:
            if name in facts and name in (*self.stage.recipe.sets, *MOMENTS, DURATION, *ALIGNMENTS, *RATES):
                out[name][place] = facts[name]
        if "label" in out:
            out["label"][place] = self.stage.classes.renamed(_item(out["label"][place]), facts["label"])
        if not self.sound:
            self._put_marks(out, place, made.masks, facts, made.item.shape[:2])

    def _put_marks(self, out: dict[str, list[Any]], place: int, masks: Any, facts: Any, sides: Any) -> None:
        if "mask" in out:
            union = np.logical_or.reduce([np.zeros(sides, bool), *masks.values()])
            out["mask"][place] = self._mask(place)[1](union)
        if "boxes" in out and "boxes" in facts:
            out["boxes"][place] = facts["boxes"]
            if "box_labels" in out:
                out["box_labels"][place] = facts["box_labels"]

    def _pass(self, out: dict[str, list[Any]], place: int, arrays: bool) -> None:
        empty = not self.sound and "mask" in out and out["mask"][place] is None
        if not (arrays or empty):
            return
        try:
            form = self.form(place)
        except InputError as error:
            out["reason"][place] = error.reason
            return
        if empty:
            out["mask"][place] = self._mask(place)[1](np.zeros(form.array.shape[:2], bool))
        if arrays:
            out[self.column][place] = _plain(form.array, form.rate)


def _item(value: Any) -> Any:
    """A value, of a data set in the format of numpy or torch too."""
    return value.item() if hasattr(value, "item") else value


def _plain(array: np.ndarray, rate: int) -> Any:
    return {"array": array, "sampling_rate": rate} if rate else array


def _single(values: Any) -> bool:
    """Whether what should be a batch's column is one value."""
    return isinstance(values, Mapping | bytes | str) or not hasattr(values, "__len__")


def _found(batch: Mapping[str, Any], kind: str) -> str:
    """The first column that holds sounds, or pictures; where none does, the first that holds nothing at all."""
    empty = ""
    for name, values in batch.items():
        value = values if _single(values) else next((one for one in values if one is not None), None)
        sound = (isinstance(value, Mapping) and "array" in value) or hasattr(value, "get_all_samples")
        if forms.encoded(value) or (sound if kind == "audio" else forms_picture.is_picture(value)):
            return name
        empty = empty or (name if value is None else "")
    if not empty:
        raise SettingError(
            f"columns: none of {', '.join(map(str, batch))} holds {kind}; name it, as column='{kind}' would"
        )
    return empty
