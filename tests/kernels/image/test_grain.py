"""Grain is Gaussian to four standard deviations, white, of its key alone, and as strong as drawn."""

import numpy as np
import pytest
import reference
from scipy import stats

from sliceforge.engine import scene
from sliceforge.engine.build import build
from sliceforge.engine.keys import Keys
from sliceforge.engine.parse import from_config
from sliceforge.engine.picture import render
from sliceforge.kernels.image.grain import Grain

OP = build(Grain, {}, "steps.grain")
KEYS = [int(key) for key in Keys.of(2, [f"i{n}" for n in range(4)]).field()]


def field(key: int, height: int = 500, width: int = 600, sd: float = 255.0) -> np.ndarray:
    still = np.zeros((height, width, 1), np.float32)
    return render(still, [("g", OP, {"sd": sd, "key": key})]).image[..., 0].astype(np.float64)


@pytest.fixture(scope="module")
def many() -> np.ndarray:
    """Sixteen fields of other keys and images of 500 × 600: 4.8 million values."""
    keys = Keys.of(8, [f"grain {n}" for n in range(16)]).field()
    return np.stack([field(int(key)) for key in keys])


def test_it_is_gaussian_by_kolmogorov_and_smirnov(many: np.ndarray) -> None:
    # At 4.8 million values a distance of 7e-4 has a probability of a hundredth.
    assert stats.kstest(many.ravel(), "norm").pvalue > 0.01
    for one in many:
        assert stats.kstest(one.ravel(), "norm").pvalue > 1e-4


@pytest.mark.parametrize("limit", [1, 2, 3, 3.5, 4, 4.5])
def test_its_tails_hold_as_many_values_as_they_should_on_either_side(many: np.ndarray, limit: float) -> None:
    expected = stats.norm.sf(limit) * many.size
    spread = 4 * np.sqrt(expected * (1 - stats.norm.sf(limit)))
    assert abs(np.count_nonzero(many > limit) - expected) < spread
    assert abs(np.count_nonzero(many < -limit) - expected) < spread


def test_its_first_four_moments_are_those_of_a_normal_number(many: np.ndarray) -> None:
    # Standard errors of the moments of n normal numbers: 1, 2, 15 and 96, each over n and under a root.
    for power, moment, variance in ((1, 0, 1), (2, 1, 2), (3, 0, 15), (4, 3, 96)):
        assert abs((many**power).mean() - moment) < 4.5 * np.sqrt(variance / many.size)


def test_it_does_not_end_before_five_standard_deviations(many: np.ndarray) -> None:
    assert np.abs(many).max() > 4.9  # a sum of a few uniforms, or a table, ends before


def test_neither_values_nor_their_squares_tell_of_a_neighbour_a_row_or_another_item(many: np.ndarray) -> None:
    # Squares as well: noise whose strength wanders, or a pair that shares a radius, has no correlation of its own.
    for values in (many, (many**2 - 1) / np.sqrt(2)):
        for shift in (*((0, 0, x) for x in (1, 2, 3, 8, 16)), (0, 1, 0), (0, 1, 1), (0, 1, -1), (0, 2, 0), (1, 0, 0)):
            products = values * np.roll(values, shift, (0, 1, 2))
            assert abs(products.mean()) < 5 * products.std() / np.sqrt(products.size), shift


def test_the_rows_of_a_field_are_no_row_moved_along(many: np.ndarray) -> None:
    # Two rows that were one sequence from different places would match whole at some shift.
    spectra = np.fft.rfft(many[0], axis=1)
    width = many.shape[2]
    for gap in (1, 2, 3, 64, 255):
        matched = np.fft.irfft(spectra[gap:] * spectra[:-gap].conj(), n=width, axis=1) / width
        assert np.abs(matched).max() < 7 / np.sqrt(width)


def test_its_spectrum_is_flat() -> None:
    noise = field(KEYS[0], 512, 512)
    power = np.abs(np.fft.fft2(noise)) ** 2 / noise.size
    y, x = np.meshgrid(np.fft.fftfreq(512), np.fft.fftfreq(512), indexing="ij")
    rings = np.digitize(np.hypot(y, x), np.linspace(0, 0.7, 15)) - 1
    for ring in range(14):
        inside = power[rings == ring]
        assert inside.mean() == pytest.approx(1, abs=5 / np.sqrt(len(inside)))
    # The power of one line of frequencies is exponential: none stands out.
    assert power.max() < np.log(noise.size) + 8


def test_neighbours_and_items_are_unrelated() -> None:
    noise = field(KEYS[0])
    limit = 5 / np.sqrt(noise.size)
    for dy, dx in ((0, 1), (1, 0), (1, 1), (1, -1), (0, 2), (64, 0), (0, 64)):
        assert abs((noise * np.roll(noise, (dy, dx), (0, 1))).mean()) < limit
    for other in (KEYS[1], KEYS[0] ^ 1, KEYS[0] ^ 1 << 21, KEYS[0] ^ 1 << 62):
        assert abs((noise * field(other)).mean()) < limit


@pytest.mark.parametrize("sd", [0.0, 1.0, 12.0])
def test_its_strength_is_in_grey_levels(sd: float) -> None:
    assert 255 * field(KEYS[0], sd=sd).std() == pytest.approx(sd, rel=0.01)


def test_all_channels_get_the_same_and_no_position_shifts() -> None:
    image = np.random.default_rng(0).random((20, 30, 3), np.float32)
    made = render(image, [("g", OP, {"sd": 9.0, "key": KEYS[1]})]).image - image
    assert np.allclose(made[..., 0], made[..., 2], atol=1e-6)
    assert np.allclose(made[..., 0], field(KEYS[1], 20, 30, 9.0), atol=1e-6)


def test_sixteen_bits_get_finer_steps_than_eight() -> None:
    recipe = from_config({"kind": "image", "steps": {"g": {"op": "image/grain"}}})
    pixels = np.full((64, 64, 1), 30000, np.uint16)
    made = scene.make(recipe, pixels, {"g.sd": 0.3, "g.key": KEYS[0]})
    assert len(np.unique(made.item)) > 200


@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 7, 3), (33, 50, 1)])
def test_the_engine_agrees_with_the_reference(shape: tuple[int, int, int]) -> None:
    image, steps = np.random.default_rng(1).random(shape, np.float32), [("g", OP, {"sd": 5.0, "key": KEYS[3]})]
    assert np.abs(render(image, steps).image - reference.render(image, steps)[0]).max() < reference.ROUNDED
