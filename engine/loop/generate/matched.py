"""A slice and a recipe made to fit: the recipe's ranges, its parents, and which conditions a made item is held to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from sliceforge.engine import predicate
from sliceforge.engine.compose import load_recipe
from sliceforge.engine.loop.diagnose.outside import spread
from sliceforge.engine.loop.generate.painted import background, operator, painted, place
from sliceforge.engine.loop.generate.ranges import OF, Ranges
from sliceforge.engine.loop.rows.columns import MEASURED
from sliceforge.engine.loop.rows.conditions import Condition, conditions
from sliceforge.engine.loop.rows.known import Known
from sliceforge.engine.loop.rows.slices import Range, WeakSlice
from sliceforge.engine.recipe import Recipe

ALWAYS = ("audio/mix", "image/photometric", "image/illumination", "image/grain")
"""Operators that a nuisance is made of: their ranges follow the slice whether its predicate names them or not."""

BROUGHT = {"level": ("snr_est",), "bandwidth": ("snr_est",), "contrast": ("brightness", "noise")}
"""Attribute → those that move it as they move. Noise lifts a clip's level and fills its band, too little light flattens
an image: an item with the one has the other, and following both would do it twice."""


@dataclass(frozen=True)
class Match:
    """What `budget.Order` says of how a slice is made.

    Args:
        overrides: of the recipe.
        parents, slice, within: SQL, or None; see `budget.Order`.
        acts: attributes of the slice that the recipe moves, and columns of it that the recipe sets.
        paints: the slice's label is a class that the recipe paints or pastes.
        notes: what holds and what cannot, in plain words.
    """

    overrides: tuple[str, ...]
    parents: str | None
    slice: str | None
    within: str | None
    acts: tuple[str, ...]
    paints: bool
    notes: tuple[str, ...]


def matched(
    slice_: WeakSlice, name: str, train: Known, banks: Mapping[str, str] | None = None, residual: bool = False
) -> Match:
    """Fit a recipe to a slice.

    Ranges come from `slice_.attributes`, which `find` measured on the rows that it searched, and from training data.

    Args:
        slice_: what is weak.
        name: the recipe, or a file.
        train: the training set.
        banks: name → folder or table, for a recipe that reads them.
        residual: whether the bank's donors have neither mask nor box.

    Raises:
        SettingError: no such recipe.
    """
    recipe = load_recipe(name)
    every = conditions(slice_.where)
    label = next((one.value for one in every if one.column == "label" and one.sign == "="), None)
    marks = painted(recipe, label, residual) if label is not None else None
    held = _held(every, recipe, train, marks is not None)
    given = tuple(f"banks.{bank}={banks[bank]}" for bank in sorted(recipe.banks()) if banks and bank in banks)
    parents = list(held["parents"])
    if marks is not None and label is not None:
        parents.append(background(label, train))
    named = {name for one in every for name in one.columns}
    ranges = tuple(_ranges(slice_, recipe, _training(train, _and(parents)), train, named))
    acts = dict.fromkeys(attribute for some, _ in ranges for attribute in some)
    acts |= dict.fromkeys(name for one in every for name in one.columns if name in recipe.sets)
    return Match(
        (*given, *(marks or ()), *dict.fromkeys(text for _, text in ranges)),
        _and(parents),
        _and(held["slice"]),
        _and(held["within"]),
        tuple(acts),
        marks is not None,
        tuple(held["notes"]),
    )


def _held(every: Sequence[Condition], recipe: Recipe, train: Known, paints: bool) -> dict[str, list[str]]:
    """Where each condition is held: `slice` (the recipe sets it), `within` (a gate), `parents`, or not at all."""
    sets = {name.lower() for name in recipe.sets}
    names = {name.lower() for name in train.table.column_names}
    measured = {name.lower() for name in train.attributes}
    # Evaluated rows may have a column of an attribute's name where training has none.
    measured |= {name.removesuffix(MEASURED).lower() + MEASURED for name in train.attributes}
    found: dict[str, list[str]] = {"slice": [], "within": [], "parents": [], "notes": []}
    for one in every:
        columns = {name.lower() for name in one.columns}
        if paints and columns == {"label"}:
            found["notes"].append(f"{one.text}: the recipe paints it")
        elif columns <= sets:
            found["slice"].append(one.text)
        elif columns <= measured:
            found["within"].append(one.text)
        elif columns <= names - sets:
            found["parents"].append(one.text)
            found["notes"].append(f"{one.text}: follows from the parent")
        elif columns <= sets | names:
            found["within"].append(one.text)
        else:
            lacking = ", ".join(sorted(columns - sets - names))
            found["notes"].append(f"{one.text}: cannot be held: neither training nor the recipe has {lacking}")
    return found


def _training(train: Known, parents: str | None) -> Ranges:
    """Where each attribute of the parents lies; of all training items where there are no parents."""
    rows = predicate.select(train.table, parents, "parents") if parents else np.ones(len(train.table), bool)
    rows = rows if rows.any() else ~rows
    there = {name: train.numbers(name, rows) for name in train.attributes}
    return {name: spread(values) for name, values in there.items() if len(values)}


def _ranges(
    slice_: WeakSlice, recipe: Recipe, training: Ranges, train: Known, named: set[str]
) -> Iterator[tuple[list[str], str]]:
    """The overrides of every setting that follows the slice, each with the attributes in question that it moves.

    In question are those that the slice is a condition on, and those on which it lies where training does not, unless
    another one in question brings that with it.
    """
    moved = [name for name in train.attributes if name in slice_.attributes and name in training]
    asked = [name for name in moved if name in named or _beyond(slice_.attributes[name], training[name])]
    brought = {name for name in moved if name not in named and set(asked) & set(BROUGHT.get(name, ()))}
    for step in recipe.steps:
        own = operator(step)
        if own not in OF:
            continue
        of = [name for name in moved if train.attributes[name].acts_on.partition(".")[0] == own and name not in brought]
        acts = [name for name in of if name in asked]
        found = OF[own]({name: slice_.attributes[name] for name in (of if own in ALWAYS else acts)}, training)
        at = place(step)
        for setting, (low, high) in found.items():
            yield acts, f"{at}.{setting}={_written(low, high)}"
        if found and acts and step.p < 1:
            yield acts, f"{at}.p=1"


def _beyond(one: Range, training: Range) -> bool:
    return not training.low <= one.median <= training.high


def _written(low: float, high: float) -> str:
    first, last = (float(f"{end:.4g}") for end in (low, high))
    return f"[{first:g}, {last:g}]" if last > first else f"{first:g}"


def _and(predicates: Sequence[str]) -> str | None:
    some = [one for one in predicates if one]
    return " AND ".join(f"({one})" for one in some) if len(some) > 1 else (some[0] if some else None)
