"""Which operation a weak slice gets: tried by the user's own command on smaller sets, judged on the rows that tune."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from sliceforge.engine.loop.allocate import budget as budgets
from sliceforge.engine.loop.allocate.budget import NOTHING, Budget, Order
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
    _tables: dict[str, pa.Table] = field(default_factory=dict)

    def chosen(self, weak: str) -> Choice:
        """The arm that is best on a slice and harms no other."""
        candidates = [Candidate(name) for name in self.orders]
        return choose(self._trained, candidates, weak, rungs=RUNGS, seed=0)

    def count(self) -> int:
        """How many trainings that is at most."""
        return count(len(self.orders))

    def _trained(self, candidate: Candidate, seed: int, resource: float) -> dict[str, float]:
        order = self.orders.get(candidate.name, self.orders[NOTHING])
        name = f"{order.name}-{candidate.name.replace('/', '_').replace(' ', '_')}"
        train = self._manifest(candidate.name, order, name, resource)
        one = Training(train, seed, self.step, f"{name}-{100 * resource:.0f}-seed_{seed}")
        self.said(f"{order.name}: {candidate.name}, {resource:.0%} of the training set, seed {seed}")
        (path,) = self.trainings.done([one], lambda done, wanted: None)
        return losses(self.ground, path, self.slices, "tune")

    def _manifest(self, arm: str, order: Order, name: str, resource: float) -> Path:
        """The training manifest of an arm: a share of the originals, and what is made or repeated of these."""
        path = self.step / "manifests" / f"{name}-{100 * resource:.0f}.{self.asked.table}"
        if path.exists():
            return path
        chosen = self.ground.subset(resource)
        if arm == NOTHING or not order.items:
            return write_manifest(path, self.ground.manifest(chosen))
        if arm not in self._tables:
            self._tables[arm] = made(self.step / "made" / name, order, self.blank, self.asked)
        ids = pa.array(self.ground.train.table["id"].filter(pa.array(chosen)).to_pylist(), pa.string())
        return write_manifest(path, _of(self._tables[arm], set(ids.to_pylist())))


def count(arms: int) -> int:
    """Trainings of a trial of so many arms, two of which make no data, at most."""
    left, total = arms - 2, 0
    for _, seeds in RUNGS[:-1]:
        if left > 1:
            total += (left + 1) * seeds
            left = -(-left // 2)
    return total + (left + 2) * RUNGS[-1][1]


def made(out: Path, order: Order, blank: Budget, asked: Asked) -> pa.Table:
    """The training table of one order alone."""
    place = out.with_suffix(".yaml")
    budgets.write(place, Budget(**{**vars(blank), "slices": (order,)}))
    config = {"budget": str(place), "out": str(out), "workers": asked.workers, "report": False}
    return pq.read_table(budgeted.generate(config).table)


def losses(ground: Ground, path: Path, slices: Mapping[str, str], part: str) -> dict[str, float]:
    """Mean loss of each slice that has rows enough, and of everything outside them, on a part of the rows."""
    (told,) = load([path], ground.ids)
    rows = ground.part == part
    loss, weight = told.loss[rows], np.ones(int(rows.sum())) if told.weight is None else told.weight[rows]
    masks = {name: ground.mask(where, part) for name, where in slices.items()}
    rest = ~np.any(list(masks.values()), axis=0)
    masks[REST] = rest
    return {
        name: float(np.average(loss[mask], weights=weight[mask]))
        for name, mask in masks.items()
        if mask.sum() >= FEWEST and weight[mask].sum() > 0
    }


def few(ground: Ground, one: WeakSlice) -> int | None:
    """The rows of a slice that tune, where they are too few to judge by."""
    rows = int(ground.mask(one.where, "tune").sum())
    return rows if rows < FEWEST else None


def _of(table: pa.Table, ids: set[str]) -> pa.Table:
    """The originals among some ids, and what comes of these alone."""
    rows = zip(table["id"].to_pylist(), table["slice"].to_pylist(), table["parents"].to_pylist(), strict=True)
    keep = [item in ids if name is None else bool(parents) and set(parents) <= ids for item, name, parents in rows]
    return table.filter(pa.array(keep, pa.bool_()))
