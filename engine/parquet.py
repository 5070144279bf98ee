"""Parquet from outside: extension types and dictionaries become plain values, and a small bomb stays small."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from sliceforge.engine.errors import SettingError

MOST_BYTES = 1 << 30
"""Bytes of a table once it is decoded."""

MOST_ROWS = 10_000_000
ROWS_PER_BYTE = 4
"""More rows than this for each byte of a file of over a million rows cannot have a path of their own."""

_ROWS = 1 << 16


def read_parquet(path: Path, where: str) -> pa.Table:
    """A Parquet file with plain types only.

    Args:
        path: the file.
        where: how messages name it.

    Raises:
        SettingError: it is larger than `MOST_ROWS` or `MOST_BYTES`.
    """
    file = pq.ParquetFile(path)
    rows = file.metadata.num_rows
    if rows > MOST_ROWS or rows > max(1_000_000, ROWS_PER_BYTE * path.stat().st_size):
        raise SettingError(f"{where}: {rows} rows in {path.stat().st_size} bytes; expected at most {MOST_ROWS} rows")
    if _exceeds(file, path):
        raise SettingError(f"{where}: more than {MOST_BYTES >> 20} MiB once it is decoded")
    table = file.read(use_threads=False)
    return pa.table([_plain(column) for column in table.columns], names=table.column_names)


def _exceeds(file: pq.ParquetFile, path: Path) -> bool:
    """Whether a file would decode to too much; texts are kept as dictionaries while they are counted."""
    meta = file.metadata
    leaves = [file.schema.column(i) for i in range(meta.num_columns)]
    groups = [meta.row_group(i) for i in range(meta.num_row_groups)]
    values = sum(group.column(i).num_values for group in groups for i in range(meta.num_columns))
    pages = sum(group.column(i).total_uncompressed_size for group in groups for i in range(meta.num_columns))
    if max(8 * values, pages) > MOST_BYTES:
        return True
    texts = [leaf.path for leaf in leaves if leaf.physical_type == "BYTE_ARRAY"]
    size = 0
    for batch in pq.ParquetFile(path, read_dictionary=texts).iter_batches(_ROWS, use_threads=False):
        size += sum(_decoded(column) for column in batch.columns)
        if size > MOST_BYTES:
            return True
    return False


def _decoded(column: pa.Array) -> int:
    """Bytes of a column, at any depth, once its dictionaries are written out."""
    kind = column.type
    if isinstance(kind, pa.BaseExtensionType):
        return _decoded(column.storage)
    if pa.types.is_dictionary(kind):
        if not pa.types.is_binary(kind.value_type) and not pa.types.is_string(kind.value_type):
            return int(column.nbytes)
        lengths = pc.binary_length(column.dictionary).cast(pa.int64())
        return 8 * len(column) + (pc.sum(lengths.take(column.indices)).as_py() or 0)
    if pa.types.is_struct(kind):
        return sum(_decoded(child) for child in column.flatten())
    if pa.types.is_map(kind):
        return _decoded(column.keys) + _decoded(column.items)
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        return 8 * len(column) + _decoded(column.flatten())
    return int(column.nbytes)


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Extension types as what they are stored as, dictionaries as their values, every text as string."""
    if isinstance(column.type, pa.BaseExtensionType):
        column = pa.chunked_array([chunk.storage for chunk in column.chunks], column.type.storage_type)
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    wide = pa.types.is_large_string(column.type) or pa.types.is_string_view(column.type)
    return column.cast(pa.string()) if wide else column


def kept(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """A column as a run can keep it: moments to the microsecond, and as JSON what holds structs without fields."""
    if _bare(column.type):
        texts = [None if value is None else json.dumps(value, default=str) for value in column.to_pylist()]
        return pa.chunked_array([pa.array(texts, pa.string())])
    kind = _micro(column.type)
    return column if kind == column.type else column.cast(kind, safe=False)


def _bare(kind: pa.DataType) -> bool:
    inner = [kind.field(i).type for i in range(kind.num_fields)] if pa.types.is_nested(kind) else []
    return (pa.types.is_struct(kind) and not inner) or any(map(_bare, inner))


def _micro(kind: pa.DataType) -> pa.DataType:
    if pa.types.is_timestamp(kind) and kind.unit == "ns":
        return pa.timestamp("us", kind.tz)
    if pa.types.is_duration(kind) and kind.unit == "ns":
        return pa.duration("us")
    if pa.types.is_time64(kind) and kind.unit == "ns":
        return pa.time64("us")
    if pa.types.is_list(kind):
        return pa.list_(kind.value_field.with_type(_micro(kind.value_type)))
    if pa.types.is_struct(kind):
        return pa.struct([kind.field(i).with_type(_micro(kind.field(i).type)) for i in range(kind.num_fields)])
    return kind
