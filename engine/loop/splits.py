"""Evaluation rows told apart: those to find slices on, those to tune on, and those that report, which share nothing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from sliceforge.engine import commit
from sliceforge.engine.errors import RunError, SettingError
from sliceforge.engine.keys import Keys

PARTS = {"find": 0.4, "tune": 0.2, "report": 0.4}
"""Part → share of the rows."""


def parts(ids: Sequence[str], clusters: Sequence[object] | np.ndarray | None = None, seed: int = 0) -> np.ndarray:
    """The part of each row, (N,) text: a function of the seed and the set of ids or clusters.

    Clusters, or ids where there are none, come in the order of a keyed hash, each into the part that lacks most of its
    share of the rows.

    Args:
        ids: (N,) of the rows, each once.
        clusters: (N,) speaker, coil, tile or recording: none is in two parts.
        seed: of the hash.

    Raises:
        SettingError: fewer clusters than parts.
    """
    own = np.asarray(ids if clusters is None else clusters, str)
    names, of, counts = np.unique(own, return_inverse=True, return_counts=True)
    if len(names) < len(PARTS):
        what = "rows" if clusters is None else "clusters"
        raise SettingError(f"eval: {len(names)} {what}: find, tune and report need rows of their own, hundreds each")
    order = np.argsort(Keys.of(seed, [str(name) for name in names]).field("part"), kind="stable")
    shares, rows, part = np.array(list(PARTS.values())), np.zeros(len(PARTS)), np.zeros(len(names), np.int64)
    for at in order:
        side = int(np.argmin(rows / shares))
        part[at] = side
        rows[side] += counts[at]
    return np.array(list(PARTS))[part[of.reshape(-1)]]


def write(path: Path, ids: Sequence[str], part: np.ndarray, clusters: Sequence[object] | np.ndarray | None) -> None:
    """Write which row is in which part: `id`, `part`, and `cluster` where there are any."""
    columns = {"id": pa.array(list(ids), pa.string()), "part": pa.array(part.tolist(), pa.string())}
    if clusters is not None:
        columns["cluster"] = pa.array(np.asarray(clusters, str).tolist(), pa.string())
    commit.write_table(path, pa.table(columns))


def read(path: Path) -> dict[str, frozenset[str]]:
    """Part → ids.

    Raises:
        RunError: an id, or a cluster, is in two parts, or the table is damaged.
    """
    table = commit.read_table(path)
    for name in {"id", "cluster"} & set(table.column_names):
        seen: dict[object, str] = {}
        for value, part in zip(table[name].to_pylist(), table["part"].to_pylist(), strict=True):
            if seen.setdefault(value, part) != part:
                raise RunError(f"{path}: {name} {value} is in {seen[value]} and in {part}; expected one part for each")
    ids, part = np.array(table["id"].to_pylist(), object), np.array(table["part"].to_pylist(), object)
    if len(set(ids)) < len(ids):
        raise RunError(f"{path}: an id is there twice; expected each once")
    return {name: frozenset(ids[part == name]) for name in PARTS}
