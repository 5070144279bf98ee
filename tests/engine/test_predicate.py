"""Conditions from outside: what they select, and that they reach nothing but the table."""

import datetime
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from sliceforge.engine.admit import FUNCTIONS, OPERATORS
from sliceforge.engine.errors import SettingError
from sliceforge.engine.predicate import columns, select

secret = pa.table({"x": [1]})  # a variable that a replacement scan would find

TABLE = pa.table(
    {
        "id": ["a", "b", "c"],
        "label": ["go", "stop", None],
        "snr": [1.0, None, -3.0],
        "got.snr": [1.0, 2.0, 3.0],
        "take": [1, 2, 3],
        "Case": ["x", "y", "z"],
        "case": ["1", "2", "3"],
        "kind": pa.array(["p", "q", "p"]).dictionary_encode(),
        "none": pa.nulls(3),
        "tags": [["loud"], [], None],
        "moment": pa.array([datetime.datetime(2026, 1, 1, 23, tzinfo=datetime.UTC)] * 3),
    }
)

SELECTED = {
    "label = 'go'": "a",
    "LABEL = 'go'": "a",
    "label <> 'go'": "b",
    "snr < 0 OR snr IS NULL": "bc",
    "NOT (snr < 0)": "a",
    '"got.snr" >= 2': "bc",
    "label LIKE 'g%' OR label ILIKE 'ST%'": "ab",
    "label NOT LIKE 'g!%' ESCAPE '!'": "ab",
    "label IN ('go', 'stop') AND take NOT IN (2, 3)": "a",
    "take BETWEEN 2 AND 3": "bc",
    "CASE WHEN take = 1 THEN label = 'go' ELSE snr < 0 END": "ac",
    "CAST(take AS VARCHAR) = '2' OR take::DOUBLE = 3": "bc",
    "TRY_CAST(label AS INTEGER) IS NULL": "abc",
    "coalesce(snr, 0) + 1 > 0": "ab",
    "take % 2 = 1 AND -take < -1": "c",
    "lower(upper(label)) = 'go' OR length(label) = 4": "ab",
    "regexp_matches(id, '^[ab]$')": "ab",
    "id SIMILAR TO 'a|b'": "ab",
    "list_contains(tags, 'loud')": "a",
    "id IN ['a', 'c']": "ac",
    "\"Case\" = 'x'": "a",
    "\"case\" = '2'": "b",
    "kind = 'p'": "ac",
    "none IS NULL": "abc",
    "none = 1": "",
    "date_part('hour', moment) = 23": "abc",
    "true": "abc",
    "id = 'a' -- that one": "a",
    "id = 'a' /* that one */": "a",
    "id = 'x'' OR true OR '''": "",
}


@pytest.mark.parametrize("predicate", SELECTED)
def test_a_condition_selects_its_rows(predicate: str) -> None:
    inside = select(TABLE, predicate)
    assert inside.dtype == bool
    assert "".join(np.array(["a", "b", "c"])[inside]) == SELECTED[predicate]


def test_rows_are_judged_one_by_one_in_any_order_and_number() -> None:
    generator = np.random.default_rng(3)
    snr = generator.normal(0, 10, 100_003)
    table = pa.table({"snr": pa.array(snr, mask=snr > 20), "label": [f"l{i % 7}" for i in range(len(snr))]})
    predicate = "snr BETWEEN -5 AND 5 AND label <> 'l3'"
    inside = select(table, predicate)
    expected = (snr >= -5) & (snr <= 5) & (np.arange(len(snr)) % 7 != 3)
    np.testing.assert_array_equal(inside, expected)
    order = generator.permutation(len(snr))
    np.testing.assert_array_equal(select(table.take(pa.array(order)), predicate), inside[order])
    assert not len(select(table.slice(0, 0), predicate))


def test_columns_are_those_that_are_named() -> None:
    assert columns("noise = 'car' AND snr < 10") == {"noise", "snr"}
    assert columns("\"got.snr\" > lower('x')") == {"got.snr"}
    assert columns("true") == set()


REFUSED = {
    "read_text('{file}') IS NOT NULL": "read_text() is not allowed",
    "read_blob('{file}') IS NOT NULL": "read_blob() is not allowed",
    "(SELECT content FROM read_text('{file}')) LIKE 'm%'": "subquery is not allowed",
    "EXISTS (SELECT * FROM '{file}')": "subquery is not allowed",
    "id IN (SELECT x FROM secret)": "subquery is not allowed",
    "id = ANY (SELECT 'a')": "subquery is not allowed",
    "1 IN (FROM secret)": "subquery is not allowed",
    "secret": "no column 'secret'",
    "secret.x = 1": "double quotes",
    "true FROM read_csv('{file}')": "nothing else",
    "true FROM items": "nothing else",
    "true UNION SELECT true": "nothing else",
    "true WHERE true": "nothing else",
    "true LIMIT 1": "nothing else",
    "true AS x": "nothing else",
    "true, true": "nothing else",
    "true; COPY items TO '{copy}'": "",
    "true; SELECT 1": "",
    "true;": "",
    "COPY items TO '{copy}'": "",
    "COPY (SELECT 1) TO '{copy}'": "",
    "true) OR (true": "syntax error",
    "true) FROM items; COPY items TO '{copy}'; SELECT (true": "",
    "true) --": "syntax error",
    "true /*": "",
    "ATTACH '{copy}'": "",
    "INSTALL httpfs": "",
    "LOAD httpfs": "",
    "EXPORT DATABASE '{copy}'": "",
    "PRAGMA version": "",
    "SET lock_configuration = false": "",
    "CALL pragma_version()": "",
    "CREATE TABLE x (y INT)": "",
    "DROP TABLE items": "",
    "getenv('HOME') = ''": "getenv() is not allowed",
    "glob('/*') IS NULL": "glob() is not allowed",
    "current_setting('threads') = '1'": "is not allowed",
    "getvariable('x') = 1": "is not allowed",
    "current_user = 'root'": "no column 'current_user'",
    "user = 'root'": "",
    "session_user = 'root'": "",
    "current_date > '2020-01-01'": "",
    "current_timestamp IS NULL": "",
    "random() < 2": "random() is not allowed",
    "now() IS NULL": "now() is not allowed",
    "today() IS NULL": "today() is not allowed",
    "uuid() = ''": "uuid() is not allowed",
    "gen_random_uuid() IS NULL": "is not allowed",
    "setseed(0.5) IS NULL": "setseed() is not allowed",
    "nextval('s') = 1": "nextval() is not allowed",
    "version() = 'x'": "version() is not allowed",
    "query('SELECT 1') = 1": "query() is not allowed",
    "pg_typeof(id) = 'x'": "is not allowed",
    "json_execute_serialized_sql('x') = 1": "is not allowed",
    "json_serialize_plan('SELECT 1') = ''": "is not allowed",
    "sleep_ms(100000) IS NULL": "is not allowed",
    "write_log('x') IS NULL": "is not allowed",
    "error('x') IS NULL": "is not allowed",
    "repeat('x', 1000000000) = ''": "repeat() is not allowed",
    "replace(id, 'a', 'aa') = ''": "replace() is not allowed",
    "lpad('x', 1000000000, 'y') = ''": "lpad() is not allowed",
    "range(1000000000) IS NULL": "range() is not allowed",
    "hash(id) = 1": "hash() is not allowed",
    "icu_sort_key(id, 'de') = ''": "is not allowed",
    "hive_partition_component(id, 'x') = ''": "is not allowed",
    "unnest([1]) = 1": "is not allowed",
    "count(*) > 1": "is not allowed",
    "max(take) > 1": "max() is not allowed",
    "row_number() OVER () = 1": "is not allowed",
    "lower(id) FILTER (true) = 'a'": "",
    "list_filter([1], x -> x = 1) = [1]": "is not allowed",
    "list_transform(tags, lambda x: x) = tags": "is not allowed",
    "$1 = 1": "is not allowed",
    "? = 1": "is not allowed",
    "#1 = 1": "is not allowed",
    "*": "star is not allowed",
    "COLUMNS('x') = 1": "star is not allowed",
    "id COLLATE nocase = 'A'": "collate is not allowed",
    "DEFAULT": "",
    "id::my_type = 1": "a cast to",
    "id::BLOB = 'x'": "a cast to BLOB is not allowed",
    "id::JSON IS NULL": "a cast to",
    "id::VARCHAR[] IS NULL": "a cast to",
    "id::TIMESTAMPTZ IS NULL": "a cast to",
    "id::main.VARCHAR = 'a'": "",
    "x.lower(id) = 'a'": "",
    "rowid = 1": "no column 'rowid'",
    "items = 1": "no column 'items'",
    "lable = 'go'": "did you mean label?",
    "xyz = 'car'": "known: Case, case, got.snr",
    "got.snr > 1": 'such as "got.snr"',
    "CASE = 'x'": "",
    "cASE.x = 'x'": "",
    "\"cAsE\" = 'x'": "no column 'cAsE'",
    "\"Case\" = 'x' AND \"case\" = '1'": "differ in case alone",
    "label > 3": "label > 3",
    "snr": "is no condition but DOUBLE",
    "1": "is no condition but INTEGER",
    "'true'": "is no condition",
    "NULL": "is no condition",
    "label = ": "syntax error",
    "": "parents: nothing: expected a condition",
    " \n": "expected a condition",
    "true\0": "control character",
    "id = '\ud800'": "control character",
    "NOT " * 2400 + "true": "nested too deeply",
    "take" + " + take" * 1200 + " > 0": "nested too deeply",
    "true" + " " * 10_000: "at most 10000",
}


@pytest.mark.parametrize("predicate", REFUSED)
def test_anything_else_is_refused_in_one_line_and_touches_no_file(predicate: str, tmp_path: Path) -> None:
    marker, copy = tmp_path / "marker.txt", tmp_path / "copy"
    marker.write_text("marker")
    text = predicate.replace("{file}", str(marker)).replace("{copy}", str(copy))
    with pytest.raises(SettingError) as error:
        select(TABLE, text)
    message = str(error.value)
    assert message.startswith("parents: ")
    assert "\n" not in message
    assert len(message) < 800
    assert REFUSED[predicate] in message
    assert [path.name for path in tmp_path.iterdir()] == ["marker.txt"]


def test_the_connection_itself_reaches_nothing(tmp_path: Path) -> None:
    from sliceforge.engine.admit import connect

    marker = tmp_path / "marker.txt"
    marker.write_text("x\n1\n")
    connection = connect()
    connection.execute("SET lock_configuration = true")
    for query in (
        f"SELECT * FROM read_text('{marker}')",
        f"SELECT * FROM read_csv('{marker}')",
        f"SELECT * FROM '{marker}'",
        f"COPY (SELECT 1) TO '{tmp_path / 'copy'}'",
        f"ATTACH '{tmp_path / 'base.db'}'",
        "INSTALL httpfs",
        "SELECT * FROM secret",
        "SET enable_external_access = true",
        "SET python_enable_replacements = true",
    ):
        with pytest.raises(duckdb.Error):
            connection.execute(query).fetchall()
    connection.close()
    assert [path.name for path in tmp_path.iterdir()] == ["marker.txt"]


def test_every_admitted_function_gives_the_same_for_the_same_arguments() -> None:
    known: dict[str, set[str]] = {}
    connection = duckdb.connect()
    query = "SELECT function_name, stability, function_type FROM duckdb_functions()"
    for name, stability, kind in connection.execute(query).fetchall():
        known.setdefault(name, set()).add(stability if kind == "scalar" else kind)
    connection.close()
    keywords = {"nullif", "position"}  # the parser turns them into others
    for name in FUNCTIONS - set(OPERATORS.split()) - keywords:
        assert "CONSISTENT" in known[name]
        assert known[name] <= {"CONSISTENT", "CONSISTENT_WITHIN_QUERY", "macro"}


def test_the_key_that_a_condition_came_from_is_named() -> None:
    with pytest.raises(SettingError, match=r"^slice: lable = 1: no column"):
        select(TABLE, "lable = 1", "slice")
    with pytest.raises(SettingError, match=r"^slice: random"):
        columns("random() < 1", "slice")
