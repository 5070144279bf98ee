"""The material of a budget: the training data, what of them may be enlarged, and what is evaluated, kept apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from sliceforge.engine import manifest, predicate, sources
from sliceforge.engine.banks import Shelf
from sliceforge.engine.compose import compose
from sliceforge.engine.errors import SettingError
from sliceforge.engine.loop.allocate.budget import Budget, Order
from sliceforge.engine.loop.generate import guard
from sliceforge.engine.loop.rows import known, predictions
from sliceforge.engine.loop.rows.attributes import measured
from sliceforge.engine.loop.rows.columns import joined
from sliceforge.engine.manifest import Manifest
from sliceforge.engine.naming import given
from sliceforge.engine.recipe import Recipe


@dataclass(frozen=True)
class Prepared:
    """What every slice's run is made from.

    Args:
        found: the data.
        kind: audio or image.
        trains: (N,) bool, rows that train.
        usable: (N,) bool, those of them that may be enlarged or repeated: no suspects.
        train: the rows that train, as the guard sees them.
        held: what is evaluated.
        notes: lines worth telling.
    """

    found: Manifest
    kind: str
    trains: np.ndarray
    usable: np.ndarray
    train: guard.Side
    held: tuple[guard.Side, ...]
    notes: tuple[str, ...]

    @property
    def ids(self) -> list[str]:
        """(N,) of the data."""
        names: list[str] = self.found.table["id"].to_pylist()
        return names

    @property
    def held_out(self) -> tuple[str, ...]:
        """Ids of the data that are neither parents nor donors."""
        return tuple(item for item, use in zip(self.ids, self.usable, strict=True) if not use)

    def rows(self, where: str | None, key: str) -> np.ndarray:
        """Which usable rows a predicate over metadata and measured attributes is true for, (N,) bool; None: all.

        Raises:
            SettingError: it names an unknown column.
        """
        if not where:
            return self.usable
        names = {name.lower() for name in predicate.columns(where, key)}
        table = self.found.table
        if not names <= {name.lower() for name in table.column_names}:
            table = joined(table, None, measured(self.found, self.kind))
        return self.usable & predicate.select(table, where, key)

    def check_banks(self, recipe: Recipe, config: Mapping[str, object]) -> None:
        """Refuse banks with material of what is evaluated.

        Raises:
            SettingError: one line.
        """
        paths = given(config, recipe, self.found)
        guard.check_banks(Shelf.open(paths, recipe.kind), self.found, self.train, self.held)


def prepared(budget: Budget, kind: str | None = None) -> Prepared:
    """Read a budget's data and refuse what leaks.

    Args:
        budget: what is wanted.
        kind: audio or image, as its recipes say; None: as the data say.

    Raises:
        SettingError: nothing can be read, nothing trains, or training data are evaluated: one line.
        RunError: a store does not answer.
    """
    kind = kind or budget.kind
    if kind:
        found = manifest.read(budget.train, kind, budget.pattern or "", "train")
    else:
        found, kind = known.opened(budget.train or "", budget.pattern, "train")
    trains = guard.training(found)
    if not trains.any():
        raise SettingError(f"train: {budget.train}: no item of split train; expected some, or none with a split")
    train = guard.Side.of(found, trains, "train")
    held = [guard.Side.of(found, ~trains, "its other splits")] if not trains.all() else []
    ids = _evaluated(budget.predictions)
    if budget.data:
        other = manifest.read(budget.data, kind, budget.data_pattern or "", "data")
        held.append(guard.Side.of(other, _rows(other, ids), "data"))
    guard.check(train, held, () if budget.data else ids, budget.apart)
    suspects = set(predictions.read(budget.suspects, "suspects")["id"].to_pylist()) if budget.suspects else set()
    usable = trains & ~np.isin(found.table["id"].to_numpy(), list(suspects))
    notes = [f"{int(trains.sum() - usable.sum())} suspects are neither parents nor donors"] if suspects else []
    if "speaker" not in budget.apart and (line := guard.shared_speakers(train, held)):
        notes.append(line)
    return Prepared(found, kind, trains, usable, train, tuple(held), tuple(notes))


def kind_of(orders: Sequence[Order], folders: Sequence[str] = ()) -> str | None:
    """What the recipes of a budget make: audio or image; None where none makes anything.

    Raises:
        SettingError: both, or no such recipe.
    """
    kinds = {}
    for order in orders:
        if order.makes and order.recipe:
            kinds[compose("show", [f"recipe={order.recipe}"], folders)["kind"]] = order.name
    if len(kinds) > 1:
        said = " and ".join(f"{kind} of {name}" for kind, name in sorted(kinds.items()))
        raise SettingError(f"budget: {said}; expected recipes for one kind of data")
    return next(iter(kinds), None)


def _evaluated(tables: str | None) -> set[str]:
    """The ids of some tables of predictions."""
    places = sources.split(tables, "predictions", fresh=True) if tables else []
    return {item for place in places for item in predictions.read(place, "predictions")["id"].to_pylist()}


def _rows(found: Manifest, ids: set[str]) -> np.ndarray:
    """Which rows of the evaluation data are evaluated: those predicted, else those of no split train, else all."""
    if ids:
        named = np.isin(found.table["id"].to_numpy(), list(ids))
        if named.any():
            return np.asarray(named)
    other = ~guard.training(found)
    return other if other.any() else np.ones(len(found.table), bool)
