"""Light multiplies: a slope along its angle, corners that fall off, bands along theirs."""

from typing import Any

import numpy as np
import pytest
import reference

from sliceforge.engine.build import build
from sliceforge.engine.picture import render
from sliceforge.kernels.image.illumination import Illumination

OP = build(Illumination, {}, "steps.illumination")
STILL: dict[str, Any] = {
    "slope": 0.0, "angle": 0.0, "vignette": 0.0, "band": 0.0, "band_width": 10.0, "band_angle": 90.0, "key": 77,
}  # fmt: skip


def light(height: int = 61, width: int = 81, **draws: float) -> np.ndarray:
    grey = np.full((height, width, 1), 0.5, np.float32)
    return render(grey, [("i", OP, STILL | draws)]).image[..., 0].astype(np.float64) / 0.5


@pytest.mark.parametrize(("angle", "axis"), [(0.0, 1), (90.0, 0), (180.0, 1), (-90.0, 0)])
def test_a_slope_gains_what_it_says_from_one_side_to_the_other_and_nothing_across(angle: float, axis: int) -> None:
    found = light(slope=0.3, angle=angle)
    profile = found.mean(1 - axis)
    assert np.ptp(found, axis=1 - axis).max() < 1e-6
    assert profile[-1] - profile[0] == pytest.approx(0.3 * (-1 if angle in (180.0, -90.0) else 1), abs=1e-5)
    assert found.mean() == pytest.approx(1, abs=1e-6)
    assert np.abs(np.diff(profile, 2)).max() < 1e-6


def test_the_middle_keeps_its_light_and_the_corners_lose_theirs() -> None:
    found = light(vignette=0.4)
    assert found[30, 40] == found.max() == 1
    assert found[[0, 0, -1, -1], [0, -1, 0, -1]] == pytest.approx([0.6] * 4, abs=1e-6)
    rows, columns = np.mgrid[:61, :81]
    r = np.hypot(rows - 30, columns - 40) / 50
    assert np.allclose(found, 1 - 0.4 * r**2, atol=1e-6)


@pytest.mark.parametrize("angle", [0.0, 90.0])
def test_bands_run_along_their_angle_and_vary_across(angle: float) -> None:
    found = light(400, 400, band=0.1, band_angle=angle, band_width=8.0)
    along, across = (0, 1) if angle == 90 else (1, 0)
    assert np.ptp(found, axis=along).max() == 0
    profile = found.mean(along)
    assert 0.05 < np.abs(profile - 1).max() <= 0.1 + 1e-6
    # As wide as drawn: one new value every 8 pixels, so that most power lies below one turn in 16.
    power = np.abs(np.fft.rfft(profile - profile.mean())) ** 2
    assert power[: 400 // 16].sum() > 0.7 * power.sum()
    assert power[: 400 // 80].sum() < 0.7 * power.sum()
    assert across != along


def test_it_multiplies_and_so_leaves_black_black_and_contrast_in_proportion() -> None:
    image = np.random.default_rng(0).random((61, 81, 3), np.float32)
    draws = STILL | {"slope": 0.3, "angle": 33.0, "vignette": 0.2, "band": 0.05}
    made = render(image, [("i", OP, draws)]).image
    gain = light(slope=0.3, angle=33.0, vignette=0.2, band=0.05)
    assert np.allclose(made, image * gain[..., None], atol=1e-6)


def test_no_light_is_negative_and_still_light_changes_no_bit() -> None:
    assert light(slope=2.0, angle=20.0, vignette=1.0).min() >= -1e-6
    image = np.random.default_rng(0).random((9, 8, 3), np.float32)
    assert np.array_equal(render(image, [("i", OP, STILL)]).image, image)


@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 7, 3), (33, 50, 1)])
def test_the_engine_agrees_with_the_reference(shape: tuple[int, int, int]) -> None:
    image = np.random.default_rng(1).random(shape, np.float32)
    draws = {"slope": 0.3, "angle": 33.0, "vignette": 0.2, "band": 0.05, "band_angle": 70.0}
    steps = [("i", OP, STILL | draws)]
    assert np.abs(render(image, steps).image - reference.render(image, steps)[0]).max() < reference.ROUNDED
