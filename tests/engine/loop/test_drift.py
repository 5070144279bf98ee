"""Drift is found where it is, seldom where it is not, and every figure is scipy's."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from scipy import stats

from sliceforge.engine.errors import SettingError
from sliceforge.engine.loop.diagnose.two_samples import chi_square, kolmogorov_smirnov, stability
from sliceforge.engine.loop.find.drift import drift
from sliceforge.engine.loop.find.find import find
from sliceforge.engine.loop.find.production import target
from sliceforge.engine.loop.rows.columns import joined
from sliceforge.engine.loop.rows.predictions import read


def rows(generator: np.random.Generator, count: int, **more: object) -> pa.Table:
    """Rows with five numbers, three columns of text, one of truth, and two softmax outputs."""
    columns: dict = {f"x{i}": generator.normal(0, 1 + i, count) for i in range(5)}
    columns |= {f"c{i}": generator.choice(list("abcdef")[: 2 + i], count) for i in range(3)}
    p = generator.beta(2, 5, count)
    columns |= {"wet": generator.random(count) < 0.3, "p_yes": p, "p_no": 1 - p, "id": [f"i{i}" for i in range(count)]}
    return pa.table(columns | more)


def test_the_statistics_are_those_of_scipy() -> None:
    generator = np.random.default_rng(1)
    for shift, ties in ((0, False), (0.2, False), (0.5, True)):
        before, after = generator.normal(0, 1, 400), generator.normal(shift, 1, 270)
        if ties:
            before, after = before.round(), after.round()
        expected = stats.ks_2samp(before, after, method="asymp")
        assert kolmogorov_smirnov(before, after) == pytest.approx((expected.statistic, expected.pvalue), rel=1e-9)
    counts = generator.integers(5, 50, (2, 7))
    expected = stats.chi2_contingency(counts, correction=False)
    assert chi_square(*counts) == pytest.approx((expected.statistic, expected.pvalue), rel=1e-9)
    assert chi_square(np.array([9, 0]), np.array([4, 0])) == (0.0, 1.0)


def test_the_index_is_its_formula_and_never_infinite() -> None:
    before, after = np.array([80_000, 20_000]), np.array([50_000, 50_000])
    assert stability(before, after) == pytest.approx(0.3 * np.log(1.6) + 0.3 * np.log(2.5), rel=1e-3)
    assert stability(before, before) == 0
    assert np.isfinite(stability(np.array([5, 0]), np.array([0, 5])))


def test_p_is_adjusted_after_benjamini_and_hochberg_over_all_columns() -> None:
    generator = np.random.default_rng(2)
    found = drift(rows(generator, 300), rows(generator, 200)).columns
    expected = stats.false_discovery_control([one.p for one in found], method="bh")
    assert [one.adjusted for one in found] == pytest.approx(expected.tolist())
    assert {one.column for one in found} == {*(f"x{i}" for i in range(5)), "c0", "c1", "c2", "wet", "p_yes", "p_no"}
    assert {one.test for one in found if one.column in ("c0", "wet")} == {"chi2"}


def test_where_nothing_drifts_at_most_five_of_a_hundred_runs_alarm() -> None:
    generator = np.random.default_rng(3)
    assert sum(bool(drift(rows(generator, 200), rows(generator, 150)).alarms) for _ in range(100)) <= 5


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("x2", lambda generator: generator.normal(1.5, 3, 400)),
        ("c1", lambda generator: generator.choice(["a", "b", "c"], 400, p=[0.5, 0.3, 0.2])),
        ("p_yes", lambda generator: generator.beta(3, 5, 400)),
        ("wet", lambda generator: generator.random(400) < 0.5),
        ("x0", lambda generator: [None if one else 0.0 for one in generator.random(400) < 0.1]),
    ],
)
def test_the_column_that_drifts_comes_first(name: str, values: Callable[..., Any]) -> None:
    generator = np.random.default_rng(4)
    before, after = rows(generator, 400), rows(generator, 400)
    after = after.set_column(after.column_names.index(name), name, pa.array(values(generator)))
    found = drift(before, after)
    assert found.columns[0].column == name
    assert found.columns[0].alarm
    assert found.columns[0].psi > 0.05
    assert json.loads(json.dumps(found.plain()))["columns"][0]["column"] == name


def test_what_has_begun_to_be_missing_has_drifted() -> None:
    generator = np.random.default_rng(5)
    before, after = rows(generator, 300), rows(generator, 300)
    holes = pa.array(after["x1"].to_numpy(), mask=generator.random(300) < 0.1)
    found = drift(before, after.set_column(after.column_names.index("x1"), "x1", holes))
    assert [one.column for one in found.alarms] == ["x1"]


def test_a_column_that_is_empty_on_one_side_is_no_error() -> None:
    generator = np.random.default_rng(6)
    found = drift(rows(generator, 50), rows(generator, 50, x0=pa.nulls(50)))
    assert "x0" in [one.column for one in found.alarms]


def test_a_level_that_is_new_in_production_has_drifted_though_it_was_constant_before(tmp_path: Path) -> None:
    generator = np.random.default_rng(9)
    before, after = (rows(generator, 100).select(["id", "x2", "p_yes", "p_no"]) for _ in range(2))
    before = before.append_column("camera", pa.array(["a"] * 100)).append_column("pred", pa.array(["yes", "no"] * 50))
    after = after.append_column("camera", pa.array(["a", "b"] * 50)).append_column("pred", pa.array(["yes"] * 100))
    pq.write_table(before, tmp_path / "before.parquet")
    pq.write_table(after, tmp_path / "after.parquet")
    light = pa.table({"id": after["id"], "light": generator.normal(0, 1, 100)})
    both = [joined(read(str(tmp_path / f"{name}.parquet"), name), None, light) for name in ("before", "after")]
    found = drift(*both)
    assert {one.column for one in found.alarms} == {"camera", "pred"}
    assert {one.column for one in found.columns} == {"camera", "pred", "x2", "p_yes", "p_no", "light"}
    assert set(target(*both)[0].column_names) == {"camera", "x2", "light"}


def test_a_label_that_production_does_not_have_is_no_drift_and_hides_none() -> None:
    generator = np.random.default_rng(10)
    before, after = rows(generator, 300, label=["a", "b"] * 150), rows(generator, 300, label=pa.nulls(300, pa.string()))
    assert "label" not in [one.column for one in drift(before, after).columns]
    assert "label" not in target(before, after)[0].column_names
    assert "label" in target(before, before)[0].column_names


def test_tables_that_cannot_be_compared_are_refused() -> None:
    generator = np.random.default_rng(7)
    good = rows(generator, 50)
    with pytest.raises(SettingError, match="production: x0: is string, and in the reference double"):
        drift(good, rows(generator, 50, x0=["a"] * 50))
    with pytest.raises(SettingError, match="no column of the reference's"):
        drift(good.select(["x0"]), good.select(["x1"]))
    with pytest.raises(SettingError, match="production: 1 rows; expected at least 2"):
        drift(good, good.slice(0, 1))


def planted(generator: np.random.Generator, count: int, more: float) -> pa.Table:
    """Rows of which a share `more` comes on top where it is wet and the camera is b."""
    extra = round(more * count)
    table = rows(generator, count, camera=generator.choice(list("abcd"), count))
    wet = np.where(np.arange(count) < extra, True, table["wet"].to_numpy())
    camera = np.where(np.arange(count) < extra, "b", table["camera"].to_numpy())
    names = table.column_names
    table = table.set_column(names.index("wet"), "wet", pa.array(wet))
    return table.set_column(names.index("camera"), "camera", pa.array(camera.astype(object)))


def test_the_search_finds_the_slice_that_grew() -> None:
    generator = np.random.default_rng(8)
    before, after = planted(generator, 2000, 0), planted(generator, 2000, 0.08)
    columns, ids, loss = target(before, after)
    assert not {"id", "p_yes", "pred"} & set(columns.column_names)
    assert len(set(ids)) == len(ids) == len(loss) == 4000
    assert loss.sum() == 2000
    first = find(columns, ids, loss).slices[0]
    assert "wet" in first.predicate
    assert "camera = 'b'" in first.predicate
