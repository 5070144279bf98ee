"""Each attribute of an image is what it was made with, at odd sizes, in 8 and 16 bits, grey and colour."""

import math

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from sliceforge.engine.build import build
from sliceforge.engine.loop.rows.attributes import known, of_item
from sliceforge.engine.picture import quantise, render
from sliceforge.kernels.image.illumination import Illumination
from sliceforge.kernels.seen import Seen

SIZES = [(63, 100), (101, 64), (200, 31)]


def of(name: str, image: np.ndarray, mask: np.ndarray | None = None) -> float:
    (value,) = of_item("image", Seen(deep(image), mask), [name])
    assert value is not None
    return value


def deep(image: np.ndarray) -> np.ndarray:
    """(H, W) grey levels of 255 as (H, W, 1) uint16, whose steps are finer."""
    return np.rint(np.clip(image, 0, 255) * 257).astype(np.uint16)[..., None]


def grain(height: int, width: int, sd: float) -> np.ndarray:
    return np.random.default_rng(height * width).normal(128, sd, (height, width))


@pytest.mark.parametrize("size", SIZES)
def test_brightness_contrast_and_noise_are_those_that_were_put_in(size: tuple[int, int]) -> None:
    image = grain(*size, 10)
    assert of("brightness", image) == pytest.approx(128, abs=0.5)
    assert of("contrast", image) == pytest.approx(10, rel=0.05)
    assert of("noise", image) == pytest.approx(10, rel=0.05)
    ramp = np.add.outer(np.arange(size[0]) * 0.3, np.arange(size[1]) * 0.5) - 60
    assert of("noise", image + ramp) == pytest.approx(of("noise", image), abs=0.01)  # it does not see a slope


@pytest.mark.parametrize("size", SIZES)
def test_sharpness_is_the_laplacians_share_of_the_contrast(size: tuple[int, int]) -> None:
    assert of("sharpness", grain(*size, 12)) == pytest.approx(10 * math.log10(20), abs=0.5)
    turn = 2 * np.pi * 8 / size[1]
    wave = 128 + 60 * np.sin(turn * (np.arange(size[1]) + 0.5)) + np.zeros((size[0], 1))
    expected = 20 * math.log10(2 - 2 * math.cos(turn))
    assert of("sharpness", wave) == pytest.approx(expected, abs=0.5)
    assert of("sharpness", 128 + (wave - 128) / 5) == pytest.approx(expected, abs=0.5)  # dim, and as sharp


def test_sharpness_falls_with_every_blur() -> None:
    image = 128 + 300 * gaussian_filter(np.random.default_rng(1).normal(0, 1, (97, 120)), 2)
    found = [of("sharpness", gaussian_filter(image, sigma)) for sigma in (0, 0.5, 1, 2, 4)]
    assert (np.diff(found) < -0.3).all()


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(("slope", "angle"), [(0.3, 0), (0.3, 90), (0.2, 37), (0.4, -120), (0.0, 0)])
def test_the_gradient_is_the_slope_of_the_light(size: tuple[int, int], slope: float, angle: float) -> None:
    image = lit(size, slope=slope, angle=angle, vignette=0, band=0)
    assert of("gradient", image) == pytest.approx(slope, abs=0.01)
    assert of("vignette", image) == pytest.approx(0, abs=0.01)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("vignette", [0.0, 0.1, 0.5])
def test_the_vignette_is_what_the_corners_lose(size: tuple[int, int], vignette: float) -> None:
    image = lit(size, slope=0, angle=0, vignette=vignette, band=0)
    assert of("vignette", image) == pytest.approx(vignette, abs=0.02)
    assert of("gradient", image) == pytest.approx(0, abs=0.01)


def lit(size: tuple[int, int], **plan: float) -> np.ndarray:
    """Grain in the light of `image/illumination`, (H, W) grey levels."""
    op = build(Illumination, {}, "steps.light")
    rest = {"band_width": 10.0, "band_angle": 90.0, "key": np.uint64(0)}
    image = (grain(*size, 2) / 255).astype(np.float32)[..., None]
    made = render(image, [("light", op, {**rest, **plan})])
    return 255 * made.image[..., 0]


@pytest.mark.parametrize("angle", [0, 20, 90, 135, 170])
def test_the_grain_runs_as_it_was_drawn(angle: float) -> None:
    y, x = np.mgrid[:91, :120]
    across = -x * math.sin(math.radians(angle)) + y * math.cos(math.radians(angle))
    stripes = 128 + 50 * np.sin(across * 0.7) + grain(91, 120, 2) - 128
    found = of("grain_angle", stripes)
    assert (found - angle + 90) % 180 - 90 == pytest.approx(0, abs=2)
    assert of("anisotropy", stripes) > 0.9


def test_grain_without_a_direction_has_none() -> None:
    image = grain(201, 200, 10)
    assert of("anisotropy", image) < 0.05
    assert of_item("image", Seen(deep(image)), ["grain_angle"]) == [None]


def test_shares_and_sizes_are_counted() -> None:
    image = np.full((20, 50), 128.0)
    image[:5], image[5:7] = 10, 250
    mask = np.zeros((20, 50), bool)
    mask[:3, :10] = True
    for name, value in {"dark_share": 0.25, "bright_share": 0.1, "height": 20, "width": 50, "mask_share": 0.03}.items():
        assert of(name, image, mask) == pytest.approx(value)


def test_eight_bits_and_colours_measure_as_grey_in_sixteen() -> None:
    eight = quantise(grain(65, 64, 20)[..., None] / 255, np.uint8)
    images = [eight, eight.astype(np.uint16) * np.uint16(257), np.repeat(eight, 3, axis=2)]
    names = list(known("image"))
    rows = [of_item("image", Seen(image), names) for image in images]
    for name, *values in zip(names, *rows, strict=True):
        assert values[0] is None or values == pytest.approx([values[0]] * 3), name


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (2, 2), (3, 3), (3, 200), (40, 37)])
@pytest.mark.parametrize("level", [0, 7, 255])
def test_a_constant_image_has_finite_numbers_or_none(size: tuple[int, int], level: int) -> None:
    names = list(known("image"))
    image = np.full((*size, 3), level, np.uint8)
    found = dict(zip(names, of_item("image", Seen(image), names), strict=True))
    assert all(value is None or math.isfinite(value) for value in found.values())
    assert found["brightness"] == level
    assert found["contrast"] == 0
    assert found["sharpness"] is found["grain_angle"] is found["anisotropy"] is found["mask_share"] is None
    if level and min(size) > 2:
        assert found["gradient"] == pytest.approx(0, abs=1e-9)
        assert found["vignette"] == pytest.approx(0, abs=1e-9)
