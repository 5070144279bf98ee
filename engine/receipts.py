"""Receipts: a shard counts when its receipt exists; manifest and rejects are what the receipts give."""

from __future__ import annotations

import hashlib
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from sliceforge.engine import shards


def listed(run: Path) -> list[Path]:
    """Every receipt, in plan order."""
    return sorted((run / "receipts").glob("v*.parquet"), key=lambda path: shards.numbers(path.stem))


def seen(run: Path, variant: int, index: int) -> tuple[int, int]:
    """(accepted, rows) of a shard's receipt; (0, 0) where there is none."""
    path = shards.receipt(run, shards.name(variant, index))
    if not path.exists():
        return 0, 0
    accepted = shards.read_table(path, ["accepted"])["accepted"].to_pylist()
    return sum(accepted), len(accepted)


def stamp(run: Path) -> str:
    """SHA-256 over all receipts."""
    whole = hashlib.sha256()
    for path in listed(run):
        whole.update(f"{path.stem}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return whole.hexdigest()


def collect(run: Path) -> tuple[pa.Table, pa.Table]:
    """Manifest and rejects, as the receipts give them."""
    tables = [shards.read_table(path).replace_schema_metadata(None) for path in listed(run)]
    table = _ordered(pa.concat_tables(tables, promote_options="default"))
    good = table.filter(table["accepted"]).drop_columns(["accepted", "reason", "detail"])
    bad = table.filter(pc.invert(table["accepted"]))
    return good, bad.select(["id", "parents", "parent_path", "variant", "attempt", "reason", "detail"])


def finish(run: Path) -> tuple[int, Counter[str]]:
    """Write manifest and rejects unless they are there; returns (accepted, reason → number)."""
    good, bad = collect(run)
    notes = {"receipts": stamp(run)}
    for path, rows in ((run / "rejects.parquet", bad), (run / "manifest.parquet", good)):
        if _stamped(path) != notes["receipts"].encode():
            shards.write_table(path, rows, notes=notes)
    return len(good), Counter(bad["reason"].to_pylist())


def _stamped(path: Path) -> bytes:
    """The receipts that a table was made from; nothing where there is no such table, or a damaged one."""
    try:
        return (pq.read_schema(path).metadata or {}).get(b"receipts", b"")
    except (OSError, pa.ArrowInvalid):
        return b""


def _ordered(table: pa.Table) -> pa.Table:
    """Columns in the order of a receipt's, with measures sorted, whichever shard named one first."""
    names = table.column_names
    measured = [name for name in names if name.split(".")[0] in ("asked", "got", "gate")]
    plain = [name for name in names if name not in measured and name != "sha256"]
    return table.select([*plain, *sorted(measured), "sha256"])
