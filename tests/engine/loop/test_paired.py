"""The bootstrap spreads as far as theory says, over items, clusters and seeds."""

import numpy as np
import pytest
from scipy.stats import bootstrap, norm, ttest_ind

from sliceforge.engine.errors import SettingError
from sliceforge.engine.loop.verify.paired import joint, resampled
from sliceforge.engine.loop.verify.pairs import Pairs

SPREAD = 0.03
"""Relative: the standard deviation of 10 000 replicates is known to 0.7 %."""


def losses(seeds: int, rows: int, key: int, chance: float = 0.2) -> np.ndarray:
    return (np.random.default_rng(key).random((seeds, rows)) < chance).astype(float)


def test_the_gain_is_the_fall_of_the_weighted_mean_over_seeds() -> None:
    weight = np.random.default_rng(0).integers(1, 20, 300).astype(float)
    pairs = Pairs(np.arange(300), losses(2, 300, 1), losses(3, 300, 2), weight)
    member = np.arange(300) % 3 == 0
    gain, _ = resampled(pairs, member[:, None], 10)
    before, after = (
        np.average(x[:, member], axis=1, weights=weight[member]).mean() for x in (pairs.before, pairs.after)
    )
    assert gain[0] == pytest.approx(before - after)


def test_it_agrees_with_another_bootstrap() -> None:
    pairs = Pairs(np.arange(400), losses(1, 400, 3, 0.3), losses(1, 400, 4))
    _, draws = resampled(pairs, np.ones((400, 1), bool))
    fall = (pairs.before - pairs.after)[0]
    other = bootstrap((fall,), np.mean, n_resamples=9999, method="percentile", rng=5).confidence_interval
    assert np.quantile(draws, [0.025, 0.975]) == pytest.approx([other.low, other.high], abs=0.0026)


def test_rows_of_a_cluster_go_together() -> None:
    generator = np.random.default_rng(6)
    cluster = generator.integers(0, 40, 800)
    shared = generator.normal(0, 0.3, 40)[cluster]
    weight = generator.integers(1, 9, 800).astype(float)
    before, member = shared + generator.normal(0, 0.3, 800), generator.random(800) < 0.6
    pairs = Pairs(np.arange(800), before, np.zeros(800), weight, cluster)
    gain, draws = resampled(pairs, member[:, None])
    # The linearised standard error of a ratio of cluster totals.
    left = np.bincount(cluster, (before - gain) * weight * member) / (weight * member).sum()
    expected = np.sqrt(len(left) * left.var(ddof=1))
    assert draws.std() == pytest.approx(expected, rel=SPREAD)
    _, alone = resampled(Pairs(np.arange(800), before, np.zeros(800), weight), member[:, None])
    assert alone.std() < 0.5 * expected


def test_many_rows_are_drawn_in_groups_and_spread_as_far() -> None:
    rows = 40_000
    pairs = Pairs(np.arange(rows), losses(1, rows, 16), losses(1, rows, 17))
    members = np.arange(rows)[:, None] % np.array([1, 3, 400]) == 0
    _, draws = resampled(pairs, members, 4000)
    fall = (pairs.before - pairs.after)[0]
    expected = [fall[member].std(ddof=1) / np.sqrt(member.sum()) for member in members.T]
    # The third has 100 rows, of which hardly two meet in a group.
    assert draws.std(axis=0) == pytest.approx(expected, rel=2 * SPREAD)


@pytest.mark.parametrize(("seeds", "others"), [(2, 2), (3, 3), (5, 5)])
def test_where_only_seeds_differ_the_interval_is_that_of_a_t_test(seeds: int, others: int) -> None:
    generator, ratio = np.random.default_rng(7), []
    for key in range(40):
        before, after = generator.normal(0, 1, seeds), generator.normal(0, 1, others)
        # All rows alike: nothing is left but the seeds.
        pairs = Pairs(np.arange(50), np.tile(before[:, None], 50), np.tile(after[:, None], 50))
        gain, draws = resampled(pairs, np.ones((50, 1), bool), 4000, key)
        assert gain[0] == pytest.approx(before.mean() - after.mean())
        low, high = np.quantile(draws, [0.025, 0.975])
        test = ttest_ind(before, after).confidence_interval()
        ratio.append((high - low) / (test.high - test.low))
    # Few seeds have few different draws, which no normal law fits: hence the mean, and hence the room.
    assert np.mean(ratio) == pytest.approx(1, abs=0.12)


def test_one_seed_says_nothing_of_others() -> None:
    one = Pairs(np.arange(50), np.ones(50), np.zeros(50))
    assert np.ptp(resampled(one, np.ones((50, 1), bool), 100)[1]) == 0


def test_ninety_five_percent_of_intervals_hold_the_truth() -> None:
    generator, missed, repeats = np.random.default_rng(8), 0, 300
    for repeat in range(repeats):
        difficulty = generator.normal(-1, 1, 150)
        arms = difficulty + 0.4 * generator.normal(0, 1, (2, 3, 150)) + 0.1 * generator.normal(0, 1, (2, 3, 1))
        pairs = Pairs(np.arange(150), *(arms > 0).astype(float))
        low, high = np.quantile(resampled(pairs, np.ones((150, 1), bool), 500, repeat)[1], [0.025, 0.975])
        missed += not low <= 0 <= high
    assert missed <= 0.05 * repeats + 2 * np.sqrt(0.05 * 0.95 * repeats)


def test_other_slices_change_nothing_and_a_seed_gives_the_same_twice() -> None:
    pairs = Pairs(np.arange(500), losses(2, 500, 9), losses(2, 500, 10))
    members = np.random.default_rng(11).random((500, 4)) < 0.3
    gain, draws = resampled(pairs, members, 1000, seed=3)
    assert np.array_equal(draws, resampled(pairs, members, 1000, seed=3)[1])
    assert not np.array_equal(draws, resampled(pairs, members, 1000, seed=4)[1])
    alone = resampled(pairs, members[:, :1], 1000, seed=3)
    assert gain[:1] == pytest.approx(alone[0])


def test_no_rows_and_one_cluster_are_errors() -> None:
    pairs = Pairs(np.arange(9), losses(1, 9, 12), losses(1, 9, 13), cluster=np.zeros(9))
    with pytest.raises(SettingError, match="all rows are one cluster"):
        resampled(pairs, np.ones((9, 1), bool))
    with pytest.raises(SettingError, match="no rows that count"):
        resampled(pairs, np.zeros((9, 1), bool))


@pytest.mark.parametrize("alike", [0.0, 0.9])
def test_joint_bounds_hold_for_all_slices_at_once(alike: float) -> None:
    generator, slices, repeats = np.random.default_rng(14), 12, 400
    mix = np.sqrt(1 - alike) * np.eye(slices)
    scale = np.linspace(1, 3, slices)
    noise = (generator.normal(0, 1, (5000, slices)) @ mix + np.sqrt(alike) * generator.normal(0, 1, (5000, 1))) * scale
    found = generator.normal(0, 1, (repeats, slices)) @ mix + np.sqrt(alike) * generator.normal(0, 1, (repeats, 1))
    bounds = [joint(gain, gain + noise, np.ones(slices, bool)) for gain in found * scale]
    above, below = (
        np.array([(worst > 0).any() for worst, _ in bounds]),
        np.array([(best < 0).any() for _, best in bounds]),
    )
    for wrong in (above, below):
        assert wrong.mean() == pytest.approx(0.05, abs=3 * np.sqrt(0.05 * 0.95 / repeats))
    wide = (bounds[0][1] - found[0] * scale) / scale
    bonferroni = norm.ppf(1 - 0.05 / slices)
    assert (wide < bonferroni + 0.1).all() if alike == 0 else (wide < bonferroni - 0.3).all()


def test_what_is_not_known_has_no_joint_bounds() -> None:
    draws = np.random.default_rng(15).normal(0, 1, (1000, 3))
    worst, best = joint(np.zeros(3), draws, np.array([True, False, True]))
    assert np.isinf([worst[1], best[1]]).all()
    assert np.isfinite([*worst[[0, 2]], *best[[0, 2]]]).all()
