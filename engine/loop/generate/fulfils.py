"""Whether one row fulfils a slice's predicate, without a query where that can be."""

from __future__ import annotations

import json
import operator
import os
import threading
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import duckdb

from sliceforge.engine import predicate
from sliceforge.engine.admit import bracketed, connect, said
from sliceforge.engine.errors import SettingError

COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "COMPARE_EQUAL": operator.eq,
    "COMPARE_NOTEQUAL": operator.ne,
    "COMPARE_LESSTHAN": operator.lt,
    "COMPARE_GREATERTHAN": operator.gt,
    "COMPARE_LESSTHANOREQUALTO": operator.le,
    "COMPARE_GREATERTHANOREQUALTO": operator.ge,
}
TURNED = {"LESS": "GREATER", "GREATER": "LESS"}

_LOCK = threading.Lock()

Test = Callable[[Any], bool | None]
"""Whether a value, which is not null, fulfils a condition; None where its kind is not the constant's."""


class Fulfils:
    """Whether a row fulfils a predicate.

    Comparisons of a column with a constant, BETWEEN, IN and IS NULL are done here; a predicate with anything else, or
    a value of another kind than its constant, is asked of DuckDB, over a connection that is kept.

    Args:
        where: SQL.
        key: the setting it came from, for messages.

    Raises:
        SettingError: it is not a condition, or not admitted.
    """

    def __init__(self, where: str, key: str = "within") -> None:
        self.where, self.key = where, key
        self.columns = tuple(sorted(predicate.columns(where, key)))
        tests = [_test(node) for node in _parsed(where)]
        self._tests = None if None in tests else [test for test in tests if test is not None]

    def __call__(self, row: Mapping[str, Any]) -> bool:
        """A row has a value, or None, of each of `columns`: a number, a text or a truth.

        Raises:
            SettingError: DuckDB cannot compare what is there.
        """
        if self._tests is None:
            return self._general(row)
        for column, test, of_null in self._tests:
            value = row[column]
            found = of_null if value is None else (None if value != value else test(value))
            if found is None:
                return self._general(row)
            if not found:
                return False
        return True

    def _general(self, row: Mapping[str, Any]) -> bool:
        values = {name: row[name] for name in self.columns}
        given = [_typed(name, value) for name, value in values.items()]
        query = f"{bracketed(self.where)} FROM (SELECT {', '.join(given) or '1'})"
        try:
            with _LOCK:
                found = _kept(os.getpid()).execute(query, [v for v in values.values() if v is not None]).fetchone()
        except duckdb.Error as error:
            raise SettingError(f"{self.key}: {self.where}: {said(error)}") from None
        return bool(found and found[0])


@lru_cache(maxsize=64)
def fulfils(where: str, key: str = "within") -> Fulfils:
    """This process's test of a predicate, parsed once."""
    return Fulfils(where, key)


@lru_cache(maxsize=1)
def _kept(process: int) -> duckdb.DuckDBPyConnection:
    """The connection of a process; a forked one gets its own."""
    connection = connect()
    connection.execute("SET lock_configuration = true")
    return connection


def _parsed(where: str) -> list[dict[str, Any]]:
    """The nodes that AND joins in the parse tree of an admitted predicate."""
    connection = connect()
    try:
        found = connection.execute("SELECT json_serialize_sql(?::VARCHAR)", [bracketed(where)]).fetchone()
    finally:
        connection.close()
    tree = json.loads(found[0]) if found else {}
    return _joined(tree["statements"][0]["node"]["select_list"][0])


def _joined(node: dict[str, Any]) -> list[dict[str, Any]]:
    if node["type"] != "CONJUNCTION_AND":
        return [node]
    return [inner for child in node["children"] for inner in _joined(child)]


def _typed(name: str, value: Any) -> str:
    quoted = '"' + name.replace('"', '""') + '"'
    if value is None:
        return f"NULL AS {quoted}"
    kind = {bool: "BOOLEAN", int: "BIGINT", float: "DOUBLE"}.get(type(value), "VARCHAR")
    return f"?::{kind} AS {quoted}"


def _test(node: dict[str, Any]) -> tuple[str, Test, bool] | None:
    """(column, test, what null gives) of a simple condition."""
    kind = node["type"]
    if kind in COMPARISONS:
        left, right = node["left"], node["right"]
        if right["class"] == "COLUMN_REF":
            left, right = right, left
            kind = next((kind.replace(*pair) for pair in TURNED.items() if pair[0] in kind), kind)
        return _compared(left, [(COMPARISONS[kind], right)], all)
    if kind == "COMPARE_BETWEEN":
        return _compared(node["input"], [(operator.ge, node["lower"]), (operator.le, node["upper"])], all)
    if kind == "COMPARE_IN":
        column, *words = node["children"]
        return _compared(column, [(operator.eq, word) for word in words], any)
    null = kind == "OPERATOR_IS_NULL"
    if (null or kind == "OPERATOR_IS_NOT_NULL") and node["children"][0]["class"] == "COLUMN_REF":
        return str(node["children"][0]["column_names"][0]), lambda value: not null, null
    return None


def _compared(
    column: dict[str, Any], asked: list[tuple[Callable[[Any, Any], bool], dict[str, Any]]], whole: Callable[..., bool]
) -> tuple[str, Test, bool] | None:
    constants = [_constant(node) for _, node in asked]
    if column["class"] != "COLUMN_REF" or None in constants:
        return None
    tests = [(how, constant) for (how, _), constant in zip(asked, constants, strict=True)]

    def test(value: Any) -> bool | None:
        if not all(_alike(value, constant) for _, constant in tests):
            return None
        return whole(how(value, constant) for how, constant in tests)

    return str(column["column_names"][0]), test, False


def _constant(node: dict[str, Any]) -> float | int | str | None:
    """A constant's value; None where it is none, or is written in a way that this does not know."""
    literal = node.get("literal") if node["class"] == "CONSTANT" else None
    if not isinstance(literal, dict):
        return None
    kind, text = literal.get("kind"), str(literal.get("text"))
    if kind == "STRING":
        return text
    try:
        return int(text) if kind == "INTEGER" else float(text) if kind == "NUMERIC" else None
    except ValueError:
        return None


def _alike(value: Any, constant: Any) -> bool:
    if isinstance(constant, str):
        return isinstance(value, str)
    return isinstance(value, int | float) and not isinstance(value, bool)
