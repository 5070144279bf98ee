"""The search against DuckDB's own counting, on our loop and on torch's, in any order."""

import itertools

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from sliceforge.engine.errors import SettingError
from sliceforge.engine.loop.find.levels import Levels, levels
from sliceforge.engine.loop.find.search import Losses, Searched, search

ROWS, SUPPORT = 701, 60


def table() -> pa.Table:
    """Text, numbers with missing ones, and a boolean."""
    generator = np.random.default_rng(1)
    return pa.table(
        {
            "word": generator.choice(["go", "stop", "left"], ROWS),
            "snr": pa.array(generator.normal(size=ROWS), mask=generator.random(ROWS) < 0.1),
            "take": generator.integers(0, 4, ROWS),
            "wet": generator.random(ROWS) < 0.2,
        }
    )


def losses(kind: str, device: str = "cpu") -> Losses:
    generator = np.random.default_rng(2)
    if kind == "wrong":
        return Losses((generator.random(ROWS) < 0.2).astype(float), None, device)
    return Losses(generator.random(ROWS), generator.integers(1, 9, ROWS) if kind == "words" else None, device)


def keyed(found: Levels, tested: Searched) -> dict[str, np.ndarray]:
    return {found.predicate(member): sums for member, sums in zip(tested.members, tested.sums, strict=True)}


@pytest.mark.parametrize("kind", ["wrong", "continuous", "words"])
def test_every_slice_has_the_sums_that_duckdb_counts(kind: str) -> None:
    found, loss = levels(table(), SUPPORT), losses(kind)
    tested = search(found, loss, 3, SUPPORT, least=-np.inf)
    query = ", ".join(f"coalesce({condition}, false) AS c{at}" for at, condition in enumerate(found.conditions))
    rows = duckdb.from_arrow(table()).query("rows", f"SELECT {query} FROM rows").fetchnumpy()
    inside = [rows[f"c{at}"].astype(bool) for at in range(len(found.conditions))]
    expected: dict[str, tuple[float, ...]] = {}
    for count in (1, 2, 3):
        for chosen in itertools.combinations(range(len(inside)), count):
            held = np.logical_and.reduce([inside[level] for level in chosen])
            if len({int(found.ranges[level, 0]) for level in chosen}) == count and held.sum() >= SUPPORT:
                predicate = " AND ".join(found.conditions[level] for level in chosen)
                expected[predicate] = tuple(loss.columns[held][:, loss.of].sum(axis=0))
    own = keyed(found, tested)
    assert sum(tested.tested) == len(expected)
    assert own.keys() == expected.keys()
    for predicate, given in expected.items():
        np.testing.assert_allclose(own[predicate], given, rtol=1e-9)


@pytest.mark.parametrize("kind", ["wrong", "continuous", "words"])
def test_a_torch_device_counts_the_same(kind: str) -> None:
    found = levels(table(), SUPPORT)
    one, other = search(found, losses(kind), 3, SUPPORT), search(found, losses(kind, "torch:cpu"), 3, SUPPORT)
    assert one.tested == other.tested
    np.testing.assert_array_equal(one.members, other.members)
    np.testing.assert_allclose(one.sums, other.sums, rtol=1e-12)


def test_the_order_of_rows_and_columns_changes_nothing() -> None:
    order = np.random.default_rng(3).permutation(ROWS)
    loss = (np.random.default_rng(4).random(ROWS) < 0.2).astype(float)
    turned = table().select(["wet", "take", "word", "snr"]).take(pa.array(order))
    one, other = levels(table(), SUPPORT), levels(turned, SUPPORT)
    first, second = search(one, Losses(loss), 2, SUPPORT), search(other, Losses(loss[order]), 2, SUPPORT)
    assert first.tested == second.tested
    np.testing.assert_array_equal(first.members, second.members)
    np.testing.assert_array_equal(first.sums, second.sums)


def test_what_cannot_be_searched_is_refused_in_one_line() -> None:
    with pytest.raises(SettingError, match=r"^depth: 4: expected 1, 2 or 3"):
        search(levels(table()), losses("wrong"), 4)
    with pytest.raises(SettingError, match=r"^loss: not finite"):
        Losses(np.array([0.0, np.nan]))
    with pytest.raises(SettingError, match=r"^weight: not above 0"):
        Losses(np.zeros(2), np.array([1.0, 0.0]))
