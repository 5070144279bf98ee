"""Which slices are kept, and that what is found is true: planted slices come out, noise does not."""

import json

import numpy as np
import pyarrow as pa
import pytest

from sliceforge.engine.errors import SettingError
from sliceforge.engine.loop.find.confirm import split
from sliceforge.engine.loop.find.find import Findings, find
from sliceforge.engine.loop.find.levels import levels
from sliceforge.engine.predicate import select

ROWS = 2000


def table(generator: np.random.Generator, rows: int = ROWS) -> pa.Table:
    """Eight columns of text and four of numbers."""
    texts = {f"t{i}": generator.choice(2 + i, rows, p=_skewed(2 + i)).astype(str) for i in range(8)}
    return pa.table(texts | {f"x{i}": generator.normal(size=rows) for i in range(4)})


def _skewed(count: int) -> np.ndarray:
    share = 1.0 / np.arange(1, count + 1) ** 0.5
    return np.asarray(share / share.sum())


def names(rows: int = ROWS) -> list[str]:
    return [f"clip{i}" for i in range(rows)]


def common(columns: pa.Table, inside: np.ndarray, found: Findings) -> float:
    """The greatest share of a union that a found slice has in common with the planted one."""
    rows = [select(columns, one.predicate) for one in found.slices]
    return max((float((one & inside).sum() / (one | inside).sum()) for one in rows), default=0.0)


@pytest.mark.parametrize("way", ["all", "half"])
def test_noise_has_no_slices(way: str) -> None:
    false = 0
    for run in range(15):
        generator = np.random.default_rng([run, 1])
        loss = (generator.random(ROWS) < 0.15).astype(float)
        false += bool(find(table(generator), names(), loss, seed=run, way=way).slices)
    assert false <= 2  # three or more of 15 have a probability below 4 % where the rate is 5 %


def test_planted_slices_of_150_rows_and_15_points_are_found() -> None:
    found = []
    for run in range(12):
        generator = np.random.default_rng([run, 2])
        columns = table(generator)
        cut = levels(columns)
        while True:
            member = np.sort(np.r_[-1, generator.choice(len(cut.ranges), 2, replace=False)])[::-1]
            inside = cut.rows(member)
            if 140 <= inside.sum() <= 160 and len(set(cut.ranges[member[:2], 0])) == 2:
                break
        loss = (generator.random(ROWS) < 0.05).astype(float)
        places = generator.permutation(np.flatnonzero(inside))
        loss[places] = np.arange(len(places)) < round(0.2 * len(places))
        found.append(common(columns, inside, find(columns, names(), loss)) >= 0.5)
    assert np.mean(found) >= 0.75  # 12 runs


def test_two_causes_are_two_slices_and_relatives_are_none() -> None:
    generator = np.random.default_rng(3)
    columns = table(generator, 6000)
    x, t = np.asarray(columns["x0"]), np.asarray(columns["t4"])
    loss = (generator.random(6000) < np.where((x < -1.2) | (t == "5"), 0.5, 0.08)).astype(float)
    found = find(columns, names(6000), loss)
    assert len(found.slices) == 2
    assert {one.predicate.split()[0] for one in found.slices} == {"x0", "t4"}
    rates = [one.recoverable for one in found.slices]
    assert rates == sorted(rates, reverse=True)
    assert sum(rates) <= found.error


def test_a_parent_is_not_taken_apart_into_its_children() -> None:
    generator = np.random.default_rng(4)
    columns = table(generator, 4000)
    loss = (generator.random(4000) < np.where(np.asarray(columns["t2"]) == "3", 0.4, 0.1)).astype(float)
    for depth in (2, 3):
        assert [one.predicate for one in find(columns, names(4000), loss, depth=depth).slices] == ["t2 = '3'"]


def test_figures_are_those_of_the_rows_of_the_predicate() -> None:
    generator = np.random.default_rng(5)
    columns = table(generator)
    loss = (generator.random(ROWS) < np.where(np.asarray(columns["t3"]) == "2", 0.5, 0.1)).astype(float)
    for way in ("all", "half"):
        found = find(columns, names(), loss, way=way, seed=3)
        first = split(names(), None, 3)
        one = found.slices[0]
        inside = select(columns, one.predicate)
        judged = np.ones(ROWS, bool) if way == "all" else ~first
        assert one.rows == (inside & judged).sum()
        np.testing.assert_allclose(one.error, loss[inside & judged].mean())
        np.testing.assert_allclose(one.reference, loss[~inside & judged].mean())
        np.testing.assert_allclose(one.recoverable, one.rows / judged.sum() * one.gap)
        assert one.low < one.gap < one.high
        for half, rows in zip(one.halves, (first, ~first), strict=True):
            assert half.rows == (inside & rows).sum()
            np.testing.assert_allclose(half.error, loss[inside & rows].mean())
        assert json.loads(json.dumps(found.plain()))["slices"][0]["predicate"] == one.predicate


def test_the_order_of_rows_and_columns_changes_nothing() -> None:
    generator = np.random.default_rng(6)
    columns, ids = table(generator), names()
    loss = np.where(np.asarray(columns["t3"]) == "2", 0.4, 0.0) + generator.random(ROWS)
    weight, speakers = generator.integers(1, 9, ROWS), generator.integers(0, 50, ROWS)
    order = generator.permutation(ROWS)
    turned = columns.select(columns.column_names[::-1]).take(pa.array(order))
    for way in ("all", "half"):
        one = find(columns, ids, loss, weight, speakers, way=way)
        other = find(turned, [ids[at] for at in order], loss[order], weight[order], speakers[order], way=way)
        assert one.slices
        assert one == other


def test_bad_speakers_are_no_slice_of_the_room_they_sat_in() -> None:
    generator, plain, clustered = np.random.default_rng(7), 0, 0
    for _ in range(8):
        speakers = np.repeat(np.arange(40), 50)
        rooms = generator.permutation(np.repeat(["a", "b", "c", "d"], 10))[speakers]
        columns = pa.table({"room": rooms, "take": np.arange(ROWS) % 5})
        loss = (generator.random(ROWS) < generator.beta(0.6, 3.4, 40)[speakers]).astype(float)
        plain += bool(find(columns, names(), loss).slices)
        clustered += bool(find(columns, names(), loss, cluster=speakers).slices)
    assert plain >= 4
    assert clustered <= 1


def test_halves_are_even_share_no_cluster_and_do_not_depend_on_order() -> None:
    generator = np.random.default_rng(8)
    speakers, ids = generator.integers(0, 30, ROWS), names()
    for clusters in (None, speakers):
        first = split(names(), clusters, 5)
        assert abs(first.mean() - 0.5) < 0.05
        order = generator.permutation(ROWS)
        mixed = split([ids[at] for at in order], None if clusters is None else clusters[order], 5)
        np.testing.assert_array_equal(mixed, first[order])
        assert (split(names(), clusters, 6) != first).any()
    assert not set(speakers[first]) & set(speakers[~first])
    with pytest.raises(SettingError, match=r"^cluster: 1 in all"):
        split(names(), np.zeros(ROWS))


def test_wrong_arguments_are_one_line() -> None:
    columns, loss = table(np.random.default_rng(9)), np.zeros(ROWS)
    for message, change in {
        "loss: 3 rows for 2000 ids": {"loss": np.zeros(3)},
        "ids: 1 given twice": {"ids": [*names()[1:], "clip5"]},
        "q: 2: expected a rate": {"q": 2},
        "way: 'hal': .* did you mean half": {"way": "hal"},
    }.items():
        with pytest.raises(SettingError, match=message):
            find(**({"columns": columns, "ids": names(), "loss": loss} | change))


def test_a_model_without_errors_has_no_slices() -> None:
    assert find(table(np.random.default_rng(10)), names(), np.zeros(ROWS)).slices == ()
    assert find(table(np.random.default_rng(10)), names(), np.ones(ROWS)).slices == ()


def test_of_slices_with_nearly_the_same_rows_the_one_with_fewer_conditions_is_told() -> None:
    generator = np.random.default_rng(5)
    noisy = np.arange(ROWS) < 160
    wrong = np.where(noisy, generator.random(ROWS) < 0.6, generator.random(ROWS) < 0.05)
    # Two columns that hold together for the same rows and eight more, half of them wrong: by p alone they win.
    others = (np.flatnonzero(~noisy & (wrong == one))[:4] for one in (True, False))
    more = noisy | np.isin(np.arange(ROWS), np.concatenate([*others]))
    left = np.where(more | (generator.random(ROWS) < 0.3), "a", "b")
    right = np.where(more | ((left == "b") & (generator.random(ROWS) < 0.5)), "a", "b")
    columns = pa.table({"noise": np.where(noisy, "car", "none"), "left": left, "right": right})
    (found,) = find(columns, names(), wrong.astype(float)).slices
    assert found.predicate == "noise = 'car'"
