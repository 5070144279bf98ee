"""Which operation a weak slice gets: tried by the user's own command, judged on the rows that tune."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from sliceforge.engine.loop.allocate import budget as budgets
from sliceforge.engine.loop.allocate.budget import NOTHING, OVERSAMPLE, Budget, Order
from sliceforge.engine.loop.asked import Asked
from sliceforge.engine.loop.generate import budgeted
from sliceforge.engine.loop.ground import Ground
from sliceforge.engine.loop.halving import RUNGS, Choice, choose
from sliceforge.engine.loop.rows.slices import WeakSlice
from sliceforge.engine.loop.rung import Candidate
from sliceforge.engine.loop.trainings import Training, Trainings, load, write_manifest
from sliceforge.engine.loop.verify.verdict import FEWEST, REST

Said = Callable[[str], None]


@dataclass
class Trial:
    """The trainings of one slice's candidates.

    Args:
        asked, ground, trainings: of the loop.
        step: the folder of the step.
        orders: arm → what it makes.
        slices: name → predicate, of all weak slices.
        blank: a budget without orders.
        said: told what is going on.
    """

    asked: Asked
    ground: Ground
    trainings: Trainings
    step: Path
    orders: Mapping[str, Order]
    slices: Mapping[str, str]
    blank: Budget
    said: Said

    def chosen(self, weak: WeakSlice) -> Choice:
        """The arm that is best on a slice and harms no other; if that is scarce and none surely is, oversampling."""
        default = OVERSAMPLE if weak.cause == "scarcity" else NOTHING
        return choose(self._trained, [Candidate(name) for name in self.orders], weak.name, default=default)

    def _trained(self, wanted: Sequence[tuple[Candidate, int]]) -> list[dict[str, np.ndarray]]:
        some = [self._training(candidate, seed) for candidate, seed in wanted]
        slice_, names = self.orders[NOTHING].name, dict.fromkeys(candidate.name for candidate, _ in wanted)
        self.said(f"{slice_}: tries {', '.join(names)}")
        paths = self.trainings.done(some, lambda done, of: self.said(f"{slice_}: {done} of {of} trainings"))
        return [parts(self.ground, path, self.slices, "tune") for path in paths]

    def _training(self, candidate: Candidate, seed: int) -> Training:
        order = self.orders.get(candidate.name, self.orders[NOTHING])
        name = f"{order.name}-{candidate.name.replace('/', '_').replace(' ', '_')}"
        return Training(self._manifest(candidate.name, order, name), seed, self.step, f"{name}-seed_{seed}")

    def _manifest(self, arm: str, order: Order, name: str) -> Path:
        """The training manifest of an arm: the originals, and what is made or repeated of these."""
        path = self.step / "manifests" / f"{name}.{self.asked.table}"
        if path.exists():
            return path
        if arm == NOTHING or not order.items:
            return write_manifest(path, self.ground.manifest(np.ones(len(self.ground.train.table), bool)))
        return write_manifest(path, made(self.step / "made" / name, order, self.blank, self.asked))


def count(arms: int) -> int:
    """Trainings of a trial of so many arms, two of which make no data, at most."""
    total, before = 0, 0
    for seeds in RUNGS:
        total += arms * (seeds - before)
        arms, before = 2 + -(-(arms - 2) // 2), seeds
    return total


def made(out: Path, order: Order, blank: Budget, asked: Asked) -> pa.Table:
    """The training table of one order alone."""
    place = out.with_suffix(".yaml")
    budgets.write(place, Budget(**{**vars(blank), "slices": (order,)}))
    config = {"budget": str(place), "out": str(out), "workers": asked.workers, "report": False}
    return pq.read_table(budgeted.generate(config).table)


def losses(ground: Ground, path: Path, slices: Mapping[str, str], part: str) -> dict[str, float]:
    """Mean loss of each slice that has rows enough, and of everything outside them, on a part of the rows."""
    return {name: float(own.sum()) for name, own in parts(ground, path, slices, part).items()}


def parts(ground: Ground, path: Path, slices: Mapping[str, str], part: str) -> dict[str, np.ndarray]:
    """What each row of a slice, or each cluster of its rows, adds to that mean loss; see `rung.Parts`."""
    (told,) = load([path], ground.ids)
    rows = ground.part == part
    loss, weight = told.loss[rows], np.ones(int(rows.sum())) if told.weight is None else told.weight[rows]
    unit = np.arange(len(loss)) if ground.cluster is None else np.unique(ground.cluster[rows], return_inverse=True)[1]
    masks = {name: ground.mask(where, part) for name, where in slices.items()}
    masks[REST] = ~np.any(list(masks.values()), axis=0)
    found = {}
    for name, mask in masks.items():
        if mask.sum() >= FEWEST and weight[mask].sum() > 0:
            own = np.unique(unit[mask], return_inverse=True)[1]
            found[name] = np.bincount(own, (loss * weight)[mask]) / weight[mask].sum()
    return found


def few(ground: Ground, one: WeakSlice) -> int | None:
    """The rows of a slice that tune, where they are too few to judge by."""
    rows = int(ground.mask(one.where, "tune").sum())
    return rows if rows < FEWEST else None
