"""Power laws come back from their own points, and what is none is not believed."""

import json

import numpy as np
import pytest
from scipy.optimize import curve_fit

from sliceforge.engine.errors import SettingError
from sliceforge.engine.loop.allocate.curves import Curve, fitted

SIZES = [30, 60, 150, 300]


@pytest.mark.parametrize(("a", "b"), [(0.1, 0.5), (0.5, 2.0), (1.2, 30.0)])
def test_an_exact_curve_comes_back(a: float, b: float) -> None:
    found = fitted(SIZES, b * np.array(SIZES, float) ** -a, draws=0)
    assert (found.a, found.b, found.r2) == pytest.approx((a, b, 1), rel=1e-3)
    assert found.believed


def test_it_is_the_weighted_least_squares_of_scipy() -> None:
    generator = np.random.default_rng(0)
    for _ in range(20):
        n = np.array(SIZES, float)
        y = generator.uniform(0.5, 3) * n ** -generator.uniform(0.1, 0.9) + generator.uniform(0, 0.03, 4)
        found = fitted(SIZES, y, draws=0)
        (b, a), _ = curve_fit(lambda n, b, a: b * n**-a, n, y, p0=[found.b, found.a], sigma=n**-0.25)
        assert (found.a, found.b) == pytest.approx((a, b), rel=2e-3, abs=2e-4)


@pytest.mark.parametrize("losses", [[0.3, 0.3, 0.3, 0.3], [0.2, 0.25, 0.3, 0.35], [0.3, 0.2, 0.31, 0.25], [0, 0, 0, 0]])
def test_what_does_not_fall_is_not_believed(losses: list[float]) -> None:
    assert not fitted(SIZES, losses, draws=0).believed


def test_a_loss_of_nothing_at_the_end_is_no_trouble() -> None:
    found = fitted(SIZES, [0.4, 0.1, 0.02, 0.0])
    assert found.believed
    assert np.isfinite(found.draws).all()


@pytest.mark.parametrize("repeats", [1, 3])
def test_the_interval_of_the_next_items_holds_the_truth(repeats: int) -> None:
    generator, held, times = np.random.default_rng(1), 0, 120
    n, truth = np.array(SIZES, float), Curve(0.4, 1.5, 1.0)
    # Noise as the weights take it to be, where one repeat leaves only the residuals to judge by.
    spread = 0.05 * n**-0.25 if repeats == 1 else np.full(4, 0.01)
    expected, *_ = truth.gain(300, 300)
    for _ in range(times):
        y = truth.loss(n)[:, None] + spread[:, None] * generator.normal(0, 1, (4, repeats))
        gain, low, high = fitted(SIZES, np.maximum(0, y), draws=300).gain(300, 300)
        assert low <= gain <= high
        held += low <= expected <= high
    assert 0.88 <= held / times <= 1


def test_gain_is_the_difference_of_two_losses_and_grows_slower_and_slower() -> None:
    curve = Curve(0.5, 2.0, 1.0)
    assert curve.gain(100, 300)[0] == pytest.approx(2 / 10 - 2 / 20)
    gains = [curve.gain(100, more)[0] for more in (0, 50, 100, 150)]
    assert gains[0] == 0
    assert (np.diff(gains, 2) < 0).all()


def test_it_is_plain_enough_for_json() -> None:
    said = json.loads(json.dumps(fitted(SIZES, [0.4, 0.3, 0.2, 0.17]).plain(), allow_nan=False))
    assert said["a95"][0] <= said["a"] <= said["a95"][1]
    assert said["believed"] is True


def test_too_few_sizes_and_losses_below_nothing_are_errors() -> None:
    with pytest.raises(SettingError, match="expected 3 different"):
        fitted([30, 30, 60], [0.3, 0.3, 0.2])
    with pytest.raises(SettingError, match="0 or more"):
        fitted(SIZES, [0.3, 0.2, 0.1, -0.1])
    with pytest.raises(SettingError, match="losses of shape"):
        fitted(SIZES, [0.3, 0.2, 0.1])
