"""Parquet from outside: extension types and dictionaries become plain values, and a small bomb stays small."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from sliceforge.engine.errors import SettingError

MOST_BYTES = 2 << 30
"""Bytes of a table once it is decoded."""

_ROWS = 1 << 16


def read_parquet(path: Path, where: str) -> pa.Table:
    """A Parquet file with plain types only.

    Args:
        path: the file.
        where: how messages name it.

    Raises:
        SettingError: it is larger than `MOST_BYTES`.
    """
    file = pq.ParquetFile(path)
    schema = file.schema_arrow
    groups = (file.metadata.row_group(i) for i in range(file.metadata.num_row_groups))
    size = sum(group.total_byte_size for group in groups)
    # Read as dictionaries, so that one long text in a million rows stays one text until it is known to fit.
    texts = [field.name for field in schema if _is_text(field.type)]
    file = pq.ParquetFile(path, read_dictionary=texts)
    parts = []
    for batch in file.iter_batches(batch_size=_ROWS):
        size += sum(_decoded(column) for column in batch.columns)
        if size > MOST_BYTES:
            raise SettingError(f"{where}: more than {MOST_BYTES >> 30} GiB of table")
        parts.append(pa.table([_plain(column) for column in batch.columns], names=batch.schema.names))
    if not parts:
        return pa.table([pa.array([], _storage(field.type)) for field in schema], names=schema.names)
    return pa.concat_tables(parts, promote_options="permissive")


def _is_text(kind: pa.DataType) -> bool:
    return pa.types.is_string(kind) or pa.types.is_large_string(kind)


def _decoded(column: pa.Array) -> int:
    """Bytes of a column once its dictionary is written out."""
    if isinstance(column, pa.DictionaryArray) and _is_text(column.dictionary.type):
        lengths = pc.binary_length(column.dictionary).cast(pa.int64())
        return pc.sum(lengths.take(column.indices)).as_py() or 0
    return int(column.nbytes)


def _storage(kind: pa.DataType) -> pa.DataType:
    return kind.storage_type if isinstance(kind, pa.BaseExtensionType) else kind


def _plain(column: pa.Array) -> pa.Array:
    """Extension types as what they are stored as, dictionaries as their values, every text as string."""
    if isinstance(column, pa.ExtensionArray):
        column = column.storage
    if isinstance(column, pa.DictionaryArray):
        column = column.dictionary_decode()
    return column.cast(pa.string()) if _is_text(column.type) else column
