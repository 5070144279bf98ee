"""Rows that claim one id, and the canonical text of rows by which one of them counts."""

from __future__ import annotations

import hashlib
import json
from collections import Counter

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sliceforge.engine.paths import Reject

PART = 16 << 20
"""Bytes of a table that become Python objects at once."""


def unique(table: pa.Table) -> tuple[pa.Table, list[Reject]]:
    """The rows by id; of those that share one the first by path, then by content, whatever order they came in."""
    ids = table["id"].to_pylist()
    count = Counter(ids)
    doubles = [i for i, item in enumerate(ids) if count[item] > 1]
    text = [""] * len(ids)
    step = rows(table)
    for start in range(0, len(doubles), step):
        some = doubles[start : start + step]
        for i, row in zip(some, table.take(pa.array(some)).to_pylist(), strict=True):
            text[i] = hashlib.sha256(canonical(row).encode()).hexdigest()
    keyed = pa.table({"id": table["id"], "path": table["path"], "text": pa.array(text, pa.string())})
    order = pc.sort_indices(keyed, [(name, "ascending") for name in keyed.column_names])
    table = table.take(order)
    sorted_ids = table["id"].to_pylist()
    keep = np.array([i == 0 or item != sorted_ids[i - 1] for i, item in enumerate(sorted_ids)], bool)
    paths = table["path"]
    rejects = [
        Reject(sorted_ids[i], paths[i].as_py(), "duplicate", "another row has this id") for i in np.flatnonzero(~keep)
    ]
    return table.filter(pa.array(keep)), rejects


def rows(table: pa.Table) -> int:
    """How many rows of a table become Python objects at once."""
    return max(1, PART * len(table) // max(1, table.nbytes))


def canonical(value: object) -> str:
    """Any value as JSON that is the same wherever it comes from."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)
