"""One row fulfils a predicate exactly where DuckDB's own answer over a table of rows says so."""

import numpy as np
import pyarrow as pa
import pytest

from sliceforge.engine import predicate
from sliceforge.engine.errors import SettingError
from sliceforge.engine.loop.generate.fulfils import Fulfils

ROWS = 200

PREDICATES = [
    "a < 0.25",
    "a >= -0.5 AND a < 0.5 AND word = 'car'",
    "0.25 > a AND 2 <= n",
    "a BETWEEN -0.5 AND 0.5",
    "word IN ('car', 'it''s')",
    "n IN (1, 3)",
    "n = 2 AND a <> 0.5",
    "a IS NULL",
    "word IS NOT NULL AND n > 1",
    "flag",
    "NOT flag AND a < 1e-1",
    "a < 0 OR word = 'car'",
    "NOT (a < 0)",
    "word LIKE 'c%' AND a + n > 1",
    "CASE WHEN flag THEN a < 0 ELSE n = 1 END",
    "a IS NOT DISTINCT FROM NULL",
    "a NOT BETWEEN 0 AND 1",
    "A < 0.25 AND WORD = 'car'",
]


def rows(seed: int) -> pa.Table:
    generator = np.random.default_rng(seed)
    missing = generator.random((4, ROWS)) < 0.2
    columns = {
        "a": np.round(generator.normal(0, 1, ROWS), 2),
        "n": generator.integers(0, 5, ROWS),
        "word": generator.choice(["car", "clean", "it's", ""], ROWS),
        "flag": generator.random(ROWS) < 0.5,
    }
    return pa.table({name: pa.array(v, mask=m) for (name, v), m in zip(columns.items(), missing, strict=True)})


@pytest.mark.parametrize("where", PREDICATES)
def test_row_by_row_is_what_a_query_over_the_table_says(where: str) -> None:
    table, one = rows(1), Fulfils(where)
    names = {name: name.lower() for name in one.columns}
    found = [one({name: row[column] for name, column in names.items()}) for row in table.to_pylist()]
    assert found == predicate.select(table, where).tolist()
    assert 0 < sum(found) < ROWS


def test_a_value_of_another_kind_than_its_constant_is_compared_as_sql_compares_it() -> None:
    assert Fulfils("n = '3'")({"n": 3})
    assert Fulfils("word < 'b'")({"word": "a"})
    assert not Fulfils("a < 1")({"a": float("nan")})  # SQL takes not-a-number as the greatest


def test_what_cannot_be_compared_is_one_line() -> None:
    with pytest.raises(SettingError, match=r"within: a < 3: Cannot compare"):
        Fulfils("a < 3")({"a": "x"})


@pytest.mark.parametrize("where", ["a <", "(SELECT 1)", "read_text('x') = 'y'"])
def test_what_is_no_condition_is_refused(where: str) -> None:
    with pytest.raises(SettingError, match="within: "):
        Fulfils(where)
