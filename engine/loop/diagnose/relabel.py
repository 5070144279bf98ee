"""The relabel queue: items whose label is probably wrong, the surest first, as a table for the people who label."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import csv

from sliceforge.engine import commit
from sliceforge.engine.errors import SettingError
from sliceforge.engine.loop.diagnose.agreement import Distance, missing
from sliceforge.engine.loop.diagnose.confident import Confidence

FIELDS = pa.schema(
    [
        ("id", pa.string()),
        ("path", pa.string()),
        ("label", pa.string()),
        ("proposed", pa.string()),
        ("doubt", pa.float64()),
        ("reason", pa.string()),
    ]
)
"""`label`: as given; `proposed`: what it seems to be, null where nobody knows; `doubt`: −1 to 1, the surest first."""

SUFFIXES = (".parquet", ".csv", ".jsonl")


def contradicted(
    judged: Confidence,
    ids: Sequence[str],
    classes: Sequence[str],
    paths: Sequence[str | None] | None = None,
    rows: np.ndarray | None = None,
    every: bool = False,
) -> pa.Table:
    """Suspects of a model, by p of the proposed class minus p of the given one.

    Args:
        judged: N items.
        ids, paths: (N,).
        classes: the C names.
        rows: (N,) which items; None: all.
        every: list each item, too, for which another class is more probable, confident or not: where labels are wrong,
            a third of the wrong ones are there.
    """
    likely = judged.probabilities.argmax(axis=1)
    proposed = np.where(judged.suspect, judged.proposed, likely) if every else judged.proposed
    chosen = (proposed != judged.labels) & (True if rows is None else rows)
    lines = []
    for i in np.flatnonzero(chosen).tolist():
        p, given, better = judged.probabilities[i], judged.labels[i], proposed[i]
        reason = f"the model gives {classes[better]} {p[better]:.2f} and {classes[given]} {p[given]:.2f}"
        doubt = float(p[better] - p[given])
        lines.append((ids[i], paths[i] if paths else None, classes[given], classes[better], doubt, reason))
    return ranked(lines)


def disputed(
    ids: Sequence[str],
    ratings: Sequence[Sequence[Any]],
    distance: Distance,
    paths: Sequence[str | None] | None = None,
    least: float = 0.0,
) -> pa.Table:
    """Items whose labellers differ, by the mean distance of their pairs.

    The proposed label is that of which the others are least far; null where nothing is nearer than the rest.

    Args:
        ids, paths: (N,).
        ratings: for each of N items the values of its labellers; None and NaN are missing.
        distance: between two values, 0 to 1.
        least: only items whose labellers are farther apart than this.
    """
    lines = []
    for i, unit in enumerate(ratings):
        values = [value for value in unit if not missing(value)]
        if len(values) < 2:
            continue
        far = np.array([[distance(a, b) for b in values] for a in values])
        doubt = far.sum() / (len(values) * (len(values) - 1))
        if doubt <= least:
            continue
        sums = far.sum(axis=1)
        nearest = int(sums.argmin())
        proposed = _said(values[nearest]) if np.ptp(sums) > 1e-9 else None
        said = Counter(_said(value) for value in values)
        votes = ", ".join(f"{count} × {text}" for text, count in said.most_common())
        lines.append((ids[i], paths[i] if paths else None, None, proposed, float(doubt), f"the labellers say {votes}"))
    return ranked(lines)


def _said(value: Any) -> str:
    if isinstance(value, np.ndarray) and value.ndim == 2 and value.shape[1] != 4:
        return f"a mask of {np.count_nonzero(value)} pixels"
    return json.dumps(value.tolist()) if isinstance(value, np.ndarray) else str(value)


def ranked(lines: Sequence[tuple[str, str | None, str | None, str | None, float, str]]) -> pa.Table:
    """A queue of rows in the order of `FIELDS`: the greatest doubt first."""
    ordered = sorted(lines, key=lambda line: (-line[4], line[0]))
    return pa.Table.from_pylist([dict(zip(FIELDS.names, line, strict=True)) for line in ordered], FIELDS)


def merged(queues: Sequence[pa.Table]) -> pa.Table:
    """One queue of several: an item that stands in two stays once, where its doubt is greatest."""
    found: dict[str, dict[str, Any]] = {}
    rows = [row for queue in queues for row in queue.to_pylist()]
    for row in sorted(rows, key=lambda row: (-row["doubt"], row["id"])):
        found.setdefault(row["id"], row)
    return pa.Table.from_pylist(list(found.values()), FIELDS)


def write_queue(path: Path, queue: pa.Table) -> None:
    """Write a queue as its suffix says, whole and by rename.

    Raises:
        SettingError: another suffix.
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise SettingError(f"relabel queue: {path.name!r}; expected .parquet, .csv or .jsonl, for example relabel.csv")
    if suffix == ".parquet":
        commit.write_table(path, queue)
        return
    with commit.committed(path) as file:
        if suffix == ".csv":
            csv.write_csv(queue, file)
            return
        for row in queue.to_pylist():
            file.write(json.dumps(row, ensure_ascii=False).encode() + b"\n")
