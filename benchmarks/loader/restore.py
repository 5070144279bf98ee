"""From a state to the first batch of ten million items, in a process of its own. (R5 of the promises.)

python -m benchmarks.loader.restore [ITEMS]

The items are made up: a `Stock` with their ids, paths, labels and lengths, and no file. Counted are the seconds from
`load_state_dict` to the first batch's plan rows, the check that the items are the same among them, and the memory that
this takes at its peak on top of the stock. Each order in a process of its own, whose loops are compiled; for `cpu_s` of
the seconds it was at work, on a machine that others use, too.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from benchmarks.loader import results
from benchmarks.loader.cases import Case
from sliceforge.engine import Batches, epoch
from sliceforge.engine.keys import item_hash
from sliceforge.engine.loader import SliceDataset
from sliceforge.engine.mixing import Pick
from sliceforge.engine.present import Present
from sliceforge.engine.stock import Stock

KINDS: dict[str, dict[str, Any]] = {
    "by count": {"batch_size": 256},
    "by max_seconds": {"max_seconds": 300.0},
    "by group_by_length": {"batch_size": 256, "group_by_length": True},
}


def stock(count: int, real: Stock) -> Stock:
    """So many items, each like one of a real stock but for its id."""
    table = real.items.take(pa.array(np.arange(count) % len(real.items)))
    names = pa.array([f"{number:08d}" for number in range(count)])
    table = table.set_column(table.schema.get_field_index("parent"), "parent", names).combine_chunks()
    hashes = np.fromiter((item_hash(f"{number:08d}") for number in range(count)), np.uint64, count)
    rows = np.arange(count)
    return Stock(table, [], hashes, rows, tuple(rows for _ in real.pools), tuple((rows, count) for _ in real.pools))


def large(count: int) -> SliceDataset:
    """A data set of so many items."""
    dataset = Case((0.3, 0.2)).dataset()
    dataset.stock = stock(count, dataset.stock)
    dataset.present = Present(dataset.stock, 7, [0.3, 0.2], False, 0.0, "item", 0.999, False)
    return dataset


def rows(dataset: SliceDataset, picks: list[Pick]) -> list[dict[str, Any]]:
    """What is drawn for a batch: all but its files."""
    return epoch.rows(picks, dataset.seed, dataset.stock, dataset.shares, dataset.inventories)


def resident(which: str) -> float:
    """Memory of this process as it is (VmRSS) or its peak since that was forgotten (VmHWM), MiB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(which)) / 1024


def once(count: int, order: Mapping[str, Any]) -> dict[str, float]:
    """One order, in this process."""
    dataset = large(count)
    # So that what is compiled where the cache lacks it is compiled before.
    rows(dataset, next(iter(Batches(Case((0.3, 0.2)).dataset(), **order))))
    state = {**Batches(dataset, **order).state_dict(), "epoch": 3, "done": count // 2}
    # Of what another process worked out, this one has the state alone.
    for name in ("digest", "seconds"):
        vars(dataset.stock).pop(name, None)
    text = json.dumps(state)
    began = time.perf_counter()
    batches = Batches(dataset, **order)
    built, busy = time.perf_counter(), time.process_time()
    Path("/proc/self/clear_refs").write_text("5")
    before = resident("VmRSS")
    batches.load_state_dict(json.loads(text))
    drawn = rows(dataset, next(iter(batches)))
    took, more = time.perf_counter() - built, resident("VmHWM") - before
    cpu = time.process_time() - busy
    found = {"cpu_s": cpu, "build_s": built - began, "restore_s": took, "more_mib": more}
    return found | {"items": len(drawn), "state_bytes": len(text)}


def main(arguments: list[str]) -> None:
    """Every order, as JSON."""
    count = int(arguments[0]) if arguments else 10_000_000
    if arguments[1:]:
        print(json.dumps(once(count, KINDS[arguments[1]])))
        return
    found: dict[str, Any] = {"items": count}
    for name in KINDS:
        line = [sys.executable, "-m", "benchmarks.loader.restore", str(count), name]
        found[name] = json.loads(subprocess.run(line, capture_output=True, check=True, text=True).stdout)
    results.write("restore", found)


if __name__ == "__main__":
    main(sys.argv[1:])
