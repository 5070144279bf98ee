"""What a setting may say, and that draws follow it."""

import math
from typing import Any

import numpy as np
import pytest
import reference_draw
from scipy import stats

from sliceforge.engine.distribution import Distribution, normal_cdf, normal_quantile
from sliceforge.engine.elementary import exp2, log2
from sliceforge.engine.errors import SettingError
from sliceforge.engine.keys import Keys

MANY = Keys.of(5, [str(i) for i in range(20000)]).at("step")
KS_LIMIT = 2.7 / math.sqrt(20000)  # Kolmogorov's distance at a risk of 1e-6


@pytest.mark.parametrize(
    ("setting", "cdf"),
    [
        ([0, 20], stats.uniform(0, 20).cdf),
        ([-5, 15], stats.uniform(-5, 20).cdf),
        (["log", 0.5, 4], stats.loguniform(0.5, 4).cdf),
        (["normal", 10, 4, 0, 12], stats.truncnorm(-2.5, 0.5, 10, 4).cdf),
        (["normal", 0, 1, -9, 9], stats.norm.cdf),
    ],
)
def test_draws_follow_the_distribution(setting: list[Any], cdf: Any) -> None:
    drawn = Distribution.parse(setting).draw(MANY, "x")
    assert drawn.dtype == np.float32
    assert stats.kstest(drawn, cdf).statistic < KS_LIMIT


def test_whole_numbers_include_both_ends_evenly() -> None:
    drawn = Distribution.parse([1, 4], whole=True).draw(MANY, "x")
    assert drawn.dtype == np.int64
    assert stats.chisquare(np.bincount(drawn)[1:]).pvalue > 1e-6
    assert set(drawn.tolist()) == {1, 2, 3, 4}


def test_a_choice_takes_numbers_or_words() -> None:
    assert set(Distribution.parse(["choice", 8000, 16000], whole=True).draw(MANY, "x").tolist()) == {8000, 16000}
    assert set(Distribution.parse(["choice", "bank", "cabin"]).draw(MANY, "x")) == {"bank", "cabin"}


def test_a_constant_is_always_itself() -> None:
    assert (Distribution.parse(7).draw(MANY, "x") == 7).all()


@pytest.mark.parametrize(
    ("setting", "hint"),
    [
        ([15, 10, 5, 0], "choice, 15, 10, 5, 0"),
        ([20, 0], r"\[0, 20\]"),
        (["log", 0, 4], "0 < low"),
        (["normal", 5, 4], "normal, mean, sd, low, high"),
        (["gauss", 5, 4], "choice"),
        ([], "expected"),
        (True, "finite number"),
        (math.nan, "finite number"),
        ([0, math.inf], "finite number"),
        ("loud", "finite number"),
        ({"low": 1}, "finite number"),
    ],
)
def test_what_is_no_distribution_is_refused_in_one_line(setting: Any, hint: str) -> None:
    with pytest.raises(SettingError, match=hint) as error:
        Distribution.parse(setting, "steps.mix.snr")
    assert str(error.value).startswith("steps.mix.snr: ")
    assert "\n" not in str(error.value)


def same_bits(a: np.ndarray, b: np.ndarray) -> bool:
    return a.dtype == b.dtype and a.tobytes() == b.tobytes()


@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize(
    "setting",
    [
        7,
        [0, 20],
        [-5, 15],
        [-3, 1 << 40],
        ["log", 1, 4096],
        ["log", 3, 3],
        ["normal", 10, 4, 0, 12],
        ["normal", 0, 1, -9, 9],
        ["normal", -300, 2, -290, 40],
        ["choice", 8000, 16000, -3],
    ],
)
def test_a_compiled_draw_has_the_bits_of_the_plain_formula(setting: Any, whole: bool) -> None:
    law = Distribution.parse(setting, whole=whole)
    assert same_bits(law.draw(MANY, "x"), reference_draw.draw(law, MANY, "x"))


@pytest.mark.parametrize("setting", [[0.1, 0.7], [-1e-3, 1e6], ["log", 0.3, 0.9], ["normal", 0.1, 1e-3, 0.0999, 3]])
def test_fractions_have_the_bits_of_the_plain_formula(setting: Any) -> None:
    law = Distribution.parse(setting)
    assert same_bits(law.draw(MANY, "x"), reference_draw.draw(law, MANY, "x"))


def test_words_are_those_of_the_plain_formula() -> None:
    law = Distribution.parse(["choice", "bank", "cabin", "ü"])
    assert law.draw(MANY, "x").tolist() == reference_draw.draw(law, MANY, "x").tolist()


def test_elementary_functions_have_the_bits_of_the_plain_formulas() -> None:
    """Whatever the compiler does: no operation is fused, reordered or replaced by a reciprocal."""
    generator = np.random.default_rng(2)
    x, y = generator.uniform(-60, 60, 20001), 2.0 ** generator.uniform(-60, 60, 20001)
    p = np.concatenate([generator.uniform(0, 1, 20001), 2.0 ** generator.uniform(-70, -1, 20001), [0.0, 0.5, 1.0]])
    pairs = [(exp2, reference_draw.exp2, x), (log2, reference_draw.log2, y)]
    for compiled, plain, values in [*pairs, (normal_quantile, reference_draw.normal_quantile, p)]:
        ours = np.array([compiled(value) for value in values])
        assert same_bits(ours, plain(values))
        assert same_bits(ours[:200], np.array([compiled.py_func(value) for value in values[:200]], np.float64))
    assert all(normal_cdf(end) == reference_draw.normal_cdf(end) for end in (-41.0, -2.5, 0.0, 0.3, 9.0))


def test_elementary_functions_are_as_good_as_float32_needs() -> None:
    x = np.linspace(-30, 30, 10001)
    assert np.abs(np.vectorize(exp2)(x) / np.exp2(x) - 1).max() < 1e-15
    y = np.geomspace(1e-12, 1e12, 10001)
    assert np.abs(np.vectorize(log2)(y) - np.log2(y)).max() < 1e-14
    p = np.linspace(1e-8, 1 - 1e-8, 10001)
    assert np.abs(np.vectorize(normal_quantile)(p) - stats.norm.ppf(p)).max() < 1e-8
