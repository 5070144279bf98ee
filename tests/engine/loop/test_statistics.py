"""The tests and intervals against scipy, brute force and simulation."""

import numpy as np
import pytest
from scipy import stats

from sliceforge.engine.loop.find.chance import LIKELY, LIKELY_P
from sliceforge.engine.loop.find.clusters import cluster_interval, cluster_p, cluster_sums
from sliceforge.engine.loop.find.evidence import evidence, interval
from sliceforge.engine.loop.find.search import STRONG
from sliceforge.engine.loop.find.statistics import (
    benjamini_hochberg,
    cohen_h,
    detectable,
    fisher,
    newcombe,
    welch,
    wilson,
)


def sums(loss: np.ndarray, weight: np.ndarray | None = None) -> np.ndarray:
    """(6,) rows, Σw, Σwl, Σw², Σw²l, Σw²l²."""
    w = np.ones(len(loss)) if weight is None else weight
    parts = (np.ones(len(loss)), w, w * loss, w**2, w**2 * loss, w**2 * loss**2)
    return np.array([part.sum() for part in parts])


def test_fisher_is_the_hypergeometric_tail() -> None:
    generator = np.random.default_rng(1)
    rows = generator.integers(1, 1900, 3000)
    wrong = np.clip(rows * 0.16 + generator.normal(size=3000) * 15, 0, np.minimum(rows, 320)).astype(int)
    wrong = np.maximum(wrong, rows + 320 - 2000)
    expected = stats.hypergeom.sf(wrong - 1, 2000, 320, rows)
    np.testing.assert_allclose(fisher(wrong, rows, 2000, 320), expected, rtol=1e-9, atol=1e-300)


def test_no_slice_that_is_not_strong_has_a_small_p() -> None:
    for total in (7, 20, 41, 120):
        n, wrong, x = (part.ravel() for part in np.mgrid[1:total, 1:total, 0 : total + 1])
        fit = (x <= np.minimum(n, wrong)) & (x >= n + wrong - total)
        n, wrong, x = n[fit], wrong[fit], x[fit]
        z = (x - n * wrong / total) / np.sqrt(n * wrong * (total - wrong) * (total - n) / total**2 / (total - 1))
        p = stats.hypergeom.sf(x - 1, total, wrong, n)
        assert p[z < STRONG].min() > 0.1
        assert p[z < LIKELY].min() > LIKELY_P


def test_wilson_and_newcombe_hold_what_they_say() -> None:
    for wrong, rows in ((17, 120), (0, 30), (50, 50), (3, 40)):
        reference = stats.binomtest(wrong, rows).proportion_ci(method="wilson")
        np.testing.assert_allclose(wilson(np.array(wrong), np.array(rows)), tuple(reference), rtol=1e-12, atol=1e-15)
    # Newcombe (1998), table II, (56/70, 48/80), method 10.
    np.testing.assert_allclose(
        newcombe(np.array(56), np.array(70), np.array(48), np.array(80)), (0.0524, 0.3339), atol=5e-5
    )
    generator = np.random.default_rng(2)
    one, other = generator.binomial(60, 0.3, 20_000), generator.binomial(900, 0.12, 20_000)
    low, high = newcombe(one, np.array(60), other, np.array(900))
    assert ((low <= 0.18) & (high >= 0.18)).mean() == pytest.approx(0.95, abs=0.015)


def test_welch_is_scipys_and_its_interval_too() -> None:
    generator = np.random.default_rng(3)
    one, other = generator.gamma(2, 0.4, 40), generator.gamma(2, 0.3, 700)
    whole = sums(np.concatenate([one, other]))
    t, p = welch(sums(one)[None], whole)
    expected = stats.ttest_ind(one, other, equal_var=False, alternative="greater")
    np.testing.assert_allclose((t[0], p[0]), (expected.statistic, expected.pvalue), rtol=1e-8)
    both = stats.ttest_ind(one, other, equal_var=False).confidence_interval()
    np.testing.assert_allclose(interval(sums(one), whole, False), tuple(both), rtol=1e-8)


def test_the_weighted_test_keeps_its_level_where_long_transcripts_count_more() -> None:
    generator, ps = np.random.default_rng(4), []
    for _ in range(1500):
        words = generator.integers(1, 20, 500).astype(float)
        loss = generator.binomial(words.astype(int), 0.2) / words
        ps.append(welch(sums(loss[:80], words[:80])[None], sums(loss, words))[1][0])
    assert np.mean(np.array(ps) <= 0.05) == pytest.approx(0.05, abs=0.02)


def test_benjamini_hochberg_is_scipys_also_with_what_was_not_computed() -> None:
    generator = np.random.default_rng(5)
    p = np.concatenate([generator.random(950), generator.random(50) * 1e-3])
    adjusted, limit = benjamini_hochberg(p, 0.05, len(p))
    expected = stats.false_discovery_control(p)
    np.testing.assert_allclose(adjusted, expected, rtol=1e-12)
    assert limit == p[expected <= 0.05].max()
    few = p[p <= 0.1]
    part, same = benjamini_hochberg(few, 0.05, len(p))
    assert same == limit
    np.testing.assert_array_equal(part <= 0.05, expected[p <= 0.1] <= 0.05)


def test_the_least_gap_is_seen_in_four_of_five_runs() -> None:
    gap = float(detectable(np.sqrt(0.15 * 0.85), np.array(150), 2000))
    generator = np.random.default_rng(6)
    one = generator.normal(0.15 + gap, np.sqrt(0.15 * 0.85 / 150), 20_000)
    other = generator.normal(0.15, np.sqrt(0.15 * 0.85 / 1850), 20_000)
    z = (one - other) / np.sqrt(0.15 * 0.85 * (1 / 150 + 1 / 1850))
    assert (z >= stats.norm.isf(0.05)).mean() == pytest.approx(0.8, abs=0.01)


def test_the_effect_counts_from_five_points_and_h_of_a_fifth() -> None:
    whole = sums(np.repeat([0.0, 1.0], [1800, 200]))
    slices = np.array([sums(np.repeat([0.0, 1.0], [100 - k, k])) for k in (10, 14, 18, 30)])
    found = evidence(slices, whole, True)
    np.testing.assert_allclose(found.effect, cohen_h(found.error, found.reference))
    assert found.counts.tolist() == [False, False, True, True]


def test_the_clusters_test_keeps_its_level_where_the_plain_one_does_not() -> None:
    generator = np.random.default_rng(7)
    own, plain, robust, held = np.repeat(np.arange(60), 20), [], [], []
    inside = np.isin(own, np.arange(20))
    for _ in range(200):
        error = generator.beta(1.5, 8.5, 60)
        loss = (generator.random(1200) < error[own]).astype(float)
        by = cluster_sums(inside, np.stack([np.ones(1200), loss], 1), own)
        robust.append(cluster_p(by))
        plain.append(fisher(np.array([loss[inside].sum()]), np.array([400]), 1200, int(loss.sum()))[0])
        if len(held) < 25:
            low, high = cluster_interval(by, seed=1)
            held.append(low <= 0 <= high)
    assert np.mean(np.array(plain) <= 0.05) > 0.1
    assert np.mean(np.array(robust) <= 0.05) < 0.09
    assert np.mean(held) > 0.8


def test_a_slice_of_one_cluster_says_nothing_of_others() -> None:
    own, loss = np.repeat(np.arange(5), 40), np.repeat([1.0, 0.0], [40, 160])
    assert cluster_p(cluster_sums(own == 0, np.stack([np.ones(200), loss], 1), own)) == 1.0
