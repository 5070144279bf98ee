"""Columns as bins, and the levels to search: ranges of bins, each with the SQL condition that it means."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sliceforge.engine.admit import admitted
from sliceforge.engine.errors import SettingError

BINS = 8
"""Quantile bins of a numeric column at most; a whole number with no more distinct values is taken value by value."""

LONGEST = 200
"""Characters of a text that a condition names at most."""


@dataclass
class Levels:
    """What is searched.

    Args:
        names: of the columns, sorted.
        bins: (C, N) uint16, the bin of each row; each column is apart into bins.
        sizes: (C,) bins of each column.
        ranges: (L, 3) int64: a level's column, its first bin and the one after its last.
        conditions: the SQL condition of each level.
    """

    names: list[str]
    bins: np.ndarray
    sizes: np.ndarray
    ranges: np.ndarray
    conditions: list[str]

    def rows(self, members: np.ndarray) -> np.ndarray:
        """Which rows a conjunction of levels holds for, (N,) bool; members are level numbers, −1 for none."""
        inside = np.ones(self.bins.shape[1], bool)
        for level in members[members >= 0]:
            column, low, high = self.ranges[level]
            inside &= (self.bins[column] >= low) & (self.bins[column] < high)
        return inside

    def predicate(self, members: np.ndarray) -> str:
        """The condition of a conjunction."""
        return " AND ".join(self.conditions[level] for level in members[members >= 0])


@dataclass
class _Column:
    """A column in the making: the bin of each row, how many bins, and (first, after last, condition) of each level."""

    bins: np.ndarray
    size: int = 0
    levels: list[tuple[int, int, str]] = field(default_factory=list)


def least_support(rows: int) -> int:
    """Rows that a slice needs: 30, and 0.5 % of all."""
    return max(30, math.ceil(0.005 * rows))


def levels(columns: pa.Table, support: int | None = None) -> Levels:
    """Cut columns into bins and say what each level means.

    Text, booleans and whole numbers of at most `BINS` values: a level for each value that has the support. Other
    numbers: at most `BINS` quantile bins with edges at values, and one-sided thresholds at the same edges. Missing is
    a level of its own, and so is not-a-number.

    Args:
        columns: (N, C) text, booleans, whole numbers or floats.
        support: rows that a level needs; by default `least_support`.

    Raises:
        SettingError: a column of another type.
    """
    support = least_support(len(columns)) if support is None else support
    names, made, ranges, conditions = sorted(columns.column_names), [], [], []
    for at, name in enumerate(names):
        column = _cut(name, columns[name], support)
        made.append(column)
        for low, high, condition in column.levels:
            ranges.append((at, low, high))
            conditions.append(condition)
    bins = np.array([column.bins for column in made], np.uint16).reshape(len(names), len(columns))
    sizes = np.array([column.size for column in made], np.int64)
    return Levels(names, bins, sizes, np.array(ranges, np.int64).reshape(-1, 3), conditions)


def quoted(name: str) -> str:
    """A column's name as a condition writes it: bare where that reads back as this column.

    >>> quoted("snr"), quoted("got.snr")
    ('snr', '"got.snr"')
    """
    try:
        if re.fullmatch("[a-z_][a-z0-9_]*", name) and admitted(f"{name} = 1") == {name}:
            return name
    except SettingError:
        pass  # a word of SQL
    doubled = name.replace('"', '""')
    return f'"{doubled}"'


def _cut(name: str, values: pa.ChunkedArray, support: int) -> _Column:
    kind, said = values.type, quoted(name)
    if pa.types.is_dictionary(kind):
        values = values.cast(kind.value_type)
        kind = kind.value_type
    missing = values.is_null().to_numpy().astype(bool)
    if pa.types.is_boolean(kind) or pa.types.is_null(kind):
        column = _by_value(values, missing, support, lambda value: said if value else f"NOT {said}")
    elif pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        column = _by_value(values.cast(pa.large_string()), missing, support, lambda text: _equals(said, text))
    elif pa.types.is_integer(kind) and len(pc.unique(values.drop_null())) <= BINS:
        column = _by_value(values, missing, support, lambda value: f"{said} = {value}")
    elif pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        column = _by_quantile(said, values, missing)
    else:
        raise SettingError(f"columns: {name} is {kind}: expected text, booleans or numbers, such as snr = 5.2")
    if missing.any():
        column.bins[missing] = column.size
        column.levels.append((column.size, column.size + 1, f"{said} IS NULL"))
        column.size += 1
    counts = np.bincount(column.bins, minlength=column.size).cumsum() if column.size else np.zeros(0)
    before = np.concatenate([[0], counts])
    column.levels = [level for level in column.levels if before[level[1]] - before[level[0]] >= support]
    return column


def _equals(said: str, text: str) -> str:
    # A condition admits no control character.
    if len(text) > LONGEST or re.search(r"[\x00-\x1f\x7f]", text):
        return ""
    doubled = text.replace("'", "''")
    return f"{said} = '{doubled}'"


def _by_value(values: pa.ChunkedArray, missing: np.ndarray, support: int, condition: Callable[[Any], str]) -> _Column:
    """A bin for each value that has the support; bin 0 takes the others and is not searched."""
    counted = values.drop_null().value_counts()
    often = [
        value for value, count in zip(counted.field(0), counted.field(1).to_pylist(), strict=True) if count >= support
    ]
    often.sort(key=lambda value: value.as_py())
    found = pc.index_in(values, pa.array([value.as_py() for value in often], values.type))
    column = _Column(pc.fill_null(found, -1).to_numpy().astype(np.int64) + 1, len(often) + 1)
    column.bins[missing] = 0
    said = ((at, condition(value.as_py())) for at, value in enumerate(often, 1))
    column.levels = [(at, at + 1, text) for at, text in said if text]
    return column


def _by_quantile(said: str, values: pa.ChunkedArray, missing: np.ndarray) -> _Column:
    """Bins between edges, each edge a value that opens its bin, so that ties stay together."""
    whole, single = pa.types.is_integer(values.type), pa.types.is_float32(values.type)
    kind = pa.int64() if whole else values.type if single else pa.float64()
    numbers = pc.fill_null(values.cast(kind), 0).to_numpy() + 0  # no −0
    lost = np.isnan(numbers) if not whole else np.zeros(len(numbers), bool)
    known = np.sort(numbers[~missing & ~lost])
    edges = np.unique(known[[math.ceil(k * len(known) / BINS) for k in range(1, BINS)]]) if len(known) > BINS else known
    edges = edges[(edges > known[0]) & np.isfinite(edges)] if len(known) else edges
    column = _Column(np.searchsorted(edges, numbers, "right"), len(edges) + 1)
    column.bins[missing] = 0
    # DuckDB takes not-a-number as the greatest of all.
    guard = f" AND NOT isnan({said})" if lost.any() else ""
    column.levels = list(_ranges(said, [_between(known, edge) for edge in edges], guard))
    if lost.any():
        column.bins[lost] = column.size
        column.levels.append((column.size, column.size + 1, f"isnan({said})"))
        column.size += 1
    return column


def _ranges(said: str, edges: list[str], guard: str) -> Iterator[tuple[int, int, str]]:
    for at, edge in enumerate(edges, 1):
        yield 0, at, f"{said} < {edge}"
        yield at, len(edges) + 1, f"{said} >= {edge}{guard}"
        if at < len(edges):
            yield at, at + 1, f"{said} >= {edge} AND {said} < {edges[at]}"


def _between(known: np.ndarray, edge: np.floating | np.integer) -> str:
    """The shortest number that parts the values below the edge from the others, both of one type."""
    if isinstance(edge, np.integer):
        return str(edge)
    below = known[np.searchsorted(known, edge) - 1]
    for digits in range(1, 16):
        value = float(text := f"{edge:.{digits}g}")
        if below < known.dtype.type(value) and value <= edge:
            return np.format_float_positional(value, trim="-") if 1e-6 <= abs(value) < 1e15 else text
    # With an exponent it is read as a double; without one as a decimal, which a double may not hold.
    return f"{edge:.16e}"
