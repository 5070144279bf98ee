"""Settings from a slice's attributes: an image made with them has the slice's moments, an SNR stays where words are."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from sliceforge.engine.loop.generate.ranges import of_grain, of_mix, of_photometric, of_speed
from sliceforge.engine.loop.rows.slices import Range
from sliceforge.kernels.image.photometric import Photometric, photometric_pixel


def moved(found: dict[str, tuple[float, float]], image: np.ndarray) -> np.ndarray:
    row = Photometric().row(64, 64, **{name: np.float32(ends[0]) for name, ends in found.items()})
    return np.array([[photometric_pixel(np.float32(v), 0, 0, row) for v in line] for line in image / 255]) * 255


@pytest.mark.parametrize(("mean", "deviation"), [(30.0, 7.0), (60.0, 15.0), (200.0, 30.0), (128.0, 40.0)])
def test_a_photometric_step_moves_training_to_the_moments_of_the_slice(mean: float, deviation: float) -> None:
    image = np.clip(np.random.default_rng(0).normal(110, 18, (64, 64)), 60, 160)
    training = {"brightness": Range(0, image.mean(), 0), "contrast": Range(0, image.std(), 0)}
    here = {"brightness": Range(mean, mean, mean), "contrast": Range(deviation, deviation, deviation)}
    found = of_photometric(here, training)
    assert found["gamma"] == (1.0, 1.0)
    made = moved(found, image)
    assert made.mean() == pytest.approx(mean, abs=0.5)
    assert made.std() == pytest.approx(deviation, abs=0.5)


def test_no_draw_of_a_range_leaves_an_image_black() -> None:
    image = np.clip(np.random.default_rng(0).normal(110, 18, (64, 64)), 60, 160)
    training = {"brightness": Range(0, image.mean(), 0), "contrast": Range(0, image.std(), 0)}
    found = of_photometric({"brightness": Range(25, 45, 68), "contrast": Range(8, 14, 30)}, training)
    for end, mean in zip(found["brightness"], (25, 68), strict=True):
        made = moved({**found, "brightness": (end, end)}, image)
        assert made.mean() == pytest.approx(mean, abs=4)  # pixels below black are black


def test_moments_that_no_contrast_reaches_are_met_in_their_mean() -> None:
    image = np.clip(np.random.default_rng(0).normal(110, 18, (64, 64)), 60, 160)
    training = {"brightness": Range(0, image.mean(), 0), "contrast": Range(0, image.std(), 0)}
    found = of_photometric({"brightness": Range(200, 200, 200), "contrast": Range(3, 3, 3)}, training)
    assert moved(found, image).mean() == pytest.approx(200, abs=0.5)


def test_without_contrast_the_image_is_scaled_as_exposure_scales_it() -> None:
    found = of_photometric({"brightness": Range(20, 40, 60)}, {"brightness": Range(90, 100, 110)})
    assert found["brightness"] == pytest.approx((0.2, 0.6))
    assert found["contrast"] == (1.0, 1.0)


@pytest.mark.parametrize(
    ("low", "high", "asked"),
    [(2, 8, (-3, 13)), (-9, 0, (-5, 5)), (28, 40, (20, 30)), (-30, -20, (-5, 5)), (-4, 60, (-5, 30))],
)
def test_snrs_are_those_of_the_slice_and_five_decibels_more_within_minus_5_and_30(
    low: float, high: float, asked: tuple[float, float]
) -> None:
    (found,) = of_mix({"snr_est": Range(low, (low + high) / 2, high)}, {}).values()
    assert found == asked


def test_noise_that_is_added_and_noise_that_is_there_are_the_slices_together() -> None:
    (low, high) = of_grain({"noise": Range(2, 3, 5)}, {"noise": Range(1, 3, 4)})["sd"]
    assert low == 0.0
    assert np.hypot(high, 3) == pytest.approx(5)


def test_a_slice_of_short_clips_is_made_by_speaking_faster() -> None:
    low, high = of_speed({"seconds": Range(0.25, 0.4, 0.5)}, {"seconds": Range(0.3, 0.5, 0.9)})["factor"]
    assert (0.5 / low, 0.5 / high) == pytest.approx((0.5, 0.25))


@pytest.mark.parametrize("of", [of_mix, of_photometric, of_grain, of_speed])
def test_where_nothing_is_known_nothing_is_set(of: Callable[..., Any]) -> None:
    assert of({}, {}) == {}
