"""A recipe: named steps in order, what they make true, and what is measured; drawn and applied, it makes items."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from sliceforge.engine.gates import Gate
from sliceforge.engine.keys import Keys
from sliceforge.engine.op import Columns, Mix, Shapes, Source
from sliceforge.engine.step import OneOf, Step


@dataclass(frozen=True)
class Recipe:
    """Steps, what they set, and the gates; see DESIGN for what a recipe means.

    Args:
        kind: audio or image.
        steps: in order, the branches of a `one_of` beside each other.
        choices: the `one_of`s.
        sets: manifest column → a constant, or `step.draw`.
        gates: name → gate.
        rate: hertz that audio is brought to, or None for each item's own.
        guard_db: dBFS that a changed clip's peak is kept under.
        source: what it was built from, as plain data: the part of the hash that a reader can read.
    """

    kind: str
    steps: tuple[Step, ...]
    choices: tuple[OneOf, ...]
    sets: Mapping[str, Any]
    gates: Mapping[str, Gate]
    rate: int | None = None
    guard_db: float = -0.1
    source: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    _own: dict[Any, list[tuple[str, str]]] = dataclasses.field(default_factory=dict, compare=False, repr=False)

    def __call__(
        self,
        x: np.ndarray,
        rate: int | None = None,
        id: str = "item",
        seed: int = 0,
        *,
        variant: int = 1,
        attempt: int = 0,
        banks: Any = None,
        group: str = "",
    ) -> np.ndarray:
        """One array in, one item out, with the values that `generate` writes for the same id, seed and variant.

        No gate is asked; `attempt` is what a run's manifest says where a gate asked for another draw. Rules that hold
        over a run, such as a cap on a bank's items, are not kept: there is no run.

        Args:
            x: a clip (T,) float32, full scale ±1; or an image (H, W) or (H, W, C), uint8 or uint16; not written to.
            rate: hertz, for a clip; it is brought to the recipe's rate.
            id: the item's id.
            seed: any whole number from 0.
            variant: from 1.
            attempt: from 0.
            banks: name → folder or table.
            group: whose item it is, such as its speaker: nobody of that name in a bank is heard as somebody else.

        Returns:
            The item, as x is: float32 in whole steps of 16 bit, or whole numbers as in x.

        Raises:
            SettingError: x is no clip or image, or a bank is missing.
            InputError: x cannot be used: silent, not finite.
        """
        from sliceforge.engine.single import make

        return make(self, x, rate, id, seed, variant, attempt, banks, group)

    @property
    def digest(self) -> str:
        """SHA-256 over everything that decides the bytes: settings and the operators' versions."""
        versions = {step.name: type(step.op).version for step in self.steps}
        text = json.dumps([self.source, versions], sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()

    def untouched(self) -> Recipe:
        """What an original is written by: the same kind and rate, and no step at all."""
        return dataclasses.replace(self, steps=(), choices=(), sets={}, gates={})

    def step(self, name: str) -> Step:
        """The step of that name."""
        return next(step for step in self.steps if step.name == name)

    def banks(self) -> set[str]:
        """The banks that it cannot do without."""
        return {bank for step in self.steps for bank in step.op.banks()}

    def own_banks(self) -> set[str]:
        """The banks that a run's own data serve as where it has none of that name."""
        return {bank for step in self.steps for bank in step.op.own_banks()}

    def by_slot(self) -> bool:
        """Whether a row's place in the run decides any of its draws."""
        return any(step.op.by_slot() for step in self.steps)

    def paints(self) -> bool:
        """Whether one of its steps makes a mask."""
        return any(step.op.paints for step in self.steps)

    def labels(self) -> list[str]:
        """The classes that its steps name and paint, in order; a donor brings its own."""
        named = [getattr(step.op, "label", "") for step in self.steps if step.op.paints]
        return list(dict.fromkeys(label for label in named if label))

    def draw(self, keys: Keys, shapes: Shapes) -> Columns:
        """The plan: `<step>.<draw>` columns, with `<step>.on` where it may be skipped and `<step>.choice` for a
        `one_of`. A row is a function of its own key and shape only."""
        columns: Columns = {}
        for choice in self.choices:
            at = keys.at(choice.name)
            if choice.p < 1:
                columns[f"{choice.name}.on"] = at.uniform("on")[:, 0] < choice.p
            edges = np.cumsum(choice.weights)[:-1]
            picked = np.searchsorted(edges, at.uniform("choice")[:, 0], side="right")
            columns[f"{choice.name}.choice"] = np.array(choice.branches, object)[picked]
        for step in self.steps:
            at = keys.at(step.name)
            if step.p < 1:
                columns[f"{step.name}.on"] = at.uniform("on")[:, 0] < step.p
            drawn = step.op.draw(at, shapes)
            columns |= {f"{step.name}.{name}": column for name, column in drawn.items()}
        return columns

    def active(self, step: Step, at: Mapping[str, Any]) -> Any:
        """Whether a step happens: a bool for a plan row, or (B,) bool for plan columns.

        A `Source` happens where an active `Mix` takes its sound from it.
        """
        happens: Any = np.True_
        if step.p >= 1 and not step.group and not isinstance(step.op, Source):
            return happens
        if step.group:
            happens = np.equal(at[f"{step.group}.choice"], step.name.removeprefix(f"{step.group}."))
        for name in (step.group, step.name):
            if f"{name}.on" in at:
                happens = happens & np.asarray(at[f"{name}.on"], bool)
        if isinstance(step.op, Source):
            used: Any = np.False_
            for mix in self.steps:
                if isinstance(mix.op, Mix):
                    used = used | (np.equal(at[f"{mix.name}.source"], step.name) & self.active(mix, at))
            happens = happens & used
        return happens

    def draws(self, step: Step, row: Mapping[str, Any]) -> dict[str, Any]:
        """A step's own draws from a plan row, under their own names; `on` is not among them."""
        key = step.name, tuple(row)
        if key not in self._own:
            head = f"{step.name}."
            names = [name for name in key[1] if name.startswith(head) and name != f"{head}on"]
            self._own[key] = [(name, name.removeprefix(head)) for name in names]
        return {own: row[name] for name, own in self._own[key]}

    def facts(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """What the item of a plan row is promised to be: the columns of `sets`."""
        return {name: row.get(value) if self.drawn(value) else value for name, value in self.sets.items()}

    def drawn(self, value: Any) -> bool:
        """Whether a value of `sets` names a draw; any other word is a constant, though a column may be called so."""
        return isinstance(value, str) and value.rpartition(".")[0] in self._named

    @cached_property
    def _named(self) -> frozenset[str]:
        """The names of all steps."""
        return frozenset([*(step.name for step in self.steps), *(choice.name for choice in self.choices)])
