"""The unit of work: one whole shard, made from its plan rows alone, in any process."""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from sliceforge.engine import commit, making, plan, receipts, regions, shards, sink
from sliceforge.engine.apart import Apart
from sliceforge.engine.banks import Shelf
from sliceforge.engine.encode import encoded
from sliceforge.engine.errors import InputError
from sliceforge.engine.item import Item
from sliceforge.engine.kept import Kept
from sliceforge.engine.outcome import Outcome, facts, tabulate
from sliceforge.engine.parse import from_config
from sliceforge.engine.recipe import Recipe
from sliceforge.engine.spec import Spec


class Workshop:
    """Makes items and shards of one run."""

    def __init__(self, spec: Spec) -> None:
        self.spec = spec
        self.run, self.data = Path(spec.run), Path(spec.data)
        self.recipe: Recipe = from_config(json.loads(spec.recipe), spec.trust)
        self.plain = self.recipe.untouched()
        self.banks = Shelf.open(dict(spec.banks), self.recipe.kind, Apart.read(json.loads(spec.apart)))
        self.sink = sink.named(spec.sink)

    def on(self, device: str) -> Workshop:
        """The same workshop, with the same banks, that makes items on another device."""
        other = copy.copy(self)
        other.spec = replace(self.spec, device=device)
        return other

    def recipe_of(self, row: Mapping[str, Any]) -> Recipe:
        """What makes the item of a plan row: the recipe, or for an original, variant 0, no step at all."""
        return self.recipe if row["variant"] else self.plain

    def device_of(self, row: Mapping[str, Any]) -> str:
        """Where the item of a plan row is made; an original takes no step, and no way to a device and back."""
        return self.spec.device if row["variant"] else "cpu"

    def outcomes(self, rows: pa.Table) -> Iterator[Outcome]:
        """What becomes of some plan rows of one variant, in their order; failed rows are drawn again.

        So are those that are nearly the same as one accepted before them, one after the other.
        """
        kept = Kept(self.recipe)
        for start in range(0, len(rows), self.spec.batch):
            some = rows.slice(start, self.spec.batch)
            for i, outcome in enumerate(self._batch(some, self.spec.retries)):
                yield self._apart(some.slice(i, 1), outcome, kept)

    def again(self, row: pa.Table, attempt: int | None) -> Outcome:
        """What becomes of one plan row by itself: of a known attempt, or of the first that the gates let pass.

        Args:
            row: one row of a plan.
            attempt: what the manifest says: its neighbours in the shard may have had a word in it.
        """
        if attempt is None:
            return next(iter(self.outcomes(row)))
        if attempt != row["attempt"][0].as_py():
            row = self.drawn(row, row["variant"][0].as_py(), np.array([attempt]))
        return self._batch(row, 0)[0]

    def _batch(self, rows: pa.Table, retries: int) -> list[Outcome]:
        done = [Outcome(row) for row in rows.to_pylist()]
        recipe, sources = self.recipe_of(done[0].row), {}
        for i, outcome in enumerate(done):
            try:
                parent, rate = making.parent(self.recipe, self.data, outcome.row)
                marks = regions.read(self.data, outcome.row, parent)
                asked = making.asked_for(recipe, self.data, outcome.row, parent)
                sources[i] = making.Source(parent, rate, *marks, asked)
            except InputError as error:
                outcome.reason, outcome.detail = error.reason, error.detail
        left = list(sources)
        for retry in range(retries + 1):
            left = left if not retry or done[0].row["variant"] else []
            if retry and left:
                self._redraw(rows.take(pa.array(left)), [done[i] for i in left])
            some = [done[i] for i in left]
            device = self.device_of(done[0].row)
            making.make(recipe, some, [sources[i] for i in left], self.banks, device=device)
            left = [i for i in left if done[i].reason]
            if not left:
                break
        return done

    def _apart(self, row: pa.Table, outcome: Outcome, kept: Kept) -> Outcome:
        """The outcome, or what it becomes where its item is nearly the same as one that is kept."""
        while not outcome.reason and (found := kept.near(outcome)):
            gate, other = found
            left = self.spec.retries - outcome.redraws
            if left <= 0:
                outcome.reason, outcome.detail = f"gate.{gate}", f"nearly the same as {other}"
                return outcome
            before = outcome.redraws + 1
            drawn = self.drawn(row, outcome.row["variant"], np.array([outcome.row["attempt"] + 1]))
            (outcome,) = self._batch(drawn, left - 1)
            outcome.redraws += before
        if not outcome.reason:
            kept.take(outcome)
        return outcome

    def drawn(self, rows: pa.Table, variant: int, attempts: np.ndarray) -> pa.Table:
        """Some plan rows of one variant as they are at other attempts, (B,)."""
        inventories = self.banks.inventories()
        return plan.draw(self.recipe, rows, self.spec.seed, variant, inventories, self.spec.slice, attempts)

    def _redraw(self, rows: pa.Table, outcomes: list[Outcome]) -> None:
        attempts = np.array([outcome.row["attempt"] + 1 for outcome in outcomes])
        again = self.drawn(rows, outcomes[0].row["variant"], attempts)
        for outcome, row in zip(outcomes, again.to_pylist(), strict=True):
            outcome.row, outcome.reason, outcome.detail = row, "", ""
            outcome.redraws += 1

    def item(self, outcome: Outcome) -> Item:
        """The encoded files of an accepted outcome."""
        slice_ = self.spec.slice if outcome.row["variant"] else None
        return encoded(self.recipe_of(outcome.row), outcome, self.spec.suffix, slice_)

    def shard(self, variant: int, index: int, limit: int | None = None) -> tuple[int, int]:
        """Make a shard and its receipt; returns (accepted, rows).

        Args:
            limit: stop after so many accepted items.
        """
        planned = pq.ParquetFile(shards.plan_path(self.run, variant)).read_row_group(index)
        shard = shards.name(variant, index)
        lines: list[dict[str, Any]] = []

        def items() -> Iterator[Item]:
            accepted = 0
            for outcome in self.outcomes(planned):
                line = {"accepted": not outcome.reason, "reason": outcome.reason, "detail": outcome.detail}
                line |= facts(self.recipe_of(outcome.row), outcome, self.spec.slice if variant else None)
                lines.append(line)
                if not outcome.reason:
                    item = self.item(outcome)
                    line |= {receipts.HASH: receipts.digits(outcome.hash)} if variant else {}
                    line |= {"path": self.sink.path(shard, item), "sha256": hashlib.sha256(item.media).hexdigest()}
                    if item.mask is not None:
                        line["mask"] = self.sink.mask_path(shard, item)
                    yield item
                    accepted += 1
                    if accepted == limit:
                        return

        digest = self.sink.write(self.run, shard, items())
        table = tabulate(lines, planned.schema, self.recipe)
        commit.write_table(shards.receipt(self.run, shard), table, notes={"sha256": digest})
        return sum(line["accepted"] for line in lines), len(lines)


@lru_cache(maxsize=1)
def workshop(spec: Spec) -> Workshop:
    """This process's workshop for a run."""
    return Workshop(spec)


def make_shard(spec: Spec, variant: int, index: int, limit: int | None = None) -> tuple[int, int]:
    """Make one shard, in whatever process this is; returns (accepted, rows)."""
    return workshop(spec).shard(variant, index, limit)
