"""What an epoch is made of: permutations, shares, classes and losses."""

from collections import Counter
from itertools import permutations

import numpy as np
import pytest
from scipy.stats import chisquare

from sliceforge.engine import balance
from sliceforge.engine.errors import SettingError
from sliceforge.engine.hardness import Hardness
from sliceforge.engine.mixing import EPOCHS, Mixture
from sliceforge.engine.shuffle import Shuffle


@pytest.mark.parametrize("count", [1, 2, 3, 7, 100, 1001])
def test_a_shuffle_is_a_permutation_and_goes_back(count: int) -> None:
    one = Shuffle(count, f"label {count}")
    there = one.at(np.arange(count))
    assert sorted(there) == list(range(count))
    assert np.array_equal(one.back(there), np.arange(count))
    some = np.array([count - 1, 0])
    assert np.array_equal(one.at(some), there[some])
    assert count < 4 or not np.array_equal(there, Shuffle(count, "another").at(np.arange(count)))


def test_every_permutation_is_as_likely() -> None:
    found = Counter(tuple(Shuffle(4, f"key {i}").at(np.arange(4)).tolist()) for i in range(12_000))
    assert set(found) == set(permutations(range(4)))
    assert chisquare(list(found.values())).pvalue > 1e-3


def test_neighbours_are_torn_apart() -> None:
    there = Shuffle(50_000, "seed 7").at(np.arange(50_000))
    steps = np.diff(there)
    # Two random neighbours follow each other once in a permutation, on average.
    assert np.sum(steps == 1) < 9
    assert abs(np.corrcoef(there[:-1], there[1:])[0, 1]) < 0.02


def whole(mixture: Mixture) -> list[tuple[int, int, int]]:
    share, row, variant = mixture.columns(np.arange(len(mixture)))
    return list(zip(share.tolist(), row.tolist(), variant.tolist(), strict=True))


def mixture(epoch: int = 3, share: float = 0.45, pool: int = 20, **more: object) -> Mixture:
    rows = np.arange(200)
    return Mixture(7, epoch, [rows], [200], [rows[:pool], rows[100:130]], [share, 0.1], **more)


def test_shares_are_exact_and_no_parent_is_favoured() -> None:
    share, row, _ = mixture().columns(np.arange(200))
    assert [int((share == one).sum()) for one in (-1, 0, 1)] == [90, 90, 20]
    uses = np.bincount(row[share == 0], minlength=20)
    assert set(uses) == {4, 5}
    assert set(row[share == 1]) <= set(range(100, 130))
    kept = np.flatnonzero(share < 0)
    assert np.array_equal(row[kept], kept)


def test_what_is_asked_one_by_one_is_what_is_asked_together() -> None:
    one = mixture()
    assert [whole(one)[i] for i in (199, 0, 77)] == [tuple(pick) for pick in one.picks(np.array([199, 0, 77]))]


def test_no_variant_of_a_parent_comes_twice_whatever_shares_epochs_have() -> None:
    made: Counter[tuple[int, int]] = Counter()
    for epoch, share in enumerate([0.45, 0.1, 0.8, 0.45, 0.0, 0.9], 1):
        found = [(row, variant) for which, row, variant in whole(mixture(epoch, share)) if which == 0]
        assert {variant % EPOCHS for _, variant in found} <= {epoch}
        made.update(found)
    assert set(made.values()) == {1}


def test_the_first_use_of_a_parent_in_epoch_e_is_variant_e() -> None:
    found = [variant for which, _, variant in whole(mixture(5, 0.1)) if which == 0]
    assert found == [5] * 20


def test_extend_adds_and_displaces_nothing() -> None:
    found = whole(mixture(share=0.8, extend=True))
    assert found[:200] == [(-1, i, 0) for i in range(200)]
    assert Counter(which for which, _, _ in found[200:]) == {0: 160, 1: 20}


def test_another_epoch_makes_other_positions() -> None:
    places = [{i for i, (which, _, _) in enumerate(whole(mixture(epoch))) if which >= 0} for epoch in (1, 2)]
    assert len(places[0] & places[1]) < 0.8 * len(places[0])


def test_a_class_that_has_fewer_items_than_positions_comes_in_turns() -> None:
    groups = [np.arange(90), np.arange(90, 99), np.array([99])]
    sizes = balance.positions([90, 9, 1], "class")
    _, row, _ = Mixture(7, 1, groups, sizes, [], []).columns(np.arange(100))
    uses = np.bincount(row, minlength=100)
    assert (uses[:90].sum(), uses[90:99].sum(), uses[99]) == (34, 33, 33)
    assert set(uses[:90]) == {0, 1}
    assert set(uses[90:99]) == {3, 4}
    later = Mixture(7, 2, groups, sizes, [], []).columns(np.arange(34))[1]
    assert set(later) != set(row[:34])


@pytest.mark.parametrize("beta", [0.0, 0.9, 0.999, 0.999999])
def test_effective_numbers_are_those_of_the_paper(beta: float) -> None:
    counts = [5000, 500, 50, 3]
    # The effective number is a geometric series, 1 + β + … + βⁿ⁻¹.
    effective = [float((beta ** np.arange(count)).sum()) for count in counts]
    weights = np.array([count / own for count, own in zip(counts, effective, strict=True)])
    found = balance.positions(counts, "effective", beta)
    assert sum(found) == sum(counts)
    assert np.allclose(found, weights / weights.sum() * sum(counts), atol=1)


def test_a_band_keeps_what_lies_in_it_and_what_is_not_known() -> None:
    hard = Hardness({"a": 0.05, "b": 0.1, "c": 3.0, "d": 3.1}, 0.1, 3.0)
    assert hard.keeps(["a", "b", "c", "d", "e"]).tolist() == [False, True, True, False, True]
    with pytest.raises(SettingError, match="is no band"):
        Hardness({}, 2, 1)


def test_a_parent_that_would_be_needed_too_often_is_refused() -> None:
    rows = np.arange(40_000)
    with pytest.raises(SettingError, match=r"shares\[0\]: 40000 items of 1 parents"):
        Mixture(7, 1, [rows], [40_000], [rows[:1]], [1.0])
