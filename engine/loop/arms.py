"""The operations that a weak slice could get, each as an order: what to try, at the same number of items."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from sliceforge.engine import predicate
from sliceforge.engine.compose import load_recipe
from sliceforge.engine.loop.allocate.allocation import MOST
from sliceforge.engine.loop.allocate.budget import NOTHING, OVERSAMPLE, Order
from sliceforge.engine.loop.allocate.decided import decide
from sliceforge.engine.loop.asked import Asked
from sliceforge.engine.loop.diagnose.outside import matched
from sliceforge.engine.loop.generate.training import room
from sliceforge.engine.loop.ground import Ground
from sliceforge.engine.loop.halving import MOST as ARMS
from sliceforge.engine.loop.rows.conditions import conditions
from sliceforge.engine.loop.rows.slices import WeakSlice

GENERIC: dict[str, dict[str, tuple[str, tuple[str, ...]]]] = {
    "audio": {
        "generic_weak": ("speech/general", ("steps.mix.snr=[10, 25]",)),
        "generic_strong": ("speech/general", ("steps.mix.p=1", "steps.mix.snr=[-5, 20]", "steps.band.p=0.8")),
    },
    "image": {"generic_weak": ("geometric", ()), "generic_strong": ("photometric", ())},
}
"""Kind → operation → recipe and overrides: what anybody would try who knows nothing of the slice."""


EVERY, PLAIN = "on every label", "unmatched"
"""A matched recipe without the slice's label, and one with its own ranges: what follows from a nuisance, such as the
bandwidth of a clip under noise, is matched too, and need not be what to imitate."""

OF_A_RECIPE = 3
"""Arms of one recipe at most."""


def arms(one: WeakSlice, asked: Asked, ground: Ground, usable: np.ndarray) -> dict[str, Order]:
    """Name → order, `nothing` and `oversample` first, each of as many items as the slice's share of the budget allows.

    Args:
        one: the slice, its ranges of the rows that find.
        asked: recipes, banks and the budget.
        ground: the training set.
        usable: (T,) bool, training items whose label is not doubted.

    Raises:
        SettingError: no such recipe.
    """
    found = {NOTHING: Order(one.name, one.where, notes=one.evidence)}
    own = usable & ground.inside(one.where)
    kin = _kin(one, ground)
    repeated = one.where if own.any() else kin or "TRUE"
    candidates = [(OVERSAMPLE, Order(one.name, one.where, OVERSAMPLE, parents=repeated))]
    candidates += list(_made(one, asked, ground, usable, kin))
    for name, order in candidates:
        rows = usable & predicate.select(ground.train.table, order.parents, "parents") if order.parents else usable
        items = min(asked.budget, MOST * int(rows.sum()), room(len(usable), asked.clean_share))
        if items and len(found) < ARMS:
            found[name] = replace(order, items=items)
    return found


def _made(
    one: WeakSlice, asked: Asked, ground: Ground, usable: np.ndarray, kin: str | None
) -> Iterator[tuple[str, Order]]:
    for recipe in asked.recipes:
        order = decide(replace(one, cause=None), [recipe], ground.train, usable, asked.banks or {}).order
        if not order.makes:
            if _plain(recipe, ground.train.kind):
                yield f"{recipe} {PLAIN}", Order(one.name, one.where, "generic_weak", recipe, parents=kin)
            continue
        yield f"{order.operation} {recipe}", order
        if order.operation == "matched":
            banks = tuple(one for one in order.overrides if one.startswith("banks."))
            plain = replace(order, overrides=banks, parents=None, within=None, slice=None)
            yield f"{recipe} {PLAIN}", plain
        if order.operation == "matched" and any(part.columns == {"label"} for part in conditions(one.where)):
            # Noise on one class alone would become what that class is told by. What the slice's attributes are held to
            # was found among that class too.
            yield f"{order.operation} {recipe} {EVERY}", replace(order, parents=None, within=None)
    for name, (recipe, overrides) in GENERIC[ground.train.kind].items():
        yield name, Order(one.name, one.where, name, recipe, overrides=overrides, parents=kin)


def _plain(name: str, kind: str) -> bool:
    """Whether a recipe that nothing says to fit is tried as it comes: it paints no other class and reads no bank."""
    recipe = load_recipe(name)
    tried = any(name == generic for generic, _ in GENERIC[kind].values())
    return recipe.kind == kind and not tried and not recipe.banks() and not any(step.op.paints for step in recipe.steps)


def _kin(one: WeakSlice, ground: Ground) -> str | None:
    """The slice's metadata as parents, such as its label; None where it has none, or training has no such item."""
    known = matched(one.where, ground.rows, ground.train)
    texts = [condition.text for condition in known.metadata]
    if not texts or not known.rows:
        return None
    return " AND ".join(f"({text})" for text in texts) if len(texts) > 1 else texts[0]
