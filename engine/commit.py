"""Files that become visible whole, by rename, once they are on the disk."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from sliceforge.engine.errors import RunError

ROWS = 65536
"""Rows in a row group of manifest.parquet and rejects.parquet."""

TEMPORARY = ".sliceforge-"
"""How the names of files begin that are being written."""


@contextmanager
def committed(path: Path) -> Iterator[BinaryIO]:
    """Write a file under a temporary name beside its place; it is flushed to disk and renamed at the end."""
    path.parent.mkdir(parents=True, exist_ok=True)
    stem = hashlib.sha256(path.name.encode()).hexdigest()[:16]
    temporary = path.with_name(f"{TEMPORARY}{stem}.{os.getpid()}")
    try:
        with temporary.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise OSError(error.errno, error.strerror or str(error), error.filename or str(path)) from None
    temporary.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def sweep(root: Path) -> None:
    """Remove what an interrupted writer left under temporary names."""
    for path in root.rglob(f"{TEMPORARY}*"):
        path.unlink(missing_ok=True)


def read_table(path: Path, columns: Sequence[str] | None = None) -> pa.Table:
    """A table of a run.

    Raises:
        RunError: it is damaged.
    """
    try:
        return pq.read_table(path, columns=columns)
    except pa.ArrowInvalid:
        raise RunError(f"{path}: is damaged; without it, the command that began the run makes it again") from None


def write_table(path: Path, table: pa.Table, rows: int = ROWS, notes: Mapping[str, str] | None = None) -> None:
    """A Parquet file, whole and by rename; the same table gives the same bytes."""
    table = table.replace_schema_metadata(notes).combine_chunks()
    with committed(path) as file:
        pq.write_table(table, file, row_group_size=rows)
