"""Levels of columns: each condition selects in DuckDB the rows that its bins do."""

import re

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from sliceforge.engine.errors import SettingError
from sliceforge.engine.loop.find.levels import BINS, least_support, levels, quoted
from sliceforge.engine.predicate import select

ROWS = 2003


def awkward() -> pa.Table:
    """Columns of every admitted type, with missing values, ties, SQL words and quotes."""
    generator = np.random.default_rng(1)
    normal = generator.normal(size=ROWS)
    return pa.table(
        {
            "got.snr": pa.array(normal, mask=generator.random(ROWS) < 0.1),
            "user": generator.choice(["it's", "b", 'c"', "ü"], ROWS),
            "Kind": pa.array(generator.choice(["x", "y"], ROWS)).dictionary_encode(),
            "take": generator.integers(0, 5, ROWS),
            "rate": generator.integers(-(2**60), 2**60, ROWS),
            "single": normal.astype(np.float32) / 3,
            "lost": np.where(generator.random(ROWS) < 0.1, np.nan, normal),
            "far": np.where(generator.random(ROWS) < 0.3, np.inf, normal),
            "tied": np.round(normal),
            "wet": pa.array(generator.random(ROWS) < 0.3, mask=generator.random(ROWS) < 0.05),
            "none": pa.nulls(ROWS),
            "id": [str(i) for i in range(ROWS)],
            "tiny": normal * 1e-9 + 1,
            "hertz": np.round(normal * 4000 + 90_000),
            "power": normal**2 * 1e-30,
            "close": np.nextafter(np.float32(1.2), np.float32(9)) + np.arange(ROWS) % 9 * np.float32(2**-23),
            "minute": (np.abs(normal) * 1e-30).astype(np.float32),
        }
    )


def test_each_condition_selects_the_rows_of_its_bins() -> None:
    table = awkward()
    found = levels(table)
    assert len(found.conditions) > 100
    # DuckDB is asked for all at once; some, spread over the columns, go the way of `select` too.
    query = ", ".join(f"coalesce({condition}, false) AS c{at}" for at, condition in enumerate(found.conditions))
    rows = duckdb.from_arrow(table).query("rows", f"SELECT {query} FROM rows").fetchnumpy()
    for at, condition in enumerate(found.conditions):
        inside = found.rows(np.array([at, -1, -1]))
        assert inside.sum() >= least_support(ROWS)
        np.testing.assert_array_equal(rows[f"c{at}"], inside, err_msg=condition)
    for at in [*range(0, len(found.conditions), 20), *(i for i, one in enumerate(found.conditions) if "isnan" in one)]:
        np.testing.assert_array_equal(select(table, found.conditions[at]), found.rows(np.array([at, -1, -1])))


def test_edges_are_decimals_and_only_what_is_huge_or_minute_has_an_exponent() -> None:
    numbers = pa.table({"hertz": np.arange(1200.0, 1400.0), "tiny": np.arange(200) * 1e-12, "n": np.arange(200) * 1000})
    conditions = levels(numbers).conditions
    assert {"hertz < 1250", "hertz >= 1350", "n < 50000"} <= set(conditions)
    minute = {one.split()[0] for one in conditions if re.search(r"\de[-+]", one)}
    assert minute == {"tiny"}


def test_missing_and_not_a_number_are_levels_and_ids_are_none() -> None:
    conditions = levels(awkward()).conditions
    assert {'"got.snr" IS NULL', "wet IS NULL", "none IS NULL", "isnan(lost)"} <= set(conditions)
    assert {"wet", "NOT wet", "take = 3", "user = 'it''s'"} <= set(conditions)
    assert not [condition for condition in conditions if condition.startswith("id ")]


def test_quantile_bins_are_at_most_eight_and_keep_ties_whole() -> None:
    values = np.repeat([1.0, 2.0, 3.0], [700, 600, 700])
    found = levels(pa.table({"x": values, "y": np.arange(2000.0)}))
    assert found.sizes.tolist() == [3, BINS]
    for value in (1.0, 2.0, 3.0):
        assert len(np.unique(found.bins[0][values == value])) == 1
    assert np.bincount(found.bins[1]).tolist() == [250] * 8


def test_the_order_of_rows_and_columns_changes_no_level() -> None:
    table, order = awkward(), np.random.default_rng(2).permutation(ROWS)
    turned = table.select(table.column_names[::-1]).take(pa.array(order))
    one, other = levels(table), levels(turned)
    assert one.conditions == other.conditions
    np.testing.assert_array_equal(one.bins[:, order], other.bins)


def test_a_value_without_the_support_is_not_searched() -> None:
    found = levels(pa.table({"a": ["x"] * 900 + ["y"] * 71 + ["z"] * 29}))
    assert found.conditions == ["a = 'x'", "a = 'y'"]


def test_another_type_is_refused_in_one_line() -> None:
    with pytest.raises(SettingError, match=r"^columns: tags is list.*expected text"):
        levels(pa.table({"tags": [["a"], ["b"]]}))


def test_names_are_quoted_where_sql_asks_for_it() -> None:
    assert [quoted(name) for name in ("snr", "a b", "select", 'a"b', "Snr")] == [
        *("snr", '"a b"', '"select"', '"a""b"', '"Snr"')
    ]
