"""Which operation a slice gets: what its cause asks for, of what the recipes at hand can do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from sliceforge.engine import predicate
from sliceforge.engine.compose import compose, load_recipe
from sliceforge.engine.loop.allocate.budget import OVERSAMPLE, Order
from sliceforge.engine.loop.generate.matched import Match, matched
from sliceforge.engine.loop.generate.painted import operator
from sliceforge.engine.loop.rows.known import Known
from sliceforge.engine.loop.rows.slices import WeakSlice

EXAMPLES = {"audio": "speech/car_noise", "image": "photometric"}
"""Kind of the training data → a recipe for it."""


@dataclass(frozen=True)
class Decision:
    """What a slice gets, before it is known how much.

    Args:
        order: without `items`.
        own: training items that are in the slice.
        parents: training items that may be enlarged or repeated.
    """

    order: Order
    own: int
    parents: int


def decide(
    slice_: WeakSlice,
    recipes: Sequence[str],
    train: Known,
    usable: np.ndarray,
    banks: Mapping[str, str] | None = None,
    residual: bool = False,
) -> Decision:
    """Labels or neither: nothing. Nuisance: a recipe that moves what the slice is about. Scarcity: paint, else repeat.

    A slice without a cause gets the first of these that can be done.

    Args:
        slice_: what is weak, and why.
        recipes: names; the one that acts on most of the slice is taken, of equals the first.
        train: the training set, its N rows in the manifest's order.
        usable: (N,) bool, rows that may be enlarged.
        banks: name → folder or table.
        residual: whether the bank's donors have neither mask nor box.

    Raises:
        SettingError: no such recipe.
    """
    own = _members(slice_.where, train, usable)
    nothing = Decision(Order(slice_.name, slice_.where, notes=slice_.evidence), int(own.sum()), 0)
    if slice_.cause in ("labels", "neither"):
        return nothing
    fits = {name: matched(slice_, name, train, banks, residual) for name in recipes if _kind(name) == train.kind}
    if slice_.cause in ("nuisance", None):
        acting = [name for name in fits if fits[name].acts and not fits[name].paints]
        if acting:
            name = max(acting, key=lambda one: len(fits[one].acts))
            return _made(slice_, "matched", name, fits[name], own, train, usable)
    if slice_.cause in ("scarcity", None):
        painting = [name for name in fits if fits[name].paints]
        if painting:
            return _made(slice_, _painting(painting[0]), painting[0], fits[painting[0]], own, train, usable)
        if own.any():
            order = Order(slice_.name, slice_.where, OVERSAMPLE, parents=slice_.where)
            return Decision(order, int(own.sum()), int(own.sum()))
    missing = f"none of the recipes makes {train.kind}" if recipes else "no recipe was given"
    why = "no recipe acts on what the slice is about" if fits else missing
    note = f"{why}; expected recipes=, such as recipes=[{EXAMPLES.get(train.kind, EXAMPLES['audio'])}]"
    return replace(nothing, order=replace(nothing.order, notes=(*slice_.evidence, note)))


def _made(
    slice_: WeakSlice, operation: str, name: str, fit: Match, own: np.ndarray, train: Known, usable: np.ndarray
) -> Decision:
    rows = usable & predicate.select(train.table, fit.parents, "parents") if fit.parents else usable
    order = Order(
        slice_.name,
        slice_.where,
        operation,
        name,
        overrides=fit.overrides,
        parents=fit.parents,
        slice=fit.slice,
        within=fit.within,
        notes=fit.notes,
    )
    return Decision(order, int(own.sum()), int(rows.sum()))


def _painting(recipe: str) -> str:
    pastes = any(operator(step) == "image/paste" for step in load_recipe(recipe).steps)
    return "paste" if pastes else "procedural"


def _members(where: str, train: Known, usable: np.ndarray) -> np.ndarray:
    """The training rows in a slice; none where training lacks a column that it is about."""
    known = {name.lower() for name in train.table.column_names}
    if not {name.lower() for name in predicate.columns(where, "slices")} <= known:
        return np.zeros(len(usable), bool)
    return usable & predicate.select(train.table, where, "slices")


def _kind(recipe: str) -> str:
    return str(compose("show", [f"recipe={recipe}"])["kind"])
