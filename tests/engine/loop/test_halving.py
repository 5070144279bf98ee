"""The operation that is chosen is nearly the best, and never much worse than showing the same items again."""

import json
from collections.abc import Callable, Mapping

import numpy as np
import pytest
from scipy.stats import norm

from sliceforge.engine.errors import SettingError
from sliceforge.engine.loop.halving import MOST, RUNGS, choose
from sliceforge.engine.loop.rung import NOTHING, OVERSAMPLE, Candidate, Rung, Train
from sliceforge.engine.loop.trial import count

MADE = [f"made {k}" for k in range(6)]
ARMS = [NOTHING, OVERSAMPLE, *MADE]
NONE: dict[str, float] = {}


def each(one: Callable[[Candidate, int], Mapping]) -> Train:
    """What trains one after the other."""
    return lambda wanted: [one(candidate, seed) for candidate, seed in wanted]


def trained(gains: Mapping[str, float], harm: Mapping[str, float], key: int = 0, noise: float = 0.012) -> Train:
    """Arms of known gain; a seed's luck is shared by all arms in part."""

    def train(candidate: Candidate, seed: int) -> dict[str, list[float]]:
        shared = np.random.default_rng([key, seed]).normal(0, noise)
        own, beside = np.random.default_rng([key, seed, ARMS.index(candidate.name)]).normal(0, noise, 2)
        weak = 0.5 - gains.get(candidate.name, 0.0)
        clean = 0.1 + harm.get(candidate.name, 0.0)
        return {"weak": [weak + shared + own], "clean": [clean + shared / 2 + beside / 3]}

    return each(train)


def judged(gains: Mapping[str, float], rows: int, key: int) -> Train:
    """Arms of known gain, seen on a few rows that are right or wrong, some of them hard for every arm and seed."""
    hard = np.random.default_rng([key, 1]).standard_normal(rows)

    def train(candidate: Candidate, seed: int) -> dict[str, np.ndarray]:
        at = ARMS.index(candidate.name)
        arm, lot = (np.random.default_rng([key, 2, at, *more]).standard_normal(rows) for more in ((), (seed,)))
        luck = np.random.default_rng([key, 3, at, seed]).normal(0, 0.1)
        score = np.sqrt(0.6) * hard + np.sqrt(0.15) * arm + np.sqrt(0.25) * lot
        wrong = score < norm.ppf(0.5 - gains.get(candidate.name, 0.0)) + luck
        return {"weak": wrong / rows}

    return each(train)


def world(key: int) -> tuple[dict[str, float], dict[str, float]]:
    generator = np.random.default_rng(key)
    scale = generator.choice([0.0, 0.02, 0.05, 0.15])
    gains = {OVERSAMPLE: abs(generator.normal(0.03, 0.03))}
    gains |= dict(zip(MADE, generator.normal(scale / 2, scale, 6), strict=True))
    return gains, {name: generator.uniform(0.03, 0.06) for name in MADE if generator.random() < 0.2}


def arms(count: int) -> list[Candidate]:
    return [Candidate(name) for name in MADE[:count]]


@pytest.mark.parametrize("default", [NOTHING, OVERSAMPLE])
def test_regret_is_small_and_oversampling_is_never_missed_by_a_point_in_the_mean(default: str) -> None:
    regret, against, hurt = [], [], []
    for key in range(120):
        gains, harm = world(key)
        name = choose(trained(gains, harm, key), arms(6), "weak", default=default).candidate.name
        best = max([0.0, *(gain for arm, gain in gains.items() if arm not in harm)])
        regret.append(best - gains.get(name, 0.0))
        against.append(gains.get(name, 0.0) - gains[OVERSAMPLE])
        hurt.append(name in harm)
    assert np.mean(regret) < 0.007
    assert np.mean(np.minimum(0, against)) > -0.005
    assert np.quantile(against, 0.05) > -0.02
    assert np.mean(hurt) < 0.02


@pytest.mark.parametrize("rows", [12, 40])
def test_on_a_few_rows_luck_seldom_displaces_what_is_known_without_a_trial(rows: int) -> None:
    """Of five arms and nothing, all of them worse than oversampling, the luckiest looks better in most trials."""
    gains = dict.fromkeys(MADE, 0.02) | {OVERSAMPLE: 0.05}
    found = [choose(judged(gains, rows, key), arms(5), "weak", default=OVERSAMPLE) for key in range(60)]
    lucky = [max(one.figures, key=lambda figure: figure.gain).name != OVERSAMPLE for one in found]
    assert np.mean(lucky) > 0.5
    assert np.mean([one.candidate.name != OVERSAMPLE for one in found]) < 0.3


@pytest.mark.parametrize("default", [NOTHING, OVERSAMPLE])
def test_what_gains_a_lot_is_taken_though_few_rows_tune(default: str) -> None:
    gains = {MADE[0]: 0.3, OVERSAMPLE: 0.03}
    found = [choose(judged(gains, 30, key), arms(4), "weak", default=default).candidate.name for key in range(40)]
    assert found.count(MADE[0]) >= 38


def test_the_noise_of_a_gain_is_how_far_it_swings_over_other_rows_and_seeds() -> None:
    gains, swings, said = {MADE[0]: 0.1}, [], []
    for key in range(300):
        two = [Candidate(NOTHING), Candidate(MADE[0])]
        wanted = [(arm, seed) for arm in two for seed in range(3)]
        said_of = zip(wanted, judged(gains, 40, key)(wanted), strict=True)
        runs = {(arm.name, seed): losses for (arm, seed), losses in said_of}
        rung = Rung(runs, two, "weak", range(3), 0.01)
        swings.append(rung.gain(two[1], two[0]))
        said.append(rung.noise(two[1], two[0]))
    assert np.mean(swings) == pytest.approx(0.1, abs=0.02)
    assert np.sqrt(np.mean(np.square(said))) == pytest.approx(np.std(swings), rel=0.3)  # rows × seeds count twice


def test_the_better_half_goes_on_and_every_figure_comes_back() -> None:
    gains = {name: 0.03 * k for k, name in enumerate(MADE)}
    found = choose(trained(gains, NONE), arms(6), "weak")
    seeds = {figure.name: len(figure.losses["weak"]) for figure in found.figures}
    assert seeds == dict.fromkeys([NOTHING, OVERSAMPLE, *MADE[3:]], RUNGS[-1]) | dict.fromkeys(MADE[:3], RUNGS[0])
    assert found.candidate.name == MADE[-1]
    assert [f.name for f in found.figures if f.says == "chosen"] == [MADE[-1]]
    assert {f.name for f in found.figures if f.says == "out"} == set(MADE[:3])
    chosen = next(f for f in found.figures if f.says == "chosen")
    assert chosen.gain == pytest.approx(0.15, abs=0.03)


def test_an_arm_that_hurts_another_slice_is_not_taken() -> None:
    gains = {MADE[0]: 0.3, MADE[1]: 0.1}
    found = choose(trained(gains, {MADE[0]: 0.05}), arms(2), "weak")
    assert found.candidate.name == MADE[1]
    assert {f.says for f in found.figures if f.name == MADE[0]} <= {"hurts", "out"}
    none = choose(trained({OVERSAMPLE: 0.3}, {OVERSAMPLE: 0.05}), [], "weak", default=OVERSAMPLE)
    assert none.candidate.name == NOTHING


def test_without_a_difference_the_default_is_taken() -> None:
    for default in (NOTHING, OVERSAMPLE):
        made = [choose(trained(NONE, NONE, key), arms(6), "weak", default=default) for key in range(40)]
        assert sum(one.candidate.makes for one in made) <= 20  # the best of six by a standard error of each
        assert choose(trained(NONE, NONE, noise=0.0), arms(6), "weak", default=default).candidate.name == default


def test_of_two_equals_the_cheaper_is_taken() -> None:
    two = [Candidate(MADE[0], cost=9.0), Candidate(MADE[1], cost=2.0)]
    found = choose(trained({MADE[0]: 0.2, MADE[1]: 0.2}, NONE, noise=0.0), two, "weak", rungs=(3,))
    assert found.candidate.name == MADE[1]


@pytest.mark.parametrize("many", range(2, MOST + 1))
def test_arms_are_trained_as_little_as_promised(many: int) -> None:
    calls: list[tuple[str, int]] = []

    def train(candidate: Candidate, seed: int) -> dict[str, list[float]]:
        calls.append((candidate.name, seed))
        return {"weak": [0.5 - 0.01 * ARMS.index(candidate.name)]}

    choose(each(train), arms(many - 2), "weak", seed=10)
    assert len(set(calls)) == len(calls) == count(many)
    assert {seed for _, seed in calls} == set(range(10, 10 + RUNGS[-1]))
    assert count(MOST) == 21


def test_it_is_the_same_twice_and_plain_enough_for_json() -> None:
    gains, harm = world(3)
    first, second = (choose(trained(gains, harm), arms(6), "weak") for _ in range(2))
    assert first == second
    assert json.loads(json.dumps(first.plain(), allow_nan=False))["chosen"] == first.candidate.name


def test_wrong_candidates_and_losses_are_errors_of_one_line() -> None:
    with pytest.raises(SettingError, match="at most 8 different ones"):
        choose(trained(NONE, NONE), [Candidate(f"{k}") for k in range(7)], "weak")
    with pytest.raises(SettingError, match="expected dark and the same rows"):
        choose(trained(NONE, NONE), [], "dark")
    with pytest.raises(SettingError, match="expected weak and the same rows"):
        choose(each(lambda _, seed: {"weak": [0.1] * (3 + seed)}), [], "weak")
    with pytest.raises(SettingError, match="a loss of weak is not a number"):
        choose(each(lambda *_: {"weak": [float("nan")]}), [], "weak")
    for rungs in ((), (0,), (3, 2)):
        with pytest.raises(SettingError, match="rungs"):
            choose(trained(NONE, NONE), [], "weak", rungs=rungs)
