"""The operation that is chosen is nearly the best, and never much worse than showing the same items again."""

import json
from collections.abc import Mapping

import numpy as np
import pytest

from sliceforge.engine.errors import SettingError
from sliceforge.engine.loop.halving import choose
from sliceforge.engine.loop.rung import NOTHING, OVERSAMPLE, Candidate, Train

MADE = [f"made {k}" for k in range(6)]
ARMS = [NOTHING, OVERSAMPLE, *MADE]


def trained(gains: Mapping[str, float], harm: Mapping[str, float], key: int = 0, noise: float = 0.012) -> Train:
    """Arms of known gain; a seed's luck is shared by all arms in part, and short trainings show less of the gain."""

    def train(candidate: Candidate, seed: int, resource: float) -> dict[str, float]:
        lot = [key, seed, round(1000 * resource)]
        shared = np.random.default_rng(lot).normal(0, noise)
        own, beside = np.random.default_rng([*lot, ARMS.index(candidate.name)]).normal(0, noise, 2)
        weak = 0.6 - 0.2 * resource - (0.5 + 0.5 * resource) * gains.get(candidate.name, 0.0)
        return {"weak": weak + shared + own, "clean": 0.1 + harm.get(candidate.name, 0.0) + shared / 2 + beside / 3}

    return train


def world(key: int) -> tuple[dict[str, float], dict[str, float]]:
    generator = np.random.default_rng(key)
    scale = generator.choice([0.0, 0.02, 0.05, 0.15])
    gains = {OVERSAMPLE: abs(generator.normal(0.03, 0.03))}
    gains |= dict(zip(MADE, generator.normal(scale / 2, scale, 6), strict=True))
    return gains, {name: generator.uniform(0.03, 0.06) for name in MADE if generator.random() < 0.2}


def test_regret_is_small_and_oversampling_is_never_missed_by_a_point_in_the_mean() -> None:
    regret, against, hurt = [], [], []
    for key in range(120):
        gains, harm = world(key)
        name = choose(trained(gains, harm, key), [Candidate(n) for n in MADE], "weak").candidate.name
        best = max([0.0, *(gain for arm, gain in gains.items() if arm not in harm)])
        regret.append(best - gains.get(name, 0.0))
        against.append(gains.get(name, 0.0) - gains[OVERSAMPLE])
        hurt.append(name in harm)
    assert np.mean(regret) < 0.005
    assert np.mean(np.minimum(0, against)) > -0.005
    assert np.quantile(against, 0.05) > -0.01
    assert np.mean(hurt) < 0.02


def test_the_better_half_goes_on_and_every_figure_comes_back() -> None:
    gains = {name: 0.03 * k for k, name in enumerate(MADE)}
    found = choose(trained(gains, {}), [Candidate(n) for n in MADE], "weak")
    rungs = {resource: [f.name for f in found.figures if f.resource == resource] for resource in (0.25, 0.5, 1.0)}
    assert rungs == {
        0.25: [NOTHING, *MADE],
        0.5: [NOTHING, *MADE[:2:-1]],
        1.0: [NOTHING, OVERSAMPLE, *MADE[:3:-1]],
    }
    assert found.candidate.name == MADE[-1]
    assert [f.name for f in found.figures if f.says == "chosen"] == [MADE[-1]]
    assert [len(f.losses["weak"]) for f in found.figures if f.name == NOTHING] == [2, 2, 3]
    assert found.figures[-2].gain == pytest.approx(0.15 - gains[MADE[-1]] + 0.15, abs=0.05)


def test_an_arm_that_hurts_another_slice_is_not_taken() -> None:
    gains = {MADE[0]: 0.3, MADE[1]: 0.1}
    found = choose(trained(gains, {MADE[0]: 0.05}), [Candidate(n) for n in MADE[:2]], "weak")
    assert found.candidate.name == MADE[1]
    assert {f.says for f in found.figures if f.name == MADE[0]} == {"hurts"}


def test_without_a_difference_nothing_is_made() -> None:
    made = [choose(trained({}, {}, key), [Candidate(n) for n in MADE], "weak").candidate.makes for key in range(40)]
    assert sum(made) <= 8
    still = choose(trained({}, {}, noise=0.0), [Candidate(n) for n in MADE], "weak")
    assert still.candidate.name == NOTHING


def test_of_two_equals_the_cheaper_is_taken() -> None:
    arms = [Candidate(MADE[0], cost=9.0), Candidate(MADE[1], cost=2.0)]
    found = choose(trained({MADE[0]: 0.2, MADE[1]: 0.2}, {}, noise=0.0), arms, "weak")
    assert found.candidate.name == MADE[1]


def test_arms_are_trained_as_little_as_promised() -> None:
    calls: list[tuple[str, int, float]] = []

    def train(candidate: Candidate, seed: int, resource: float) -> dict[str, float]:
        calls.append((candidate.name, seed, resource))
        return {"weak": 0.5 - 0.01 * ARMS.index(candidate.name)}

    choose(train, [Candidate(n) for n in MADE], "weak", seed=10)
    assert len(set(calls)) == len(calls) == 7 * 2 + 4 * 2 + 4 * 3
    assert {seed for _, seed, resource in calls if resource == 1} == {10, 11, 12}
    assert sum(resource for *_, resource in calls) == pytest.approx(19.5)


def test_it_is_the_same_twice_and_plain_enough_for_json() -> None:
    gains, harm = world(3)
    first, second = (choose(trained(gains, harm), [Candidate(n) for n in MADE], "weak") for _ in range(2))
    assert first == second
    assert json.loads(json.dumps(first.plain(), allow_nan=False))["chosen"] == first.candidate.name


def test_wrong_candidates_and_losses_are_errors_of_one_line() -> None:
    with pytest.raises(SettingError, match="at most 8 different ones"):
        choose(trained({}, {}), [Candidate(f"{k}") for k in range(7)], "weak")
    with pytest.raises(SettingError, match="expected dark and the same slices"):
        choose(trained({}, {}), [], "dark")
    with pytest.raises(SettingError, match="a loss of weak is not a number"):
        choose(lambda *_: {"weak": float("nan")}, [], "weak")
    with pytest.raises(SettingError, match="rungs"):
        choose(trained({}, {}), [], "weak", rungs=())
