"""The search for weak slices: time and memory on one core, beside sliceline, and what is found and falsely found.

python -m benchmarks.loop.search [out=FILE.json] [runs=100] [rows=100000] [sliceline=PYTHON] [only=speed|noise|power]

`only` measures one part and keeps the others of the file. `sliceline` is the Python of an environment of its own that
has sliceline: the same bins go to it through a file. The search is timed on one core.

Slices are planted in 2 000 rows × 12 columns in two ways: `drawn`, each row of the slice is wrong with the base's
probability plus 15 points, and `exact`, the slice has just 15 points more than the base. A planted slice is found where
a reported one has at least half of their union in common.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from benchmarks.loop.runs import RESULTS
from sliceforge.engine.bench import machine
from sliceforge.engine.folder import host
from sliceforge.engine.loop.find.find import WAYS, find
from sliceforge.engine.loop.find.levels import Levels, least_support, levels
from sliceforge.engine.loop.find.search import Losses, Searched, search
from sliceforge.engine.predicate import select

RESULT = RESULTS / "search.json"
SHARES = (
    (14, 13, 12, 11, 11, 10, 9, 8, 7, 5),
    (25, 20, 18, 15, 12, 10),
    (400, 300, 225, 75),
    (6, 3, 1),
    (6, 5, 4, 2, 2, 1),
)
SHARES += ((6, 4), (17, 3), (1, 1, 1, 1, 1))
BASES, LIFT, NEAR = (0.05, 0.10, 0.15), 0.15, (140, 160)
SLICELINE = """
import sys, time, json, numpy as np
from sliceline import Slicefinder
given = np.load(sys.argv[1])
best = []
for turn in range(2):
    finder = Slicefinder(alpha=0.95, k=10, max_l=2, min_sup=int(given["support"]), verbose=False)
    began = time.perf_counter()
    finder.fit(given["bins"].T.astype(int) + 1, given["loss"])
    best.append(time.perf_counter() - began)
print(json.dumps({"seconds": min(best), "scores": [s["slice_score"] for s in finder.top_slices_statistics_],
    "sizes": [int(s["slice_size"]) for s in finder.top_slices_statistics_]}))
"""


def table(generator: np.random.Generator, rows: int) -> pa.Table:
    """Eight columns of text of 2 to 10 values, skewed, and four of numbers."""
    shares = [np.array(share) / sum(share) for share in SHARES]
    texts = {f"t{i}": generator.choice(len(p), rows, p=p).astype(str) for i, p in enumerate(shares)}
    return pa.table(texts | {f"x{i}": generator.normal(size=rows) for i in range(4)})


def planted(generator: np.random.Generator, found: Levels, conditions: int) -> np.ndarray:
    """The rows of a slice of about 150 rows and so many conditions, (N,) bool."""
    if conditions == 1:  # few are that large: the nearest to 150 where none is
        sizes = np.array([found.rows(np.array([at, -1, -1])).sum() for at in range(len(found.ranges))])
        off = np.maximum(np.abs(sizes - sum(NEAR) / 2), (NEAR[1] - NEAR[0]) / 2)
        return found.rows(np.array([generator.choice(np.flatnonzero(off == off.min())), -1, -1]))
    while True:
        member = np.r_[generator.choice(len(found.ranges), conditions, replace=False), -1]
        rows = found.rows(member)
        if NEAR[0] <= rows.sum() <= NEAR[1] and len(set(found.ranges[member[:-1], 0])) == conditions:
            return rows


def wrong(generator: np.random.Generator, inside: np.ndarray, base: float, exact: bool) -> np.ndarray:
    """A 0/1 loss that is 15 points worse inside, in expectation or exactly."""
    loss = (generator.random(len(inside)) < np.where(inside, base + LIFT, base)).astype(float)
    if exact:
        places = generator.permutation(np.flatnonzero(inside))
        loss[places] = np.arange(len(places)) < round((base + LIFT) * len(places))
    return loss


def nearest(columns: pa.Table, inside: np.ndarray, predicates: list[str]) -> float:
    """The greatest share of a union that a found slice has in common with the planted one."""
    rows = [select(columns, predicate) for predicate in predicates]
    return max((float((one & inside).sum() / (one | inside).sum()) for one in rows), default=0.0)


def power(base: float, exact: bool, way: str, runs: int) -> dict[str, Any]:
    """How often slices of one and of two conditions are found, and how much too large their gaps come out."""
    hits, excess, held = {1: [], 2: []}, [], []
    for run in range(runs):
        generator = np.random.default_rng([run, round(100 * base), exact])
        columns = table(generator, 2000)
        conditions = 1 + run % 2
        inside = planted(generator, levels(columns), conditions)
        loss = wrong(generator, inside, base, exact)
        slices = find(columns, [str(i) for i in range(2000)], loss, seed=run, way=way).slices
        hits[conditions].append(nearest(columns, inside, [one.predicate for one in slices]) >= 0.5)
        for one in slices:
            rows = select(columns, one.predicate)
            true = LIFT * (inside[rows].mean() - inside[~rows].mean())
            excess.append(one.gap - true)
            held.append(one.low <= true <= one.high)
    found: dict[str, Any] = {"base": base, "planted": "exact" if exact else "drawn", "way": way, "runs": runs}
    for name, own in (("found", hits[1] + hits[2]), ("one", hits[1]), ("two", hits[2])):
        found[name] = float(np.mean(own))
    return found | {"gap_excess": float(np.mean(excess or [0])), "interval_held": float(np.mean(held or [1]))}


def noise(rows: int, way: str, continuous: bool, runs: int, base: float = 0.15) -> dict[str, Any]:
    """Runs on pure noise, 0/1 or continuous and skewed, in which any slice is reported."""
    false = 0
    for run in range(runs):
        generator = np.random.default_rng([run, rows])
        columns, ids = table(generator, rows), [str(i) for i in range(rows)]
        loss = generator.gamma(0.5, 1, rows) if continuous else (generator.random(rows) < base).astype(float)
        false += bool(find(columns, ids, loss, seed=run, way=way).slices)
    return {"rows": rows, "way": way, "loss": "continuous" if continuous else "0/1", "runs": runs, "false": false}


def scores(tested: Searched, alpha: float = 0.95) -> np.ndarray:
    """SliceLine's score of each slice (Sagadeeva, Boehm, SIGMOD 2021, equation 1)."""
    n, loss, total = tested.sums[:, 0], tested.sums[:, 2], tested.totals
    return alpha * (loss / n / (total[2] / total[0]) - 1) - (1 - alpha) * (total[0] / n - 1)


def speed(rows: int, python: str | None) -> dict[str, Any]:
    """Seconds at depths 2 and 3 on rows × 20 columns, and beside sliceline on the same bins without thresholds."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    generator = np.random.default_rng(1)
    texts = {f"t{i}": generator.integers(0, 6, rows).astype(str) for i in range(10)}
    columns = pa.table(texts | {f"x{i}": generator.normal(size=rows) for i in range(10)})
    found, support = levels(columns), least_support(rows)
    loss = (generator.random(rows) < np.where(found.rows(np.array([1, 20, -1])), 0.35, 0.15)).astype(float)
    losses, result = Losses(loss), {"rows": rows, "columns": 20, "levels": len(found.ranges)}
    search(found, losses, 1, support)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for depth, turns in ((2, 7), (3, 3)):
        times = []
        for _ in range(turns):
            began = time.perf_counter()
            tested = search(found, losses, depth, support)
            times.append(time.perf_counter() - began)
        result[f"depth{depth}"] = {"seconds": float(np.median(times)), "tested": sum(tested.tested)}
    result["extra_mib"] = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    return result | ({"sliceline": beside(found, losses, loss, support, python)} if python else {})


def beside(found: Levels, losses: Losses, loss: np.ndarray, support: int, python: str) -> dict[str, Any]:
    """sliceline and this search on the same one-hot levels at depth 2: seconds, and whether the best are the same."""
    single = found.ranges[:, 2] - found.ranges[:, 1] == 1
    kept = [i for i, one in enumerate(single) if one]
    plain = Levels(found.names, found.bins, found.sizes, found.ranges[kept], [found.conditions[i] for i in kept])
    times = []
    for _ in range(7):
        began = time.perf_counter()
        tested = search(plain, losses, 2, support, least=-np.inf)
        times.append(time.perf_counter() - began)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "given.npz"
        np.savez(path, bins=found.bins, loss=loss, support=support)
        line = [python, "-c", SLICELINE, str(path)]
        other = json.loads(subprocess.run(line, check=True, capture_output=True, text=True).stdout)
    own = scores(tested)
    best = np.argsort(-own, kind="stable")[: len(other["scores"])]
    same = bool(np.allclose(own[best], other["scores"], rtol=1e-9))
    same &= sorted(tested.sums[best, 0].astype(int).tolist()) == sorted(other["sizes"])
    ours = float(np.median(times))
    return {"seconds": ours, "sliceline_seconds": other["seconds"], "ratio": other["seconds"] / ours, "same_top": same}


def main(arguments: list[str]) -> None:
    """Measure what is asked for, print JSON, write."""
    given = dict(argument.split("=", 1) for argument in arguments)
    runs, out = int(given.get("runs", 100)), Path(given.get("out", RESULT))
    found: dict[str, Any] = json.loads(out.read_text("utf-8")) if "only" in given and out.exists() else {}
    kinds = [(rows, way, continuous) for rows in (2000, 20_000) for way in WAYS for continuous in (False, True)]
    planted_kinds = [(base, exact, way) for base in BASES for exact in (False, True) for way in WAYS]
    parts: dict[str, Callable[[], Any]] = {
        "noise": lambda: [noise(*kind, runs) for kind in kinds],
        "power": lambda: [power(*kind, runs) for kind in planted_kinds],
        "speed": lambda: speed(int(given.get("rows", 100_000)), given.get("sliceline")),
    }
    for name in [given["only"]] if "only" in given else parts:
        found[name] = parts[name]()
        found |= {"machine": machine(), "versions": host()["versions"], "cores": 1}
        out.write_text(json.dumps(found, ensure_ascii=False, indent=1) + "\n", "utf-8")
    print(json.dumps(found, ensure_ascii=False, indent=1))


if __name__ == "__main__":
    main(sys.argv[1:])
