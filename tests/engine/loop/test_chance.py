"""Deals of the losses: the rate at which noise passes is the one asked for, and what passes is what is said."""

import numpy as np
import pyarrow as pa
import pytest

from sliceforge.engine.loop.find.chance import DEALS, Chance, chance, scaled
from sliceforge.engine.loop.find.cover import Rows
from sliceforge.engine.loop.find.evidence import evidence
from sliceforge.engine.loop.find.levels import levels
from sliceforge.engine.loop.find.search import Losses, search

ROWS, SUPPORT = 400, 30


def dealt(loss: np.ndarray, seed: int, q: float, depth: int = 2) -> tuple[np.ndarray, Chance | None]:
    """The scaled p of the slices of a small table, and what chance says of them."""
    generator = np.random.default_rng(seed)
    text = generator.choice(["a", "b", "c"], ROWS)
    rows = Rows(levels(pa.table({"t": text, "x": generator.normal(size=ROWS)}), SUPPORT), Losses(loss), SUPPORT)
    tested = search(rows.levels, rows.losses, depth, SUPPORT)
    strength = scaled(evidence(tested.sums, tested.totals, tested.binary), tested)
    return strength, chance(rows, tested, float(strength.min(initial=np.inf)), q, seed)


@pytest.mark.parametrize("kind", ["wrong", "skewed"])
def test_noise_passes_at_the_rate_that_was_asked_for(kind: str) -> None:
    passed = []
    for run in range(80):
        generator = np.random.default_rng([run, 1])
        loss = (generator.random(ROWS) < 0.2).astype(float) if kind == "wrong" else generator.gamma(0.3, 1, ROWS)
        strength, of = dealt(loss, run, 0.1)
        assert of is not None
        passed.append(of.adjusted(strength).min(initial=1.0) <= 0.1)
    assert 0.01 <= np.mean(passed) <= 0.2  # 80 runs: three standard errors above; ties pass less often


def test_a_slice_passes_just_where_its_share_of_deals_is_at_most_q() -> None:
    of = Chance(np.sort(np.random.default_rng(2).random(DEALS)))
    strength = np.concatenate([of.least, of.least * 0.999, [0.0, 1.0]])
    for q in (0.01, 0.05, 0.29, 0.5):
        np.testing.assert_array_equal(strength <= of.limit(q), of.adjusted(strength) <= q + 1e-12)
    assert of.adjusted(np.array([0.0, 2.0])).tolist() == [1 / (1 + DEALS), 1.0]


def test_a_slice_no_stronger_than_chance_stops_the_deals_and_never_passes() -> None:
    loss = (np.random.default_rng(3).random(ROWS) < 0.2).astype(float)
    strength, of = dealt(loss, 3, 0.05)
    assert of is not None
    assert not of.least.any()
    assert of.adjusted(strength).tolist() == [1.0] * len(strength)
    assert of.limit(0.05) == 0


def test_too_few_deals_for_q_say_nothing() -> None:
    assert dealt(np.arange(ROWS) % 2.0, 4, 0.5 / DEALS)[1] is None
