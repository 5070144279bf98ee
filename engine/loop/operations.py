"""The loop's step `trial`: the operation of every slice that is worked on, chosen by trainings or by its diagnosis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sliceforge.engine.loop.allocate import budget as budgets
from sliceforge.engine.loop.allocate.budget import NOTHING, OVERSAMPLE, Budget, Order
from sliceforge.engine.loop.allocate.decided import decide
from sliceforge.engine.loop.arms import arms
from sliceforge.engine.loop.beginning import RELABEL, suspects
from sliceforge.engine.loop.rows.slices import WeakSlice
from sliceforge.engine.loop.steps import Done, place
from sliceforge.engine.loop.trial import Trial, few

if TYPE_CHECKING:
    from sliceforge.engine.loop.loop import Loop

CHOSEN = "chosen.yaml"


def operations(own: Loop, weak: Sequence[WeakSlice], worked: Sequence[WeakSlice], digest: str) -> tuple[Order, ...]:
    """An order for each slice that is worked on; `items` are those of the trial.

    Args:
        own: the loop.
        weak: all weak slices.
        worked: those that are worked on.
        digest: of the diagnosis.
    """

    def action(folder: Path) -> Done:
        orders, told = [], {}
        for one in worked:
            order, said = _one(own, folder, one, {each.name: each.where for each in weak})
            orders.append(order)
            told[one.name] = said
        budgets.write(folder / CHOSEN, replace(blank(own), slices=tuple(orders)))
        return {"slices": told}

    own.step("trial", {"diagnosis": digest, "worked_on": [one.name for one in worked]}, action)
    return budgets.read(place(own.home, "trial") / CHOSEN).slices


def blank(own: Loop) -> Budget:
    """A budget of the loop's material, without orders."""
    queue = own.home / RELABEL
    return Budget(
        (),
        train=own.asked.data,
        pattern=own.asked.pattern,
        kind=own.ground.train.kind,
        seed=own.asked.seed,
        data=own.asked.eval,
        data_pattern=own.asked.eval_pattern,
        suspects=str(queue) if suspects(own) else None,
        apart=own.asked.apart,
        clean=own.asked.clean_share,
        banks={name: str(path) for name, path in (own.asked.banks or {}).items() if path},
    )


def usable(own: Loop) -> np.ndarray:
    """Which training items may be enlarged or repeated, (T,) bool."""
    doubted = list(suspects(own))
    return ~np.isin(own.ground.train.table["id"].to_numpy(), doubted)


def _one(own: Loop, folder: Path, one: WeakSlice, slices: dict[str, str]) -> tuple[Order, Done]:
    free = usable(own)
    candidates = arms(one, own.asked, own.ground, free)
    rows = few(own.ground, one)
    if not own.asked.trial or rows is not None:
        order = _by_diagnosis(own, one, free, candidates)
        why = "no trial was asked for" if rows is None else f"{rows} rows that tune are in it, too few to judge by"
        return order, {"chosen": order.operation, "reason": f"by its diagnosis, {one.cause}: {why}", "figures": []}
    trial = Trial(own.asked, own.ground, own.trainings, folder, candidates, slices, blank(own), own.said)
    choice = trial.chosen(one)
    order = candidates.get(choice.candidate.name, candidates[NOTHING])
    own.said(f"{one.name}: {choice.reason}")
    return order, choice.plain()


def _by_diagnosis(own: Loop, one: WeakSlice, free: np.ndarray, candidates: dict[str, Order]) -> Order:
    """What its cause asks for, of what could be tried; a scarce slice is repeated rather than painted unseen."""
    if one.cause == "scarcity" and (free & own.ground.inside(one.where)).any():
        return candidates.get(OVERSAMPLE, candidates[NOTHING])
    order = decide(one, own.asked.recipes, own.ground.train, free, own.asked.banks or {}).order
    name = f"{order.operation} {order.recipe}" if order.makes else order.operation
    return candidates.get(name, candidates[NOTHING])
