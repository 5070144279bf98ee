"""Rows that belong together, and the halves that keep them so."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from sliceforge.engine.errors import SettingError, did_you_mean
from sliceforge.engine.loop.find.clusters import codes
from sliceforge.engine.loop.find.confirm import split


def cluster_of(table: pa.Table, name: str | None) -> np.ndarray | None:
    """(N,) text of the column that says which rows belong together; a row without it stands alone."""
    if not name:
        return None
    if name not in table.column_names:
        raise SettingError(f"cluster: no column {name!r}{did_you_mean(name, table.column_names)}")
    own, ids = table[name].to_pylist(), table["id"].to_pylist()
    return np.array([f"id {item}" if value is None else f"of {value}" for value, item in zip(own, ids, strict=True)])


def halves_of(table: pa.Table, cluster: np.ndarray | None, seed: int) -> np.ndarray:
    """(N,) bool, which rows are in the first half."""
    return split(table["id"].to_pylist(), None if cluster is None else codes(cluster), seed)
