"""Motion smears along its angle and nowhere else, as far as its length."""

import numpy as np
import pytest
import torch

from sliceforge.engine.build import build
from sliceforge.kernels.image.motion import Motion, line

OP = build(Motion, {}, "steps.motion")


def smeared(image: np.ndarray, length: float, angle: float) -> np.ndarray:
    batch = {"image": torch.from_numpy(image)[None, None]}
    return OP.apply(batch, length=torch.tensor([length]), angle=torch.tensor([angle]))["image"][0, 0].numpy()


@pytest.mark.parametrize("length", [3.0, 7.0, 15.0])
def test_stripes_along_it_stay_and_stripes_across_it_fade(length: float) -> None:
    stripes = np.repeat(np.random.default_rng(0).random((1, 90), np.float32), 80, axis=0)
    assert np.allclose(smeared(stripes, length, 90.0), stripes, atol=1e-6)
    assert np.allclose(smeared(stripes.T.copy(), length, 0.0), stripes.T, atol=1e-6)
    assert smeared(stripes, length, 0.0).std() < 0.7 * stripes.std()


def test_across_its_transfer_function_is_the_box_of_its_length() -> None:
    dot = np.zeros((65, 65), np.float32)
    dot[32, 32] = 1
    found = np.fft.fft2(np.fft.ifftshift(smeared(dot, 9.0, 0.0))).real
    f = np.fft.fftfreq(65)[1:]
    expected = np.sin(np.pi * f * 9) / (9 * np.sin(np.pi * f))
    assert np.allclose(found[0, 1:], expected, atol=1e-5)
    assert np.allclose(np.ptp(found, axis=0), 0, atol=1e-5)


@pytest.mark.parametrize("angle", [0.0, 17.0, 45.0, 90.0, -60.0, 135.0])
def test_its_spread_is_that_of_a_line_at_that_angle(angle: float) -> None:
    shares = line(21.0, angle)
    y, x = np.mgrid[: len(shares), : len(shares)] - len(shares) // 2
    cos, sin = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    along, across = x * cos + y * sin, y * cos - x * sin
    assert shares.sum() == pytest.approx(1)
    assert (shares * along).sum() == pytest.approx(0, abs=1e-9)
    # A line of length L has the variance L²/12; whole pixels are off by their own 1/12 and by a stair's uneven steps.
    assert (shares * along**2).sum() == pytest.approx(21**2 / 12, rel=0.01)
    assert (shares * across**2).sum() < 0.1
    assert np.abs(across[shares > 0]).max() < np.sqrt(0.5) + 1e-9


def test_the_angle_turns_from_x_towards_y_down() -> None:
    shares = line(11.0, 30.0)
    rows, columns = np.nonzero(shares)
    assert np.polyfit(columns, rows, 1)[0] == pytest.approx(np.tan(np.radians(30)), abs=0.08)


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (30, 41)])
def test_up_to_a_pixel_changes_nothing_and_brightness_stays_at_any_size(shape: tuple[int, int]) -> None:
    image = np.random.default_rng(0).random(shape, np.float32)
    assert np.allclose(smeared(image, 1.0, 33.0), image, atol=1e-6)
    assert np.allclose(smeared(np.full(shape, 0.5, np.float32), 13.0, 33.0), 0.5, atol=1e-6)


def test_batches_of_1_7_and_64_give_the_same_bytes() -> None:
    images = torch.from_numpy(np.random.default_rng(0).random((64, 3, 21, 25), np.float32))
    length, angle = torch.linspace(0, 12, 64), torch.linspace(-90, 90, 64)
    whole = OP.apply({"image": images}, length=length, angle=angle)["image"]
    for size in (1, 7):
        parts = zip(images.split(size), length.split(size), angle.split(size), strict=True)
        assert torch.equal(torch.cat([OP.apply({"image": a}, length=b, angle=c)["image"] for a, b, c in parts]), whole)
