"""RUN/train.parquet: the originals, what was made and what is repeated, as one table that a training job reads."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from sliceforge.engine import lineage, receipts, sources
from sliceforge.engine.errors import SettingError
from sliceforge.engine.manifest import Manifest

FIRST = ("id", "path", "label", "split", "group", "slice", "operation", "made", "parents")
"""The columns that the table begins with; what the data and the recipes say of an item follows."""

FILES = ("path", "mask", "region")


@dataclass(frozen=True)
class Addition:
    """What one slice adds.

    Args:
        name: the slice's.
        operation: see `budget.OPERATIONS`.
        made: items of a run; None: rows of the data are repeated.
        repeats: (M,) places of those rows in the data, one for each repetition.
    """

    name: str
    operation: str
    made: Manifest | None = None
    repeats: np.ndarray | None = None


def assembled(train: Manifest, rows: np.ndarray, additions: Sequence[Addition]) -> pa.Table:
    """The training table: the chosen originals as they are, then each slice's additions.

    Paths are absolute. An original keeps its id; the n-th repetition of one has `ID#2`, `ID#3` …, counted over all
    slices; a made item is `SLICE/ID`, with its id in the slice's run. `slice` and `operation` are null for originals,
    `made` is true for what a recipe made, and `parents` are ids of originals.

    Args:
        train: the data.
        rows: (N,) bool, what trains.
        additions: in order.
    """
    root, table = train.root, _renamed(train.table)
    originals = table.filter(pa.array(rows))
    parts = [(root, _marked(originals, originals["id"].to_pylist(), None, None, made=False))]
    counts: dict[str, int] = {}
    for one in additions:
        if one.made is not None:
            own = _renamed(_plain(one.made.table))
            ids = [f"{one.name}/{item}" for item in own["id"].to_pylist()]
            parts.append((one.made.root, _marked(own, ids, one.name, one.operation, made=True)))
        elif one.repeats is not None and len(one.repeats):
            own, ids = table.take(pa.array(one.repeats)), []
            for item in own["id"].to_pylist():
                counts[item] = counts.get(item, 1) + 1
                ids.append(f"{item}#{counts[item]}")
            parts.append((root, _marked(own, ids, one.name, one.operation, made=False)))
    whole_root, whole = sources.together(parts, "budget")
    whole = _absolute(whole, whole_root)
    return whole.select([*FIRST, *(name for name in whole.column_names if name not in FIRST)]).combine_chunks()


def repeated(rows: np.ndarray, ids: Sequence[str], count: int, seed: int) -> np.ndarray:
    """`count` places of rows, (N,) bool, each as often as any other within one; the order is a keyed hash of the ids.

    Raises:
        SettingError: no row.
    """
    places = np.flatnonzero(rows)
    if not len(places):
        raise SettingError("budget: oversample: no training item is in the slice; expected at least one")
    key = hashlib.blake2b(str(seed).encode(), digest_size=32).digest()
    order = sorted(places.tolist(), key=lambda i: (hashlib.blake2b(ids[i].encode(), key=key).digest(), ids[i]))
    return np.sort(np.resize(np.array(order, np.int64), count))


def room(originals: int, clean: float) -> int:
    """Rows that may be added at most so that `clean` of all are originals.

    >>> room(400, 0.4)
    600
    """
    return int(originals * (1 - clean) / clean + 1e-9) if clean > 0 else 1 << 62


def _plain(table: pa.Table) -> pa.Table:
    """A run's manifest without what was asked, measured and hashed."""
    drop = ("slice", receipts.HASH, "variant", "attempt", "parent_path")
    return table.select([n for n in table.column_names if n not in drop and not lineage.foreign(n)])


def _renamed(table: pa.Table) -> pa.Table:
    """Columns of the data that have the name of one of the table's own give way."""
    taken = set(FIRST) - {"id", "path", "label", "split", "group", "parents"}
    return table.rename_columns([f"data_{name}" if name in taken else name for name in table.column_names])


def _marked(table: pa.Table, ids: Sequence[str], name: str | None, operation: str | None, made: bool) -> pa.Table:
    count = len(table)
    fields = {field: table[field] for field in table.column_names}
    parents = [[item] for item in table["id"].to_pylist()] if name and not made else None
    if parents is not None or "parents" not in fields:
        fields["parents"] = pa.array(parents or [[]] * count, pa.list_(pa.string()))
    fields["id"] = pa.array(ids, pa.string())
    fields["slice"] = pa.array([name] * count, pa.string())
    fields["operation"] = pa.array([operation] * count, pa.string())
    fields["made"] = pa.array([made] * count, pa.bool_())
    return pa.table(fields)


def _absolute(table: pa.Table, root: Path) -> pa.Table:
    for name in FILES:
        if name in table.column_names and pa.types.is_string(table.schema.field(name).type):
            paths = [None if path is None else str(root / path) for path in table[name].to_pylist()]
            table = table.set_column(table.column_names.index(name), name, pa.array(paths, pa.string()))
    return table
