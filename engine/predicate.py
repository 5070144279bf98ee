"""Which rows of a table an SQL condition from outside is true for; it runs where no file can be reached."""

from __future__ import annotations

import duckdb
import numpy as np
import pyarrow as pa

from sliceforge.engine.admit import admitted, bracketed, connect, said
from sliceforge.engine.errors import SettingError, did_you_mean
from sliceforge.engine.paths import shown

EXAMPLE = "noise = 'car' AND snr < 10"


def select(table: pa.Table, predicate: str, key: str = "parents") -> np.ndarray:
    """Which rows a predicate is true for, (N,) bool; where it is null, it is not.

    Args:
        table: any table of items.
        predicate: an SQL condition over its columns; a name with a dot stands in double quotes.
        key: the setting it came from, for messages.

    Raises:
        SettingError: it is not a condition, not admitted, or names an unknown column.
    """
    written = columns(predicate, key)
    used: dict[str, str] = {}
    for name in sorted(written):
        column = _column(table, name, _where(predicate, key))
        taken = next((other for other in used if other.lower() == name.lower()), None)
        if taken and used[taken] != column:
            raise SettingError(f"{_where(predicate, key)}: {taken!r} and {name!r} differ in case alone; rename one")
        used.setdefault(taken or name, column)
    if not used:
        used["any"] = table.column_names[0]
    fields: dict[str, pa.ChunkedArray] = {name: _zoneless(table[column]) for name, column in used.items()}
    connection = connect()
    try:
        connection.register("items", pa.table(fields))
        connection.execute("SET lock_configuration = true")
        found = connection.execute(bracketed(predicate) + " AS inside FROM items")
        kind = str(found.description[0][1])
        inside = found.fetchnumpy()["inside"]
    except duckdb.Error as error:
        raise SettingError(f"{_where(predicate, key)}: {said(error)}") from None
    finally:
        connection.close()
    if not kind.upper().startswith("BOOL"):
        raise SettingError(f"{_where(predicate, key)}: is no condition but {kind}; such as {EXAMPLE}")
    return np.ma.filled(inside, False).astype(bool)


def columns(predicate: str, key: str = "parents") -> set[str]:
    """The names of columns that a predicate uses, as it writes them.

    Args:
        predicate: an SQL condition.
        key: the setting it came from, for messages.

    Raises:
        SettingError: it is not a condition, or not admitted.
    """
    try:
        return set(admitted(predicate))
    except SettingError as error:
        raise SettingError(f"{_where(predicate, key)}: {error}; such as {EXAMPLE}") from None


def _where(predicate: str, key: str) -> str:
    return f"{key}: {shown(' '.join(predicate.split()), 80) or 'nothing'}"


def _column(table: pa.Table, name: str, where: str) -> str:
    """The table's column of that name, exactly or but for the case of letters."""
    names = table.column_names
    if name in names:
        return name
    near = [other for other in names if other.lower() == name.lower()]
    if len(near) != 1:
        raise SettingError(f"{where}: no column {name!r}{shown(did_you_mean(name, names), 300)}")
    return near[0]


def _zoneless(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Moments with a time zone as UTC without one, so that no machine's zone decides."""
    kind = column.type
    return column.cast(pa.timestamp(kind.unit)) if pa.types.is_timestamp(kind) and kind.tz else column
