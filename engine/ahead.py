"""Shards in plan order, begun before their turn, until as many items are accepted as are wanted."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from sliceforge.engine import receipts, shards, sink
from sliceforge.engine.plans import Plans
from sliceforge.engine.pool import Pool, result
from sliceforge.engine.spec import Spec
from sliceforge.engine.work import make_shard

Progress = Callable[[int, int], None]
"""Told, after each shard, (accepted items, expected items)."""


def originals(run: Path, spec: Spec, plans: Plans) -> int:
    """Copy the parents in, as variant 0; returns how many were newly copied."""
    left = [i for i, _ in enumerate(plans.sizes(0)) if not shards.receipt(run, shards.name(0, i)).exists()]
    return sum(result(future)[0] for future in [plans.pool.submit(make_shard, spec, 0, index) for index in left])


@dataclass
class _Tally:
    """Accepted items so far, of `count` that are wanted, or of all."""

    count: int | None
    accepted: int = 0

    def left(self, begun: int = 0) -> int | None:
        """How many are wanted yet if everything begun is accepted; None where all are."""
        return None if self.count is None else self.count - self.accepted - begun


def missing(run: Path, spec: Spec, plans: Plans, target: Mapping[str, int | None], told: Progress) -> tuple[int, bool]:
    """Make what is missing; returns the number of items newly made, and whether any shard was."""
    tally, variants = _Tally(target["count"]), target["variants"]
    expected = tally.count or sum(rows for _, _, rows in plans.units(variants))
    made = barren = 0
    worked = False
    last = (0, 0)
    for variant, index, rows, future in _ahead(run, spec, plans.units(variants), tally, plans.pool):
        left = tally.left()
        got, seen = result(future) if future else receipts.seen(run, variant, index)
        fresh = future is not None
        if (seen < rows and got != left) or (left is not None and got > left):
            # The shard in which the count is reached ends there; a longer run makes it whole again.
            got, seen = result(plans.pool.submit(make_shard, spec, variant, index, left))
            fresh = True
        worked = worked or fresh
        tally.accepted, made, last = tally.accepted + got, made + got * fresh, (variant, index)
        told(tally.accepted, expected)
        barren = 0 if got else barren + rows
        if tally.left() == 0 or (tally.count is not None and barren >= sum(plans.sizes(1))):
            break
    plans.pool.close()  # before anything is taken away, nothing may be written any more
    if tally.count is not None:
        _trim(run, spec, last)
    return made, worked


def _ahead(
    run: Path, spec: Spec, units: Iterator[tuple[int, int, int]], tally: _Tally, pool: Pool
) -> Iterator[tuple[int, int, int, Future[Any] | None]]:
    """(variant, shard, rows, future) in order, begun before they are asked for; no future where a receipt exists."""
    waiting: deque[tuple[int, int, int, Future[Any] | None]] = deque()
    while True:
        while len(waiting) < (1 if pool.size == 1 else 2 * pool.size):
            limit = tally.left(sum(rows for _, _, rows, _ in waiting))
            unit = next(units, None) if limit is None or limit > 0 else None
            if unit is None:
                break
            variant, index, rows = unit
            begun = shards.receipt(run, shards.name(variant, index)).exists()
            limit = None if limit is None or limit >= rows else limit
            waiting.append((*unit, None if begun else pool.submit(make_shard, spec, variant, index, limit)))
        if not waiting:
            return
        yield waiting.popleft()


def _trim(run: Path, spec: Spec, last: tuple[int, int]) -> None:
    """Take away what workers made beyond the shard in which the count was reached."""
    for path in receipts.listed(run):
        if shards.numbers(path.stem) > last:
            path.unlink()
    paths = {path.stem: pq.read_table(path, columns=["path"])["path"].drop_null() for path in receipts.listed(run)}
    sink.named(spec.sink).prune(run, {shard: column.to_pylist() for shard, column in paths.items()})
    for path in run.glob("plan-v*.parquet"):
        if int(path.stem.removeprefix("plan-v")) > last[0]:
            path.unlink()
