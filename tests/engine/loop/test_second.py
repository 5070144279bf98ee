"""The round with half of the budget: what two looks at the same rows may accept."""

import numpy as np
import pytest

from sliceforge.engine.loop.second import SOUND, second
from sliceforge.engine.loop.verify.pairs import Pairs
from sliceforge.engine.loop.verify.verdict import Verdict, verify

ROWS, WEAK = 300, 100
IDS = np.array([f"r{i:03}" for i in range(ROWS)])
INSIDE = np.arange(ROWS) < WEAK
SLICES = {"weak": INSIDE, "other": np.arange(ROWS) >= ROWS - 100}


def judged(generator: np.random.Generator, gain: float, loss: float) -> Verdict:
    """Two trainings of either side; the weak slice gains and the other loses, in shares of their rows."""
    before = generator.random((2, ROWS)) < np.where(INSIDE, 0.4, 0.1)
    error = np.where(INSIDE, 0.4 - gain, np.where(SLICES["other"], 0.1 + loss, 0.1))
    after = generator.random((2, ROWS)) < error
    return verify(Pairs(IDS, before.astype(float), after.astype(float)), "weak", SLICES, replicates=300)


def rounds(gains: tuple[float, float], loss: float, repeats: int) -> tuple[int, int, int]:
    """How often the first round accepts, says to halve, and the second then accepts."""
    generator, counts = np.random.default_rng(7), [0, 0, 0]
    for _ in range(repeats):
        first = judged(generator, gains[0], loss)
        counts[0] += first.decision == "accept"
        if first.decision == "halve":
            counts[1] += 1
            counts[2] += second(first.plain(), judged(generator, gains[1], loss)).decision == "accept"
    return counts[0], counts[1], counts[2]


def test_where_nothing_gains_two_looks_accept_no_more_than_one_may() -> None:
    accepted, halved, later = rounds((0.0, 0.0), 0.3, 120)
    assert later <= halved
    assert (accepted + later) / 120 <= 0.05


def test_where_the_second_alone_gains_nothing_it_is_judged_by_a_test_of_its_own() -> None:
    accepted, halved, later = rounds((0.35, 0.0), 0.3, 40)
    assert accepted == 0
    assert halved > 30
    assert later / halved <= 0.05


def test_what_was_seen_to_lose_may_not_lose_by_its_own_estimate_the_second_time() -> None:
    first = judged(np.random.default_rng(1), 0.3, 0.4)
    lost = {one.slice for one in first.changes if one.says == "lost"}
    assert (first.decision, "other" in lost) == ("halve", True)
    decisions = []
    for seed in range(12):
        now = judged(np.random.default_rng(seed), 0.3, 0.02)
        held = all(one.gain >= -now.margin for one in now.changes if one.slice in lost)
        found = second(first.plain(), now)
        assert found.decision == ("accept" if now.decision == "accept" and held else "reject")
        assert found.reason.endswith(SOUND) == (found.decision == "accept")
        decisions.append(found.decision)
    assert set(decisions) == {"accept", "reject"}


@pytest.mark.parametrize(("gain", "loss"), [(0.0, 0.0), (0.3, 0.4)])
def test_it_never_says_to_halve_again(gain: float, loss: float) -> None:
    first, now = judged(np.random.default_rng(1), 0.3, 0.4), judged(np.random.default_rng(2), gain, loss)
    assert now.decision != "accept"
    assert second(first.plain(), now).decision == "reject"
