"""What the steps of one clip take from elsewhere: noises, impulse responses, the sounds that other steps make."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from sliceforge.engine.errors import InputError
from sliceforge.engine.op import Mix, Source, Spectrum
from sliceforge.engine.recipe import Recipe
from sliceforge.engine.step import Step


class Shelf(Protocol):
    """Where bank material comes from."""

    def excerpt(self, bank: str, item: str, rate: int, offset: int, length: int) -> np.ndarray:
        """(length,) float32 of a bank's item at `rate` hertz, from sample `offset`, looped without a seam."""

    def sound(self, bank: str, item: str, rate: int, channel: float | None = None) -> np.ndarray:
        """(N,) float32, a bank's item whole, at `rate` hertz: the mean of its channels, or one of them, 0…1."""


@dataclass
class Sounds:
    """What the steps of one item take from elsewhere, each sound made once."""

    recipe: Recipe
    row: Mapping[str, Any]
    rate: int
    banks: Shelf | None
    made: dict[tuple[str, int], np.ndarray] = field(default_factory=dict)
    items: dict[str, np.ndarray] = field(default_factory=dict)
    responses: dict[str, np.ndarray] = field(default_factory=dict)

    def noise(self, op: Mix, draws: Mapping[str, Any], length: int) -> np.ndarray:
        """The sound that a mix's plan names, (length,) float32."""
        source = draws["source"]
        if source == "bank":
            if not draws["item"]:
                raise InputError("empty", f"every item of banks.{op.bank} has been used as often as its cap says")
            return self._shelf(op.bank).excerpt(op.bank, draws["item"], self.rate, draws["offset"], length)
        if (source, length) not in self.made:
            step = self.recipe.step(source)
            if not isinstance(step.op, Source):
                raise TypeError(f"{source} makes no sound")
            own = self.recipe.draws(step, self.row)
            given = {"sounds": self._named(step.op.bank, own)} if step.op.bank else {}
            wave = step.op.wave(length, self.rate, **own, **given)
            self.made[source, length] = wave
        return self.made[source, length]

    def _named(self, bank: str, draws: Mapping[str, Any]) -> list[np.ndarray]:
        """The items that a source's plan names, each whole."""
        found: list[np.ndarray] = []
        while item := draws.get(f"item_{len(found) + 1}"):
            found.append(self._shelf(bank).sound(bank, item, self.rate))
        return found

    def sound(self, step: Step, draws: Mapping[str, Any]) -> np.ndarray | None:
        """The bank item that a filter's plan names, whole; None where it names none."""
        item = draws.get("item")
        if not item or not isinstance(step.op, Spectrum):
            return None
        if step.name not in self.items:
            shelf = self._shelf(step.op.bank)
            self.items[step.name] = shelf.sound(step.op.bank, item, self.rate, draws.get("channel"))
        return self.items[step.name]

    def response(self, step: Step, draws: Mapping[str, Any]) -> np.ndarray:
        """The impulse response of a filter, from the bank item that its plan names where it names one."""
        if not isinstance(step.op, Spectrum):
            raise TypeError(f"{step.name} is no filter")
        if step.name not in self.responses:
            self.responses[step.name] = step.op.response(self.rate, self.sound(step, draws), **draws)
        return self.responses[step.name]

    def _shelf(self, bank: str) -> Shelf:
        if self.banks is None:
            raise InputError("empty", f"the plan names an item of the bank {bank}, and no bank is given")
        return self.banks
