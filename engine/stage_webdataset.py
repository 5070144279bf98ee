"""A stage in a pipeline of webdataset: samples whose members are raw bytes, or decoded."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from sliceforge.engine import forms, forms_picture, forms_sound
from sliceforge.engine.codecs import audio, image
from sliceforge.engine.errors import InputError, SettingError
from sliceforge.engine.item import line
from sliceforge.engine.outcome import Outcome
from sliceforge.engine.subjects import Subject, marked

if TYPE_CHECKING:
    from sliceforge.engine.stage import Stage

SUFFIXES = {"audio": (*audio.SUFFIXES, ".audio"), "image": (*image.SUFFIXES, ".image")}
MASK, REASON = "mask.png", "__reason__"
LABELS = ("cls", "label")


def sample(stage: Stage, given: Any, member: str) -> Any:
    """A sample with its medium made, or as it came; a list, or a batch that webdataset made of some, is drawn together.

    A made sample keeps its `__key__` and the form of each member; its `json` is the row of a manifest with the id
    `KEY~variant`. `mask.png`, boxes and moments in the `json`, and a `cls` or `label` go along. Every sample gets
    `__reason__`, a `json` where it has none, and a `mask.png` where the recipe paints: a batch needs the same members.

    Args:
        stage: what makes it.
        given: a dict, a list of them, or a dict of lists.
        member: the sound's or picture's; empty: the first with a suffix that is known.

    Raises:
        SettingError: there is no such member.
    """
    if isinstance(given, Mapping) and not isinstance(given.get("__key__"), list):
        return _several(stage, [given], member)[0]
    if isinstance(given, Mapping):
        one_by_one = [dict(zip(given, values, strict=True)) for values in zip(*given.values(), strict=True)]
        made = _several(stage, one_by_one, member)
        return {name: [one[name] for one in made] for name in made[0]}
    if isinstance(given, list) and all(isinstance(one, Mapping) for one in given):
        return _several(stage, given, member)
    raise SettingError(f"sample: {type(given).__name__}: expected a dict with __key__, so that it goes before to_tuple")


def _several(stage: Stage, samples: Sequence[Mapping[str, Any]], member: str) -> list[dict[str, Any]]:
    members = [_Sample(stage, one, member) for one in samples]
    outcomes = stage.outcomes([one.id for one in members], lambda place: members[place].subject())
    return [one.made(outcomes.get(place)) for place, one in enumerate(members)]


class _Sample:
    """One sample.

    Args:
        stage: what makes it.
        sample: member → bytes, or what they were decoded to.
        member: the sound's or picture's, or empty.
    """

    def __init__(self, stage: Stage, sample: Mapping[str, Any], member: str) -> None:
        self.stage, self.sample = stage, sample
        self.sound = stage.recipe.kind == "audio"
        self.id = None if sample.get("__key__") is None else str(sample["__key__"])
        self.member = member or self._found()
        self._form: forms.Form | None = None
        if self.member not in sample:
            raise SettingError(f"member: no {self.member!r} among {', '.join(map(str, sample))}")

    def _found(self) -> str:
        known = SUFFIXES[self.stage.recipe.kind]
        names = [name for name in self.sample if f".{name.rpartition('.')[2].lower()}" in known and name != MASK]
        if not names:
            there = ", ".join(map(str, self.sample))
            raise SettingError(f"member: none of {there} is {self.stage.recipe.kind}; name it, such as member='flac'")
        return min(names, key=lambda name: name.count("."))

    def form(self) -> forms.Form:
        """The sound or picture.

        Raises:
            InputError: it cannot be read.
        """
        if self._form is None:
            value = self.sample[self.member]
            self._form = forms_sound.sound(value) if self.sound else forms_picture.picture(value)
        return self._form

    def subject(self) -> Subject:
        """The item.

        Raises:
            InputError: it, or its marks, cannot be read.
        """
        form, row = self.form(), self._said()
        label = next((self.sample[name] for name in LABELS if name in self.sample), row.get("label"))
        subject = Subject(self.id or form.key(), form.array, form.rate, self.stage.classes.named(_word(label)), row)
        return subject if self.sound else marked(subject, row, self._mask()[0], self.stage.classes)

    def _said(self) -> dict[str, Any]:
        value = self.sample.get("json")
        try:
            value = json.loads(value) if isinstance(value, bytes | bytearray | str) else value
        except (ValueError, RecursionError):
            value = None
        return dict(value) if isinstance(value, Mapping) else {}

    def _mask(self) -> tuple[np.ndarray | None, Any]:
        value = self.sample.get(MASK)
        if value is None:
            return None, forms_picture.blank(self.sample[self.member])
        return forms_picture.mask(value, *self.form().array.shape[:2])

    def made(self, outcome: Outcome | None) -> dict[str, Any]:
        """The sample as it goes out."""
        out = {**self.sample, REASON: outcome.reason if outcome else ""}
        text = isinstance(self.sample.get("json", self.sample[self.member]), bytes | bytearray)
        made = outcome.made if outcome and not outcome.reason else None
        paints = self.stage.recipe.paints()
        if outcome is None or made is None:
            out.setdefault("json", b"{}" if text else {})
            if paints and MASK not in out:
                try:
                    out[MASK] = self._mask()[1](np.zeros(self.form().array.shape[:2], bool))
                except InputError as error:
                    out[REASON] = error.reason
            return out
        facts = self.stage.facts(outcome)
        known = self._said()
        if "label" in known:
            facts["label"] = self.stage.classes.renamed(known["label"], facts["label"])
        row = {**known, **facts}
        out[self.member] = self.form().back(made.item, made.rate)
        out["json"] = line(row) if text else json.loads(line(row))
        for name in LABELS:
            if name in out:
                out[name] = self._label(out[name], outcome)
        if paints or MASK in out:
            union = np.logical_or.reduce([np.zeros(made.item.shape[:2], bool), *made.masks.values()])
            out[MASK] = self._mask()[1](union)
        return out

    def _label(self, value: Any, outcome: Outcome) -> Any:
        """A member that is a label, in the form that it came in."""
        new = self.stage.classes.renamed(_word(value), self.stage.facts(outcome)["label"])
        return str(new).encode() if isinstance(value, bytes | bytearray) else new


def _word(label: Any) -> Any:
    """A label of a member: whole numbers as such, words without their line's end."""
    if isinstance(label, bytes | bytearray):
        label = label.decode("utf-8", "replace")
    if not isinstance(label, str):
        return label
    label = label.strip()
    return int(label) if label.isdecimal() else label
