"""The verb `allocate`: weak slices and a budget become budget.yaml, a printed table and a page of curves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from sliceforge.engine import regions
from sliceforge.engine.errors import SettingError
from sliceforge.engine.loop.allocate import budget as budgets
from sliceforge.engine.loop.allocate import subsets
from sliceforge.engine.loop.allocate.allocation import Need, Portion, allocate
from sliceforge.engine.loop.allocate.budget import NOTHING, OVERSAMPLE, Budget, Order
from sliceforge.engine.loop.allocate.curves import Curve
from sliceforge.engine.loop.allocate.decided import Decision, decide
from sliceforge.engine.loop.allocate.given import check_banks, names
from sliceforge.engine.loop.allocate.stop import Stop, stopped
from sliceforge.engine.loop.generate.prepared import Prepared, prepared
from sliceforge.engine.loop.rows import known, slices
from sliceforge.engine.loop.rows.attributes import measured
from sliceforge.engine.loop.rows.columns import MEASURED, joined
from sliceforge.engine.loop.rows.known import Known
from sliceforge.engine.loop.rows.place import check_place
from sliceforge.engine.loop.rows.slices import WeakSlice
from sliceforge.engine.manifest import Manifest
from sliceforge.engine.naming import own

NEXT = 1000
"""Items of which the page says what they would buy."""


@dataclass(frozen=True)
class Allocated:
    """A budget, and why.

    Args:
        budget: what budget.yaml says.
        slices: as they were read.
        needs: of the slices that may get items.
        portions: what each of these gets.
        stop: where the part of the budget that curves decide could end; None without curves.
        next: slice → what it would get of the next thousand items, and the fall of its loss.
        points: slice → sizes and mean losses that its curve was fitted to.
        originals: training items.
        notes: lines worth telling.
    """

    budget: Budget
    slices: tuple[WeakSlice, ...]
    needs: tuple[Need, ...]
    portions: tuple[Portion, ...]
    stop: Stop | None
    next: Mapping[str, tuple[int, float | None]]
    points: Mapping[str, tuple[np.ndarray, np.ndarray]]
    originals: int
    notes: tuple[str, ...]

    def plain(self) -> dict[str, Any]:
        """For budget.yaml."""
        found: dict[str, Any] = {"portions": [portion.plain() for portion in self.portions]}
        if self.stop:
            found["stop"] = {name: value for name, value in self.stop.plain().items() if name != "trace"}
        return found


def allocated(config: Mapping[str, Any]) -> Allocated:
    """Decide what each slice gets, and how much.

    Args:
        config: what `compose("allocate", …)` returns.

    Raises:
        SettingError: a setting is wrong, or training data are evaluated.
        RunError: a store does not answer.
    """
    total, weak = _amount(config), _slices(config)
    check_place(config["out"], "budget.yaml")
    recipes, apart = names(config, "recipes", "speech/car_noise"), names(config, "apart", "speaker")
    blank = Budget(
        tuple(Order(one.name, one.where) for one in weak),
        train=config["train"],
        pattern=config["train_pattern"],
        data=config["data"],
        data_pattern=config["pattern"],
        predictions=config["predictions"],
        suspects=config["suspects"],
        seed=config["seed"],
        apart=apart,
        banks={name: str(path) for name, path in (config["banks"] or {}).items() if path},
    )
    material = prepared(blank)
    check_banks(blank.banks, material.kind, recipes)
    train = _known(material)
    usable = material.usable[material.trains]
    banks, residual = _donors(blank, material)
    decisions = {one.name: decide(one, recipes, train, usable, banks, residual) for one in weak}
    curves, points = subsets.curves(config["curves"], [one.name for one in weak])
    rows = slices.header(config["slices"]).get("of") or {}
    needs = tuple(_need(one, decisions[one.name], curves.get(one.name), rows) for one in weak if _wants(decisions, one))
    originals = int(material.trains.sum())
    portions = tuple(allocate(needs, total, originals)) if needs else ()
    spent = sum(portion.cost for portion in portions if portion.gain is not None)
    stop = stopped(needs, spent, originals) if spent else None
    counts = {portion.slice: portion.made for portion in portions}
    orders = tuple(_order(decisions[one.name].order, counts.get(one.name, 0)) for one in weak)
    whole = replace(blank, slices=orders, kind=material.kind)
    more = _next(needs, total, originals, counts)
    return Allocated(whole, weak, needs, portions, stop, more, points, originals, material.notes)


def _amount(config: Mapping[str, Any]) -> int:
    text = config["budget"]
    if not text or not str(text).isdigit() or not int(text):
        raise SettingError(f"budget: {text!r}: expected a number of items, such as budget=5000")
    return int(text)


def _slices(config: Mapping[str, Any]) -> tuple[WeakSlice, ...]:
    if not config["slices"]:
        raise SettingError("slices: is not given; expected a file of find, such as slices=slices.yaml")
    found = tuple(slices.read(config["slices"]))
    if not found:
        raise SettingError(f"slices: {config['slices']}: no slice in it; nothing is weak, and nothing is to be made")
    return found


def _donors(blank: Budget, material: Prepared) -> tuple[dict[str, str], bool]:
    """The banks, the training data as donors where none are given, and whether nobody has marked these."""
    if "donors" in blank.banks or not blank.train:
        return dict(blank.banks), False
    donors = own(blank.train, blank.pattern or "", material.found)
    return {"donors": donors, **blank.banks}, not regions.present(material.found.table.column_names)


def _known(material: Prepared) -> Known:
    """The rows that train with what is measured of them, in the manifest's order."""
    table = material.found.table.filter(pa.array(material.trains))
    found = Manifest(material.found.root, table, ())
    attributes = {n + MEASURED if n in table.column_names else n: a for n, a in known.known(material.kind).items()}
    return Known(joined(table, None, measured(found, material.kind)), attributes, found, material.kind)


def _wants(decisions: Mapping[str, Decision], one: WeakSlice) -> bool:
    found = decisions[one.name]
    return found.order.operation != NOTHING and found.parents > 0


def _need(one: WeakSlice, decision: Decision, curve: Curve | None, of: Mapping[str, Any]) -> Need:
    """A slice's need: its excess errors in evaluation rows, or one where nobody counted them."""
    excess = 1.0
    if one.rows is not None and one.error is not None and one.reference is not None:
        excess = max(one.rows * (one.error - one.reference), 0.0)
    rows = of.get("rows")
    share = one.rows / rows if one.rows and isinstance(rows, int) and rows > 0 else 1.0
    repeats = decision.order.operation == OVERSAMPLE
    return Need(one.name, decision.own, curve, excess, share, parents=None if repeats else decision.parents)


def _order(order: Order, items: int) -> Order:
    """An order with its amount; one that gets nothing does nothing."""
    if order.operation == NOTHING:
        return order
    if not items:
        return Order(order.name, order.where, NOTHING, notes=(*order.notes, "gets none of the budget"))
    return replace(order, items=items)


def _next(
    needs: Sequence[Need], total: int, originals: int, counts: Mapping[str, int]
) -> dict[str, tuple[int, float | None]]:
    """Slice → items of the next thousand, and by how much the loss falls with them where a curve says so."""
    if not needs:
        return {}
    found = {}
    for need, portion in zip(needs, allocate(needs, total + NEXT, originals), strict=True):
        more, gain = max(portion.made - counts[need.slice], 0), None
        if need.by_curve and need.curve is not None:
            here = need.items + need.rate * counts[need.slice]
            gain = float(need.curve.loss(here) - need.curve.loss(here + need.rate * more))
        found[need.slice] = (more, gain)
    return found


def write(found: Allocated, place: str) -> Path:
    """Write budget.yaml."""
    budgets.write(Path(place), found.budget, found.plain())
    return Path(place)
