"""The loop's last steps: allocate, generate, train again, verify; twice at most, then with half of the budget."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from sliceforge.engine import commit, predicate
from sliceforge.engine.compose import compose
from sliceforge.engine.loop.allocate import budget as budgets
from sliceforge.engine.loop.allocate import spending, subsets
from sliceforge.engine.loop.allocate.allocating import NEXT, Allocated
from sliceforge.engine.loop.allocate.allocation import Need, allocate
from sliceforge.engine.loop.allocate.budget import NOTHING, Order
from sliceforge.engine.loop.allocate.stop import stopped
from sliceforge.engine.loop.beginning import counted
from sliceforge.engine.loop.generate import budgeted
from sliceforge.engine.loop.generate.training import room
from sliceforge.engine.loop.grown import grown
from sliceforge.engine.loop.operations import blank, usable
from sliceforge.engine.loop.rows import slices
from sliceforge.engine.loop.rows.slices import WeakSlice
from sliceforge.engine.loop.second import second
from sliceforge.engine.loop.steps import Done, digest, found, place
from sliceforge.engine.loop.trainings import Training, write_manifest
from sliceforge.engine.loop.verify import effect
from sliceforge.engine.loop.verify.verifying import Verified, verified

if TYPE_CHECKING:
    from sliceforge.engine.loop.loop import Loop

ALL = "worked_on"
"""The slice that holds every one that was worked on, where there are several: one test, not one for each."""


def round_of(
    own: Loop,
    weak: Sequence[WeakSlice],
    worked: Sequence[WeakSlice],
    orders: Sequence[Order],
    before: Sequence[Path],
    again: bool,
) -> Done:
    """From orders to a verdict; `again` with half of the budget.

    Args:
        own: the loop.
        weak: all weak slices, worked: those that are worked on, orders: one for each of these.
        before: predictions by the training set as it is.
        again: the second time.

    Returns:
        `decision`, `reason`, `table` and `train`, the training set.
    """
    total = _half(own) if again else own.asked.budget
    budget = place(own.home, "allocate", again) / "budget.yaml"
    made = place(own.home, "generate", again)

    def allocating(folder: Path) -> Done:
        amounts = _allocated(own, folder, worked, orders, total)
        budgets.write(budget, amounts.budget, amounts.plain())
        spending.page(amounts, budget.with_suffix(".html"))
        own.said(spending.told(amounts))
        items = {order.name: order.items or 0 for order in amounts.budget.slices}
        return {"items": items, "own": {need.slice: need.items for need in amounts.needs}, "digest": digest(budget)}

    def generating(folder: Path) -> Done:
        config = {"budget": str(budget), "out": str(folder / "made"), "workers": own.asked.workers, "report": True}
        ended = budgeted.generate(config, said=own.said)
        own.said(ended.told())
        return {"digest": digest(ended.table), "problems": ended.problems}

    def training(folder: Path) -> Done:
        train = write_manifest(folder / f"train.{own.asked.table}", pq.read_table(made / "made" / budgeted.TABLE))
        wanted = [Training(train, seed, folder, f"seed_{seed}") for seed in range(own.asked.seeds)]
        paths = own.trainings.done(wanted, counted(own, "retrain"))
        return {"predictions": [path.relative_to(own.home).as_posix() for path in paths]}

    items = own.step("allocate", {"orders": [order.plain() for order in orders], "total": total}, allocating, again)
    table = own.step("generate", {"budget": items["digest"]}, generating, again)
    after = own.step("retrain", {"train": table["digest"], "seeds": own.asked.seeds}, training, again)
    paths = [own.home / path for path in after["predictions"]]
    inputs = {"before": [digest(path) for path in before], "after": [digest(path) for path in paths]}
    some = [one for one in worked if items["items"][one.name]]
    first = found(place(own.home, "verify")) if again else None

    def verifying(folder: Path) -> Done:
        judged = _verified(own, folder, weak, some, before, paths)
        if first:
            judged = replace(judged, verdict=second(first["verdict"], judged.verdict))
        effect.write(judged, str(folder / "verdict.yaml"))
        effect.page(judged, folder / "verdict.html")
        verdict, table = judged.verdict.plain(), effect.told(judged).removesuffix(f"\n{judged.sentence()}")
        train = str(made / "made" / budgeted.TABLE)
        said = {name: verdict[name] for name in ("decision", "reason")}
        return {**said, "table": table, "verdict": verdict, "train": train}

    return dict(own.step("verify", inputs, verifying, again))


def _half(own: Loop) -> int:
    """Half of what was made the first time, which may be less than the budget."""
    first = found(place(own.home, "allocate"))
    return max(sum(first["items"].values()) // 2, 1) if first else own.asked.budget // 2


def _allocated(own: Loop, folder: Path, worked: Sequence[WeakSlice], orders: Sequence[Order], total: int) -> Allocated:
    originals, free = len(own.ground.train.table), usable(own)
    total = min(total, room(originals, own.asked.clean_share))
    active = [(one, order) for one, order in zip(worked, orders, strict=True) if order.operation != NOTHING]
    curves = grown(own, folder, [one for one, _ in active]) if own.asked.curves else None
    fits, points = subsets.curves(curves, [one.name for one, _ in active])
    rows = int((own.ground.part == "find").sum())
    needs = tuple(
        Need(
            one.name,
            int((own.ground.inside(one.where) & free).sum()),
            fits.get(one.name),
            max((one.rows or 0) * ((one.error or 0.0) - (one.reference or 0.0)), 0.0),
            (one.rows or rows) / rows,
            parents=_parents(own, order, free),
        )
        for one, order in active
    )
    portions = tuple(allocate(needs, total, originals))
    amounts = {portion.slice: portion.made for portion in portions}
    more = allocate(needs, total + NEXT, originals)
    following = {one.slice: (max(one.made - amounts[one.slice], 0), None) for one in more}
    whole = tuple(_amount(order, amounts.get(order.name, 0)) for order in orders)
    made = replace(blank(own), slices=whole)
    stop = stopped(needs, total, originals)
    return Allocated(made, tuple(worked), needs, portions, stop, following, points, originals, ())


def _amount(order: Order, items: int) -> Order:
    return replace(order, items=items) if items else Order(order.name, order.where, NOTHING, notes=order.notes)


def _parents(own: Loop, order: Order, free: np.ndarray) -> int:
    if not order.parents:
        return int(free.sum())
    return int((free & predicate.select(own.ground.train.table, order.parents, "parents")).sum())


def _verified(
    own: Loop,
    folder: Path,
    weak: Sequence[WeakSlice],
    worked: Sequence[WeakSlice],
    before: Sequence[Path],
    after: Sequence[Path],
) -> Verified:
    """The verdict on the rows that report alone."""
    others = pa.array((own.ground.part != "report").tolist())
    used = folder / "used.parquet"
    commit.write_table(used, pa.table({"id": pa.array(own.ground.ids, pa.string()).filter(others)}))
    every = [WeakSlice(one.name, one.where) for one in weak]
    if len(worked) > 1:
        every.insert(0, WeakSlice(ALL, " OR ".join(f"({one.where})" for one in worked)))
    slices.write(folder / "slices.yaml", every, {}, None)
    given = {
        "before": [str(path) for path in before],
        "after": [str(path) for path in after],
        "slices": str(folder / "slices.yaml"),
        "weak": ALL if len(worked) > 1 else worked[0].name,
        "data": own.asked.eval,
        "pattern": own.asked.eval_pattern,
        "cluster": own.asked.cluster,
        "found_on": str(used),
        "seed": own.asked.seed,
    }
    return verified({**compose("verify", ()), **given})
