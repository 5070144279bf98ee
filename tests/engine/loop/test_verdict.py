"""A gain that is there is accepted, another seed is not, and what cannot be seen is said."""

import json

import numpy as np
import pytest

from sliceforge.engine.errors import SettingError
from sliceforge.engine.loop.verify.pairs import Pairs
from sliceforge.engine.loop.verify.verdict import REST, Verdict, verify

ROWS = 2000
SLICES = {"weak": np.arange(ROWS) < 300, "side": (np.arange(ROWS) >= 300) & (np.arange(ROWS) < 700)}


def models(key: int, gain: float = 0.0, harm: float = 0.0, seeds: int = 1) -> Pairs:
    """Errors by a latent difficulty: two models disagree on about every seventh row."""
    generator = np.random.default_rng(key)
    difficulty = generator.normal(-1.2, 1, ROWS)
    value = difficulty + 0.5 * generator.normal(0, 1, (2, seeds, ROWS))
    value[:, :, :300] += 0.6
    value[1, :, :300] -= gain
    value[1, :, SLICES["side"]] += harm
    return Pairs(np.arange(ROWS), *(value > 0).astype(float))


def decided(pairs: Pairs) -> Verdict:
    return verify(pairs, "weak", SLICES, replicates=500)


@pytest.mark.parametrize("seeds", [1, 3])
def test_a_planted_gain_is_accepted_and_another_seed_is_not(seeds: int) -> None:
    gained = [decided(models(key, gain=0.5, seeds=seeds)).decision for key in range(30)]
    same = [decided(models(100 + key, seeds=seeds)).decision for key in range(60)]
    assert gained.count("accept") >= 27
    assert same.count("accept") <= 6  # at 2.5 % more than 6 of 60 come once in 2 000 times


def test_a_gain_that_another_slice_pays_for_halves_the_budget() -> None:
    found = decided(models(1, gain=0.6, harm=0.8))
    assert found.decision == "halve"
    assert found.changes[1].says == "lost"
    assert "side lost" in found.reason


def test_a_loss_without_a_gain_is_rejected() -> None:
    found = decided(models(2, harm=0.8))
    assert found.decision == "reject"
    assert "no gain shown" in found.reason


def test_the_rest_is_looked_at_too_and_the_weak_slice_comes_first() -> None:
    found = verify(models(3, gain=0.6), "side", SLICES, replicates=200)
    assert [change.slice for change in found.changes] == ["side", "weak", REST]
    assert [change.rows for change in found.changes] == [400, 300, 1600]
    alone = verify(models(3), "all", {"all": np.ones(ROWS, bool)}, replicates=200)
    assert [change.slice for change in alone.changes] == ["all"]


def test_a_small_slice_is_unsure_and_a_large_one_held() -> None:
    same = models(4)
    quiet = Pairs(same.ids, same.before, same.before)
    assert {change.says for change in decided(quiet).changes[1:]} == {"held"}
    found = verify(same, "weak", {**SLICES, "few": np.arange(ROWS) % 50 == 7}, replicates=1000)
    few = next(change for change in found.changes if change.slice == "few")
    assert few.says == "unsure"
    assert few.worst < -found.margin < few.best


def test_a_slice_of_one_speaker_cannot_be_told_from_that_speaker() -> None:
    pairs = models(5, gain=0.9)
    one = Pairs(pairs.ids, pairs.before, pairs.after, cluster=np.arange(ROWS) // 300)
    found = decided(one)
    assert found.decision == "reject"
    assert "too few to tell" in found.reason
    assert found.changes[0].plain()["low"] is None


def test_bounds_are_in_order_and_joint_ones_are_wider() -> None:
    for change in decided(models(6, gain=0.4, seeds=3)).changes:
        assert change.low <= change.gain <= change.high
        assert change.gain == pytest.approx(change.before - change.after)
    only = decided(models(6)).changes[1:]
    assert all(change.worst <= change.gain <= change.best for change in only)


def test_it_is_the_same_twice_and_plain_enough_for_json() -> None:
    found = decided(models(7, gain=0.5, seeds=2))
    assert found == decided(models(7, gain=0.5, seeds=2))
    again = json.loads(json.dumps(found.plain(), allow_nan=False))
    assert again["seeds"] == [2, 2]
    assert again["changes"][0]["slice"] == "weak"


def test_a_wrong_name_and_an_empty_slice_are_errors_of_one_line() -> None:
    pairs = models(8)
    with pytest.raises(SettingError, match="no slice week; did you mean weak"):
        verify(pairs, "week", SLICES)
    with pytest.raises(SettingError, match="slice none: 0 of 2000 rows"):
        verify(pairs, "weak", {**SLICES, "none": np.zeros(ROWS, bool)})
    with pytest.raises(SettingError, match="slice short"):
        verify(pairs, "weak", {**SLICES, "short": np.ones(7, bool)})
