"""The plan: for each made item its parent and every drawn number, as a table that needs nothing else to be read.

Columns: `id parent path label split group` and the parent's metadata; `variant attempt`; what is known of the parent
before it is read (`read.length`, `read.rate`, `read.height`, `read.width`, of a part of a recording `read.start` and
`read.seconds`, of an image where its label is, `read.mask`, `read.boxes`, `read.box_labels`, `read.segmentations`, or
why it cannot be read: `read.reason`, `read.detail`); then `<step>.<draw>`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from sliceforge.engine import groups, lineage, predicate, quotas
from sliceforge.engine.errors import SettingError, did_you_mean
from sliceforge.engine.keys import Keys
from sliceforge.engine.op import Columns, Inventory, Shapes
from sliceforge.engine.parents import SIZES
from sliceforge.engine.recipe import Recipe

DRAWS = 64
"""Attempts at a row that keeps the promise of `slice` before the setting is called wrong."""


def draw(
    recipe: Recipe,
    parents: pa.Table,
    seed: int,
    variant: int | np.ndarray,
    banks: Mapping[str, Inventory],
    slice_: str | None = None,
    attempt: int | np.ndarray = 0,
) -> pa.Table:
    """The plan of one variant for parents that `parents.survey` returned (or for some rows of an earlier plan).

    Args:
        variant: one for all, or (B,) for rows that have their places in the run already.
        attempt: where to begin, one for all or (B,); with a slice, the first from there whose row keeps its promise.

    Raises:
        SettingError: a slice that the recipe's numbers cannot reach.
    """
    slots = quotas.slots(parents, variant)
    parents = parents.select(carried(parents, recipe))
    ids = parents["parent"].to_pylist()
    length, rate, height, width = (parents[name].to_numpy() for name in SIZES)
    shapes = Shapes(length, rate, height, width, banks, *groups.of_parents(parents), slots)
    attempts = np.full(len(ids), attempt, np.int64)
    columns = recipe.draw(Keys.of(seed, ids, variant, attempts), shapes)
    if slice_:
        readable = parents["read.reason"].is_null().to_numpy(zero_copy_only=False)
        _promise(recipe, parents, seed, variant, shapes, slice_, attempts, columns, readable)
    made = pa.array(lineage.made_ids(parents, variant), pa.string())
    numbers = {"variant": pa.array(np.full(len(ids), variant), pa.int32()), "attempt": pa.array(attempts, pa.int32())}
    numbers |= {quotas.SLOT: pa.array(slots)} if recipe.by_slot() else {}
    return pa.table(
        {"id": made, **dict(zip(parents.column_names, parents.columns, strict=True)), **numbers}
        | nulled(recipe, columns)
    )


def carried(table: pa.Table, recipe: Recipe) -> list[str]:
    """The columns that a plan takes from an earlier one: all but those that it draws."""
    steps = {step.name for step in recipe.steps} | {choice.name for choice in recipe.choices}
    drawn = {name for name in table.column_names if name.rpartition(".")[0] in steps}
    return [name for name in table.column_names if name not in drawn | {"id", "variant", "attempt"}]


def nulled(recipe: Recipe, columns: Columns) -> dict[str, pa.Array]:
    """Plan columns for Arrow: null where the step does not happen."""
    arrays = {}
    happens = {step.name: recipe.active(step, columns) for step in recipe.steps}
    idle = {name: ~one for name, one in happens.items() if isinstance(one, np.ndarray)}
    idle |= {one.name: ~columns[f"{one.name}.on"] for one in recipe.choices if f"{one.name}.on" in columns}
    for name, column in columns.items():
        step, _, own = name.rpartition(".")
        mask = None if own == "on" else idle.get(step)
        # A column of words is one though no item of this variant has any.
        words = column.dtype == object and all(issubclass(kind, str) for kind in set(map(type, column.tolist())))
        arrays[name] = pa.array(column, pa.string() if words else None, mask=mask, from_pandas=False)
    return arrays


def _promise(
    recipe: Recipe,
    parents: pa.Table,
    seed: int,
    variant: int | np.ndarray,
    shapes: Shapes,
    slice_: str,
    attempts: np.ndarray,
    columns: Columns,
    readable: np.ndarray,
) -> None:
    """Draw the rows that are outside the slice again, in place, until every row is inside."""
    left = np.flatnonzero(readable)
    ids = parents["parent"].to_pylist()
    for _ in range(DRAWS):
        facts = _facts(recipe, parents.take(pa.array(left)), {n: column[left] for n, column in columns.items()})
        left = left[~predicate.select(facts, slice_, "slice")]
        if not len(left):
            return
        attempts[left] += 1
        which = variant[left] if isinstance(variant, np.ndarray) else variant
        keys = Keys.of(seed, [ids[i] for i in left], which, attempts[left])
        for name, column in recipe.draw(keys, shapes.take(left)).items():
            columns[name][left] = column
    raise SettingError(
        f"slice: {DRAWS} draws for {ids[left[0]]!r} and none is inside {slice_!r}; narrow the recipe's settings to it"
    )


def _facts(recipe: Recipe, parents: pa.Table, columns: Columns) -> pa.Table:
    """The manifest rows that the items will have, as far as a plan knows them."""
    fields = {name: parents[name] for name in parents.column_names if "." not in name}
    drawn = nulled(recipe, columns)
    for name, value in recipe.sets.items():
        fields[name] = drawn[value] if value in drawn else pa.array([value] * len(parents))
    return pa.table(fields)


def check_inventory(recipe: Recipe, banks: Mapping[str, Any], own: bool = False) -> None:
    """Refuse a recipe whose banks are not given.

    Args:
        own: also those that a run's own data would serve as.

    Raises:
        SettingError: naming the bank.
    """
    for name in sorted((recipe.banks() | (recipe.own_banks() if own else set())) - set(banks)):
        near = did_you_mean(name, banks) if banks else ""
        raise SettingError(f"banks.{name}: is needed by this recipe, such as banks.{name}=FOLDER{near}")
