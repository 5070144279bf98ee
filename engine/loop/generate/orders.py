"""What a budget asks of each slice: how many items of which parents, and the run that makes them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from sliceforge.engine.compose import compose
from sliceforge.engine.errors import SettingError
from sliceforge.engine.loop.allocate.allocation import MOST
from sliceforge.engine.loop.allocate.budget import OVERSAMPLE, Budget, Order
from sliceforge.engine.loop.generate.prepared import Prepared
from sliceforge.engine.loop.generate.training import room

PASSED = (
    *("device", "workers", "batch", "shard", "retries", "max_rejects", "min_yield"),
    *("report", "allow_other_cpu", "trust"),
)
"""Settings of `generate` that say how, not what; every slice's run gets them."""

GATE = "within"


def refuse_typed(typed: Sequence[str]) -> None:
    """Refuse settings beside `budget=` that the budget says.

    Raises:
        SettingError: naming the first.
    """
    for word in typed:
        key = word.lstrip("+~").partition("=")[0]
        if key not in ("budget", "out", *PASSED):
            raise SettingError(f"{key}: is said by the budget; expected out= or {', '.join(PASSED)} beside budget=")


def counts(budget: Budget, material: Prepared) -> dict[str, tuple[np.ndarray, int]]:
    """Name → the rows that are enlarged or repeated, (N,) bool, and how many items are wanted of them.

    Raises:
        SettingError: a slice without such rows, more than its cap, or too few originals left.
    """
    found: dict[str, tuple[np.ndarray, int]] = {}
    for order in budget.slices:
        where = f"budget: {order.name}"
        if order.operation == OVERSAMPLE:
            rows = material.rows(order.parents or order.where, f"{where}: parents")
            count = order.items or int(rows.sum()) * max((order.times or 1) - 1, 0)
        else:
            rows = material.rows(order.parents, f"{where}: parents") if order.makes else ~material.trains
            count = (order.items or 0) if order.makes else 0
        if count and not rows.any():
            wanted = order.parents or order.where
            raise SettingError(f"{where}: no training item has {wanted}; expected parents=, such as label = 'go'")
        if count > MOST * int(rows.sum()):
            most = MOST * int(rows.sum())
            raise SettingError(f"{where}: items: {count}; expected at most {MOST} for each parent, {most} here")
        found[order.name] = rows, count
    total, most = sum(count for _, count in found.values()), room(int(material.trains.sum()), budget.clean)
    if total > most:
        raise SettingError(
            f"budget: {total} items beside {int(material.trains.sum())} originals; expected at most {most}, so that "
            f"clean={budget.clean:g} of the training set is original"
        )
    return found


def composed(
    order: Order, budget: Budget, material: Prepared, config: Mapping[str, Any], folders: Sequence[str]
) -> dict[str, Any]:
    """The configuration of one slice's run."""
    try:
        own = compose("generate", [f"recipe={order.recipe}", "sink=folder", *order.overrides], folders)
    except SettingError as error:
        raise SettingError(f"budget: {order.name}: {error}") from None
    own |= {key: config[key] for key in PASSED if key in config}
    own |= {"data": budget.train, "pattern": budget.pattern, "parents": order.parents, "slice": order.slice}
    own |= {
        "count": order.items,
        "variants": None,
        "held_out": material.held_out,
        "seed": seed_of(budget.seed, order.name),
    }
    own["banks"] = {**budget.banks, **(own["banks"] or {})}
    if not budget.train:
        own["material"] = None
    if order.within:
        own["gates"] = {**(own.get("gates") or {}), GATE: {"where": order.within}}
    return own


def seed_of(seed: int, name: str) -> int:
    """A seed of its own for each slice: one parent in two slices must not give one item twice."""
    return int.from_bytes(hashlib.blake2b(f"{seed} {name}".encode(), digest_size=4).digest(), "big")
