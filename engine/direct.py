"""Plan rows as plain dicts, drawn for a few items at once: what `plan.draw` says of them, without a table."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from sliceforge.engine import admit, plan, predicate
from sliceforge.engine.errors import SettingError
from sliceforge.engine.keys import Keys
from sliceforge.engine.op import Columns, Shapes
from sliceforge.engine.recipe import Recipe

TURNS = ((0, 8), (8, plan.DRAWS))
"""Attempts that are drawn at once where a slice is promised: asking which are inside costs more than drawing them."""


def rows(
    recipe: Recipe, seed: int, ids: Sequence[str], variant: int, shapes: Shapes, slice_: str | None = None
) -> list[dict[str, Any] | None]:
    """What is drawn for each item, `<step>.<draw>` and `attempt`; None for one that no draw brings into the slice.

    Args:
        ids: of the parents, (B,).
        variant: from 1.
        shapes: of the parents, (B,).
        slice_: the promise that each row keeps, which `check` has passed.
    """
    attempts = np.zeros(len(ids), np.int64)
    columns = recipe.draw(Keys.of(seed, ids, variant, attempts), shapes)
    left = np.arange(len(ids)) if slice_ else np.zeros(0, np.int64)
    for first, last in TURNS:
        if slice_ and len(left):
            tried = np.tile(np.arange(first, last), len(left))
            which = np.repeat(left, last - first)
            found = recipe.draw(Keys.of(seed, [ids[int(i)] for i in which], variant, tried), shapes.take(which))
            inside = _inside(recipe, found, slice_).reshape(len(left), -1)
            kept, turn = inside.any(axis=1), inside.argmax(axis=1)
            attempts[left] = np.where(kept, first + turn, 0)
            for name, column in found.items():
                columns[name][left] = column[np.arange(len(left)) * (last - first) + turn]
            left = left[~kept]
    outside = set(left.tolist())
    drawn = plain(recipe, columns)
    return [None if i in outside else {**row, "attempt": int(attempts[i])} for i, row in enumerate(drawn)]


def plain(recipe: Recipe, columns: Columns) -> list[dict[str, Any]]:
    """Plan columns as rows of Python's own values: None where a step does not happen, as `plan.nulled` says it."""
    happens = {step.name: recipe.active(step, columns) for step in recipe.steps}
    idle = {name: ~one for name, one in happens.items() if isinstance(one, np.ndarray)}
    idle |= {one.name: ~columns[f"{one.name}.on"] for one in recipe.choices if f"{one.name}.on" in columns}
    lists = {}
    for name, column in columns.items():
        step, _, own = name.rpartition(".")
        values, mask = column.tolist(), None if own == "on" else idle.get(step)
        lists[name] = values if mask is None else [None if off else v for v, off in zip(values, mask, strict=True)]
    return [dict(zip(lists, row, strict=True)) for row in zip(*lists.values(), strict=True)]


def check(recipe: Recipe, seed: int, shapes: Shapes, slice_: str) -> None:
    """Refuse a slice that is no condition over what the recipe sets, or that no draw reaches.

    Args:
        shapes: of an item.

    Raises:
        SettingError: one line.
    """
    foreign = {name.lower() for name in predicate.columns(slice_, "slice")} - {name.lower() for name in recipe.sets}
    if foreign:
        raise SettingError(f"slice: the recipe does not set {min(foreign)!r}; expected {', '.join(recipe.sets)}")
    predicate.select(_facts(recipe, recipe.draw(Keys.of(seed, [""]), shapes)), slice_, "slice")
    if rows(recipe, seed, [""], 1, shapes, slice_)[0] is None:
        raise SettingError(
            f"slice: {plan.DRAWS} draws and none is inside {slice_!r}; narrow the recipe's settings to it"
        )


def _facts(recipe: Recipe, columns: Columns) -> pa.Table:
    """What the items of some plan rows are promised to be."""
    drawn, count = plan.nulled(recipe, columns), len(next(iter(columns.values())))
    return pa.table({name: drawn[v] if v in drawn else pa.array([v] * count) for name, v in recipe.sets.items()})


@lru_cache
def _database(process: int) -> duckdb.DuckDBPyConnection:
    # Kept: to open one takes ten times as long as to ask it. One that a fork has copied is left alone.
    database = admit.connect()
    database.execute("SET lock_configuration = true")
    return database


def _inside(recipe: Recipe, columns: Columns, slice_: str) -> np.ndarray:
    """(B,) bool, which rows keep a promise that `check` has passed."""
    cursor = _database(os.getpid()).cursor()
    try:
        cursor.register("items", _facts(recipe, columns))
        asked = cursor.execute(f"{admit.bracketed(slice_)} AS inside FROM items")
        return np.ma.filled(asked.fetchnumpy()["inside"], False).astype(bool)
    finally:
        cursor.close()
