"""Receipts: a shard counts when its receipt exists; manifest and rejects are what the receipts give."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from sliceforge.engine import commit, shards

HASH = "near.hash"
"""The column of an item's hash: 64 bits as sixteen digits."""


def listed(run: Path) -> list[Path]:
    """Every receipt, in plan order."""
    return sorted((run / "receipts").glob("v*.parquet"), key=lambda path: shards.numbers(path.stem))


def seen(run: Path, variant: int, index: int) -> tuple[int, int]:
    """(accepted, rows) of a shard's receipt; (0, 0) where there is none."""
    path = shards.receipt(run, shards.name(variant, index))
    if not path.exists():
        return 0, 0
    accepted = commit.read_table(path, ["accepted"])["accepted"].to_pylist()
    return sum(accepted), len(accepted)


def stamp(run: Path) -> str:
    """SHA-256 over all receipts."""
    whole = hashlib.sha256()
    for path in listed(run):
        whole.update(f"{path.stem}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return whole.hexdigest()


def collect(run: Path) -> tuple[pa.Table, pa.Table]:
    """Manifest and rejects, as the receipts give them.

    The manifest says of each made item which other one is nearest to it by its hash, `near.id`, and how many of 64
    bits differ, `near.distance`; nothing where none is within `hamming.MOST` bits.
    """
    tables = [commit.read_table(path).replace_schema_metadata(None) for path in listed(run)]
    table = _ordered(pa.concat_tables(tables, promote_options="default"))
    good = table.filter(table["accepted"]).drop_columns(["accepted", "reason", "detail"])
    bad = table.filter(pc.invert(table["accepted"]))
    return _neighboured(good), bad.select(["id", "parents", "parent_path", "variant", "attempt", "reason", "detail"])


def finish(run: Path, last: Callable[[Path, pa.Table], None]) -> tuple[int, Counter[str]]:
    """Write manifest and rejects unless they are there; returns (accepted, reason → number).

    Args:
        run: the run's folder.
        last: what else speaks of all items; told of the manifest before that is written.
    """
    good, bad = collect(run)
    last(run, good)
    notes = {"receipts": stamp(run)}
    for path, rows in ((run / "rejects.parquet", bad), (run / "manifest.parquet", good)):
        if stamped(path) != notes["receipts"].encode():
            commit.write_table(path, rows, notes=notes)
    return len(good), Counter(bad["reason"].to_pylist())


def digits(hash_: int) -> str:
    """A hash as the column has it."""
    return f"{hash_:016x}"


def _neighboured(good: pa.Table) -> pa.Table:
    from sliceforge.kernels import hamming

    made = np.flatnonzero(good["variant"].to_numpy() > 0)
    ids: list[str | None] = [None] * len(good)
    apart: list[int | None] = [None] * len(good)
    if HASH in good.column_names:
        texts = good[HASH].take(pa.array(made)).to_pylist()
        made = made[[text is not None for text in texts]]
        hashes = np.array([int(text, 16) for text in texts if text is not None], np.uint64)
        names = good["id"].take(pa.array(made)).to_pylist()
        for row, place, distance in zip(made.tolist(), *(one.tolist() for one in hamming.nearest(hashes)), strict=True):
            if place >= 0:
                ids[row], apart[row] = names[place], distance
    columns = {"near.id": pa.array(ids, pa.string()), "near.distance": pa.array(apart, pa.int32())}
    for at, (name, column) in enumerate(columns.items(), good.column_names.index("sha256")):
        good = good.add_column(at, name, column)
    return good


def stamped(path: Path) -> bytes:
    """The receipts that a table was made from; nothing where there is no such table, or a damaged one."""
    try:
        return (pq.read_schema(path).metadata or {}).get(b"receipts", b"")
    except (OSError, pa.ArrowInvalid):
        return b""


def _ordered(table: pa.Table) -> pa.Table:
    """Columns in the order of a receipt's, with measures sorted, whichever shard named one first."""
    names = table.column_names
    measured = [name for name in names if name.split(".")[0] in ("asked", "got", "gate")]
    last = [name for name in names if name in (HASH, "sha256")]
    plain = [name for name in names if name not in measured and name not in last]
    return table.select([*plain, *sorted(measured), *last])
