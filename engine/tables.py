"""Tables from outside: Parquet, CSV and JSON lines, typed, in bounded memory, never running anything."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyarrow import csv as arrow_csv

from sliceforge.engine.errors import SettingError
from sliceforge.engine.parquet import read_parquet
from sliceforge.engine.paths import shown

TEXT = ("id", "path", "audio_filepath", "label", "split", "group")
"""Columns that are text whatever stands in them: 007 keeps its zeros."""

SUFFIXES = (".parquet", ".csv", ".jsonl", ".ndjson", ".json")
MOST_COLUMNS = 4096
MOST_LINE = 1 << 20
"""Bytes of one row of a CSV or JSON lines table."""

_ROWS, _CELLS = 1 << 16, 1 << 22


def read_table(path: Path, where: str) -> pa.Table:
    """A table as it stands, with plain types.

    Args:
        path: the file.
        where: how messages name it, such as `data: train.csv`.

    Raises:
        SettingError: what the file is instead.
    """
    readers = {".parquet": _parquet, ".csv": _csv}
    try:
        if path.stat().st_size == 0:
            raise SettingError(f"{where}: is empty; expected columns such as path,label")
        table = readers.get(path.suffix.lower(), _json_lines)(path, where)
        names = table.column_names
    except (pa.ArrowException, OSError, csv.Error) as error:
        raise SettingError(f"{where}: cannot be read: {_said(error)}") from None
    except (UnicodeError, RecursionError, OverflowError, MemoryError) as error:
        text = "is not UTF-8 text" if isinstance(error, UnicodeError) else f"cannot be read: {_said(error)}"
        raise SettingError(f"{where}: {text}") from None
    _check_names(names, where)
    if not len(table):
        raise SettingError(f"{where}: has no rows, only columns: {shown(', '.join(names))}")
    return table


def as_text(column: pa.ChunkedArray, where: str) -> pa.ChunkedArray:
    """A column as text, with null for what is empty or no number."""
    kind = column.type
    if pa.types.is_floating(kind):
        column = pc.if_else(pc.is_nan(column), pa.scalar(None, kind), column)
    if pa.types.is_nested(kind):
        raise SettingError(f"{where}: expected text or numbers, found {kind}")
    try:
        column = column.cast(pa.string())
    except pa.ArrowException:
        raise SettingError(f"{where}: expected text or numbers, found {kind}") from None
    return pc.if_else(pc.equal(column, ""), pa.scalar(None, pa.string()), column)


def _said(error: BaseException) -> str:
    text = str(error)
    if "straddling" in text:
        return f"a row longer than {MOST_LINE} bytes, or a quote that is not closed"
    return shown(" ".join(text.split()), 120) or type(error).__name__


def _check_count(count: int, where: str) -> None:
    if count > MOST_COLUMNS:
        raise SettingError(f"{where}: {count} columns; expected at most {MOST_COLUMNS}")


def _check_names(names: list[str], where: str) -> None:
    _check_count(len(names), where)
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise SettingError(f"{where}: the column {shown(name, 60)!r} is there twice")
        seen.add(name)


def _csv(path: Path, where: str) -> pa.Table:
    with path.open("rb") as file:
        head = file.read(MOST_LINE)
    line = head.partition(b"\n")[0]
    if len(line) == MOST_LINE:
        raise SettingError(f"{where}: a first line longer than {MOST_LINE} bytes; expected columns such as path,label")
    if b"\0" in head:
        raise SettingError(f"{where}: is not UTF-8 text")
    names = next(csv.reader([line.decode("utf-8-sig").rstrip("\r")]), [])
    if len(names) == 1 and any(mark in names[0] for mark in ";\t|"):
        raise SettingError(f"{where}: expected commas between columns, found {shown(names[0], 60)!r}")
    _check_names([name for name in names if name], where)
    table = arrow_csv.read_csv(
        path,
        arrow_csv.ReadOptions(use_threads=False, block_size=MOST_LINE),
        arrow_csv.ParseOptions(newlines_in_values=True),
        # An empty cell is null in every column; NA, null and nan are text where text is meant.
        arrow_csv.ConvertOptions(
            null_values=[""], strings_can_be_null=True, column_types=dict.fromkeys(TEXT, pa.string())
        ),
    )
    if _unclosed(path, table):
        raise SettingError(f"{where}: a quote in it is not closed")
    for field in table.schema:
        if pa.types.is_binary(field.type):
            raise SettingError(f"{where}: the column {shown(field.name, 60)!r} is not UTF-8 text")
    return table.select([i for i, name in enumerate(table.column_names) if name])


def _unclosed(path: Path, table: pa.Table) -> bool:
    """Whether the last cell is the rest of the file, lines and all: Arrow takes that as a value."""
    last = table.columns[-1][-1].as_py() if len(table) else None
    if not isinstance(last, str) or "\n" not in last:
        return False
    with path.open("rb") as file:
        file.seek(-min(path.stat().st_size, 4096), os.SEEK_END)
        return not file.read().rstrip().endswith(b'"')


def _json_lines(path: Path, where: str) -> pa.Table:
    parts = []
    with path.open("rb") as file:
        lines = _objects(file, where)
        while True:
            columns: dict[str, list[Any]] = {}
            count = 0
            for count, row in enumerate(lines, 1):
                for name, value in row.items():
                    column = columns.setdefault(name, [])
                    column.extend([None] * (count - 1 - len(column)))
                    column.append(value)
                _check_count(len(columns), where)
                if count == _ROWS or count * len(columns) > _CELLS:
                    break
            if not count:
                break
            parts.append(_typed(columns, count, where))
    if not parts:
        raise SettingError(f"{where}: has no rows; expected one JSON object a line")
    return pa.concat_tables(parts, promote_options="permissive")


def _objects(file: BinaryIO, where: str) -> Iterator[dict[str, Any]]:
    number = 0
    while line := file.readline(MOST_LINE + 1):
        number += 1
        if len(line) > MOST_LINE:
            raise SettingError(f"{where}: line {number} is longer than {MOST_LINE} bytes")
        if number == 1:
            line = line.removeprefix(b"\xef\xbb\xbf")
        if not line.strip():
            continue
        try:
            row = json.loads(line.decode())
        except UnicodeDecodeError:
            raise SettingError(f"{where}: line {number} is not UTF-8 text") from None
        except ValueError:
            row = None
        if not isinstance(row, dict):
            example = '{"path": "a.wav", "label": "go"}'
            raise SettingError(f"{where}: line {number}: expected one JSON object a line, such as {example}")
        yield row


def _typed(columns: dict[str, list[Any]], count: int, where: str) -> pa.Table:
    arrays = {}
    for name, values in columns.items():
        values.extend([None] * (count - len(values)))
        if name in TEXT:
            values = [_text(value) for value in values]
        try:
            arrays[name] = pa.array(values)
        except (pa.ArrowException, OverflowError, UnicodeError) as error:
            raise SettingError(f"{where}: the column {shown(name, 60)!r}: {_said(error)}") from None
    return pa.table(arrays)


def _text(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    return str(value) if value == value else None


def _parquet(path: Path, where: str) -> pa.Table:
    _check_names(pq.read_schema(path).names, where)
    return read_parquet(path, where)
