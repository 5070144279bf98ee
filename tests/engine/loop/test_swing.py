"""Another seed moves whole classes; where one training has to tell, intervals are as wide as classes say."""

import numpy as np
import pytest

from sliceforge.engine.loop.verify.pairs import Pairs
from sliceforge.engine.loop.verify.swing import LEAST, by_class, stretch
from sliceforge.engine.loop.verify.verdict import verify

ROWS, CLASSES = 300, 10
ALL = np.ones(ROWS, bool)
LABEL = np.arange(ROWS) % CLASSES


def trained(generator: np.random.Generator, swing: float, seeds: int = 1) -> Pairs:
    """Two trainings that differ in their seed alone; it moves rows, and each class by `swing` as a whole."""
    difficulty = generator.normal(0, 1, ROWS) + np.linspace(-0.5, 0.5, CLASSES)[LABEL]
    moved = generator.normal(0, swing, (2, seeds, CLASSES))[..., LABEL]
    value = difficulty + 0.3 * generator.normal(0, 1, (2, seeds, ROWS)) + moved
    return Pairs(np.arange(ROWS), *(value > 0).astype(float), label=LABEL)


def mended(pairs: Pairs, generator: np.random.Generator) -> Pairs:
    """15 % of the rows right that were wrong, 5 % wrong that were right."""
    after = pairs.before.copy()
    wrong, right = np.flatnonzero(after[0] == 1), np.flatnonzero(after[0] == 0)
    after[0, generator.choice(wrong, 45, replace=False)] = 0
    after[0, generator.choice(right, 15, replace=False)] = 1
    return Pairs(pairs.ids, pairs.before, after, label=LABEL)


def accepted(pairs: Pairs) -> bool:
    return verify(pairs, "all", {"all": ALL}, replicates=300).decision == "accept"


def test_another_seed_is_accepted_seldom() -> None:
    generator, repeats = np.random.default_rng(1), 200
    assert sum(accepted(trained(generator, 0.0)) for _ in range(repeats)) <= 0.05 * repeats
    far = [trained(generator, 0.4) for _ in range(repeats)]
    rows_alone = sum(accepted(Pairs(one.ids, one.before, one.after)) for one in far)
    assert sum(map(accepted, far)) <= 0.1 * repeats < rows_alone


def test_a_planted_gain_is_accepted_in_nine_of_ten() -> None:
    generator = np.random.default_rng(2)
    assert sum(accepted(mended(trained(generator, 0.0), generator)) for _ in range(100)) >= 90


def test_a_change_that_mends_and_breaks_the_same_shares_everywhere_leaves_nothing_to_the_classes() -> None:
    before = (np.arange(400) // 10 % 10 < np.arange(400) // 100 * 2 + 2).astype(float)  # 20 to 80 % wrong
    after = np.where(np.arange(400) % 10 < 2, 1 - before, before)  # 2 of 10 rows change, wrong and right alike
    pairs = Pairs(np.arange(400), before, after, label=np.arange(400) // 100)
    assert (before - after).sum() == 0
    assert by_class(pairs, np.ones(400, bool)) == pytest.approx(0, abs=1e-12)
    assert by_class(Pairs(np.arange(400), before, before * 0.5, label=np.arange(400) // 100), before < 2) < 1e-12


def test_it_is_the_clustered_error_of_a_line_in_the_loss_before() -> None:
    generator = np.random.default_rng(3)
    weight, before = generator.integers(1, 9, ROWS).astype(float), generator.random(ROWS)
    fall = 0.3 * before + generator.normal(0, 0.1, CLASSES)[LABEL] + generator.normal(0, 0.1, ROWS)
    member = generator.random(ROWS) < 0.7
    found = by_class(Pairs(np.arange(ROWS), before, before - fall, weight, label=LABEL), member)
    root = np.sqrt(weight[member])
    line = np.column_stack([np.ones(member.sum()), before[member]]) * root[:, None]
    left = fall[member] * root - line @ np.linalg.lstsq(line, fall[member] * root, rcond=None)[0]
    sums = [(left * root)[LABEL[member] == one].sum() for one in range(CLASSES)]
    assert found == pytest.approx(np.sqrt(10 / 8 * np.square(sums).sum()) / weight[member].sum())


def test_a_few_classes_say_nothing_and_several_seeds_are_seen_for_themselves() -> None:
    generator = np.random.default_rng(4)
    one, spread = trained(generator, 0.4), np.array([0.001, 1.0])
    assert by_class(one, LABEL < 3) == 0
    assert by_class(Pairs(one.ids, one.before, one.after), ALL) == 0
    members = np.column_stack([ALL, LABEL < 3])
    wider = stretch(one, members, spread)
    assert wider[0] == pytest.approx(by_class(one, ALL) / 0.001)
    assert wider[1] == pytest.approx(np.sqrt(LEAST))
    assert (stretch(trained(generator, 0.4, seeds=2), members, spread) == 1).all()
    same = Pairs(one.ids, one.before, one.before, label=LABEL)
    assert stretch(same, members, np.zeros(2)) == pytest.approx(np.sqrt(LEAST))
