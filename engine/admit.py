"""What a predicate may hold: it is SQL from outside, parsed first and admitted node by node."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import duckdb

from sliceforge.engine.errors import SettingError, did_you_mean
from sliceforge.engine.paths import shown

MOST = 10_000
"""Characters of a predicate."""

LOCKED: dict[str, str | bool | int | float | list[str]] = {
    "enable_external_access": "false",
    "python_enable_replacements": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_persistent_secrets": "false",
    "temp_directory": "",
    "memory_limit": "512MB",
    "threads": "1",
}

NODES = {
    "COLUMN_REF": {"COLUMN_REF"},
    "CONSTANT": {"VALUE_CONSTANT"},
    "BETWEEN": {"COMPARE_BETWEEN"},
    "CASE": {"CASE_EXPR"},
    "CAST": {"OPERATOR_CAST"},
    "CONJUNCTION": {"CONJUNCTION_AND", "CONJUNCTION_OR"},
    "FUNCTION": {"FUNCTION"},
    "TYPE": {"TYPE"},
    "COMPARISON": {
        *("COMPARE_EQUAL", "COMPARE_NOTEQUAL", "COMPARE_LESSTHAN", "COMPARE_GREATERTHAN"),
        *("COMPARE_LESSTHANOREQUALTO", "COMPARE_GREATERTHANOREQUALTO"),
        *("COMPARE_DISTINCT_FROM", "COMPARE_NOT_DISTINCT_FROM"),
    },
    "OPERATOR": {
        *("OPERATOR_NOT", "OPERATOR_IS_NULL", "OPERATOR_IS_NOT_NULL", "OPERATOR_COALESCE", "OPERATOR_NULLIF"),
        *("COMPARE_IN", "COMPARE_NOT_IN"),
    },
}
"""What may stand in a predicate: class → types of DuckDB's parse tree."""

OPERATORS = "+ - * / // % ^ ** || ~~ !~~ ~~* !~~* ~~~ like_escape not_like_escape ilike_escape not_ilike_escape"
FUNCTIONS = frozenset(
    f"""{OPERATORS}
    abs ceil ceiling even exp floor greatest isfinite isinf isnan least ln log log10 log2 mod pow power round sign sqrt
    trunc concat contains ends_with instr lcase left len length list_value lower ltrim position prefix regexp_full_match
    regexp_matches right rtrim starts_with strlen strpos substr substring suffix trim ucase upper nullif
    date_diff date_part date_trunc day dayofweek dayofyear hour list_contains list_has minute month quarter second week
    year""".split()
)
"""Scalar functions of their arguments alone, whose results are no larger than all that goes in."""

TYPES = frozenset(
    (
        *("BOOLEAN", "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER"),
        *("UBIGINT", "FLOAT", "DOUBLE", "DECIMAL", "VARCHAR", "DATE", "TIME", "TIMESTAMP"),
    )
)


def said(error: duckdb.Error) -> str:
    """The first line of what DuckDB says."""
    text = next(iter(str(error).strip().splitlines()), type(error).__name__)
    if "depth" in text:
        return "is nested too deeply"
    return shown(re.sub(r"^(\w+ )?\w+ ?Error: ", "", text), 160)


def bracketed(predicate: str) -> str:
    """The query that computes a predicate, up to what follows."""
    # On lines of its own, so that a comment at its end cannot swallow what follows.
    return f"SELECT (\n{predicate}\n)"


def connect() -> duckdb.DuckDBPyConnection:
    """An empty database that reaches no file, no network and no variable."""
    return duckdb.connect(":memory:", config=LOCKED)


@lru_cache(maxsize=256)
def admitted(predicate: str) -> frozenset[str]:
    """The columns that a predicate names, once each of its nodes was admitted.

    Raises:
        SettingError: without the key and the predicate, which the caller knows.
    """
    if not predicate.strip():
        raise SettingError("expected a condition")
    if len(predicate) > MOST:
        raise SettingError(f"has {len(predicate)} characters, at most {MOST}")
    if re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]", predicate):
        raise SettingError("has a control character in it")
    # Alone it must be one whole condition; in brackets it must still be the same one.
    alone, inner = _parsed(f"SELECT\n{predicate}\n", bracketed(predicate))
    _single(alone)
    names = set()
    for node in _nodes(_single(inner)):
        names |= _admit(node)
    return frozenset(names)


def _parsed(*queries: str) -> list[dict[str, Any]]:
    """The parse tree of each query; nothing is run."""
    connection = connect()
    try:
        rows = [connection.execute("SELECT json_serialize_sql(?::VARCHAR)", [query]).fetchone() for query in queries]
        return [dict(json.loads(row[0])) for row in rows if row]
    except RecursionError:
        raise SettingError("is nested too deeply") from None
    except duckdb.Error as error:
        raise SettingError(said(error)) from None
    finally:
        connection.close()


def _single(parsed: dict[str, Any]) -> dict[str, Any]:
    """The one expression of a query that is nothing but `SELECT expression`."""
    if parsed["error"]:
        message = str(parsed.get("error_message", "cannot be read"))
        raise SettingError("is nested too deeply" if "depth" in message else shown(message.splitlines()[0], 120))
    statements = parsed["statements"]
    query = statements[0]["node"] if len(statements) == 1 else {}
    chosen = query.get("select_list") or []
    plain = query.get("type") == "SELECT_NODE" and query["from_table"]["type"] == "EMPTY" and len(chosen) == 1
    spare = ("where_clause", "group_expressions", "group_sets", "having", "qualify", "sample", "modifiers")
    if not plain or any(query.get(name) for name in spare) or query["cte_map"]["map"] or chosen[0].get("alias"):
        raise SettingError("expected one condition and nothing else")
    return dict(chosen[0])


def _nodes(tree: Any) -> Iterator[dict[str, Any]]:
    """Every expression of a parse tree, and whatever else looks like one."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            if "class" in node or "node" in node:
                yield node
            waiting.extend(node.values())
        elif isinstance(node, list):
            waiting.extend(node)


def _admit(node: dict[str, Any]) -> set[str]:
    """The columns that a node names; refuses what may not stand in a predicate."""
    kind = node.get("class", "SUBQUERY")
    if node.get("type") not in NODES.get(kind, ()):
        name = node.get("function_name") or node.get("type") or kind
        raise SettingError(f"{str(name).lower().replace('_', ' ')} is not allowed in a condition")
    if kind == "FUNCTION":
        name, path = node["function_name"].lower(), node.get("qualified_name", {}).get("path", [""])
        extra = node.get("filter") or node.get("distinct") or (node.get("order_bys") or {}).get("orders")
        if name not in FUNCTIONS or extra or len(path) > 1 or _elsewhere(node):
            tail = did_you_mean(name, FUNCTIONS)
            raise SettingError(f"{name}() is not allowed in a condition{tail if 'did you mean' in tail else ''}")
    elif kind == "CAST" and "cast_type" in node:
        _admit_type(node["cast_type"].get("id", ""))
    elif kind == "TYPE":
        _admit_type(node.get("type_name", "") if len(node["qualified_name"]["path"]) == 1 else "")
    elif kind == "COLUMN_REF":
        path = node["column_names"]
        if len(path) != 1:
            name = ".".join(path)
            raise SettingError(f'{name}: a name with a dot stands in double quotes, such as "{name}"')
        return {path[0]}
    return set()


def _elsewhere(node: dict[str, Any]) -> bool:
    return node.get("schema") not in (None, "", "main") or node.get("catalog") not in (None, "", "system")


def _admit_type(name: str) -> None:
    if name.upper() not in TYPES:
        raise SettingError(f"a cast to {shown(name, 40) or 'this'} is not allowed; known: {', '.join(sorted(TYPES))}")
