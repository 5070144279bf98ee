"""McNemar's test is a coin's, and every independent unit throws it once."""

import numpy as np
import pytest
from scipy.stats import binom, binomtest

from sliceforge.engine.loop.verify.mcnemar import mcnemar
from sliceforge.engine.loop.verify.pairs import Pairs

ALL = np.ones(100, bool)


def changed(gained: int, lost: int) -> Pairs:
    before, after = np.zeros(100), np.zeros(100)
    before[:gained], after[gained : gained + lost] = 1, 1
    return Pairs(np.arange(100), before, after)


@pytest.mark.parametrize(("gained", "lost"), [(0, 0), (1, 0), (15, 5), (5, 15), (7, 7), (40, 30)])
def test_it_is_the_binomial_test_of_who_changed(gained: int, lost: int) -> None:
    found = mcnemar(changed(gained, lost), ALL)
    assert (found.gained, found.lost) == (gained, lost)
    expected = binomtest(gained, gained + lost).pvalue if gained + lost else 1.0
    assert found.p == pytest.approx(expected)
    # By definition: what is less likely than this, and half of what is as likely.
    chances = binom.pmf(np.arange(gained + lost + 1), gained + lost, 0.5)
    same = np.isclose(chances, chances[gained])
    assert found.mid_p == pytest.approx(chances[(chances < chances[gained]) & ~same].sum() + chances[same].sum() / 2)


def test_only_the_slice_votes() -> None:
    found = mcnemar(changed(15, 5), np.arange(100) < 10)
    assert (found.gained, found.lost) == (10, 0)


def test_more_seeds_of_the_same_are_no_more_evidence() -> None:
    one = changed(9, 2)
    many = Pairs(one.ids, np.tile(one.before, (5, 1)), np.tile(one.after, (3, 1)))
    assert mcnemar(many, ALL) == mcnemar(one, ALL)


def test_a_row_votes_as_most_of_its_seeds_do_and_not_where_they_are_even() -> None:
    before = np.array([[1, 1, 0], [1, 0, 0], [0, 0, 1]])
    after = np.array([[0, 0, 0], [0, 1, 1], [1, 0, 1]])
    found = mcnemar(Pairs(np.arange(3), before, after), np.ones(3, bool))
    assert (found.gained, found.lost) == (1, 1)  # 2 against 1; 1 against 1; 1 against 2


def test_a_cluster_has_one_vote() -> None:
    one = changed(12, 4)
    together = Pairs(one.ids, one.before, one.after, cluster=np.arange(100) // 6)
    found = mcnemar(together, ALL)
    assert (found.gained, found.lost) == (2, 1)  # rows 0–5 and 6–11 gained, 12–15 lost


def test_continuous_losses_vote_by_their_sign() -> None:
    generator = np.random.default_rng(0)
    before, after = generator.random((2, 3, 100))
    found = mcnemar(Pairs(np.arange(100), before, after), ALL)
    fall = before.mean(axis=0) - after.mean(axis=0)
    assert (found.gained, found.lost) == ((fall > 0).sum(), (fall < 0).sum())
