"""A blur has the Gaussian's transfer function, no direction, and the same bytes in any batch."""

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter
from torchvision.transforms.functional import gaussian_blur

from sliceforge.engine.build import build
from sliceforge.kernels.image.blur import Blur

OP = build(Blur, {}, "steps.blur")


def blurred(image: np.ndarray, sigma: float) -> np.ndarray:
    batch = {"image": torch.from_numpy(image)[None, None]}
    return OP.apply(batch, sigma=torch.tensor([sigma]))["image"][0, 0].numpy()


@pytest.mark.parametrize("sigma", [0.8, 1.5, 4.0])
def test_its_transfer_function_is_the_gaussians(sigma: float) -> None:
    dot = np.zeros((129, 129), np.float32)
    dot[64, 64] = 1
    found = np.abs(np.fft.fft2(blurred(dot, sigma)))
    y, x = np.meshgrid(np.fft.fftfreq(129), np.fft.fftfreq(129), indexing="ij")
    # A sampled bell aliases: its own transfer function beyond half a turn comes back, at 0.8 most.
    assert np.abs(found - np.exp(-2 * (np.pi * sigma) ** 2 * (x**2 + y**2))).max() < (0.05 if sigma < 1 else 5e-4)
    assert found[0, 0] == pytest.approx(1, abs=1e-6)


def test_it_blurs_every_direction_alike() -> None:
    dot = np.zeros((41, 41), np.float32)
    dot[20, 20] = 1
    spot = blurred(dot, 2.0)
    assert np.array_equal(spot, spot.T)
    assert np.allclose(spot[20, 25], spot[23, 24], rtol=1e-3)  # both 5 pixels away


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (33, 50)])
@pytest.mark.parametrize("sigma", [0.5, 3.0])
def test_it_is_scipys_with_mirrored_borders_at_any_size(shape: tuple[int, int], sigma: float) -> None:
    image = np.random.default_rng(0).random(shape, np.float32)
    expected = gaussian_filter(image.astype(np.float64), sigma, mode="mirror", radius=int(np.ceil(4 * sigma)))
    assert np.allclose(blurred(image, sigma), expected, atol=1e-6)


def test_it_is_torchvisions() -> None:
    image = np.random.default_rng(0).random((40, 50), np.float32)
    theirs = gaussian_blur(torch.from_numpy(image)[None], [13, 13], [1.5, 1.5])[0].numpy()
    assert np.allclose(blurred(image, 1.5), theirs, atol=1e-6)


def test_no_sigma_changes_no_bit_and_the_input_stays() -> None:
    image = np.random.default_rng(0).random((20, 30), np.float32)
    kept = image.copy()
    assert np.array_equal(blurred(image, 0.0), image)
    blurred(image, 2.0)
    assert np.array_equal(image, kept)


@pytest.mark.parametrize("threads", [1, 2])
def test_batches_of_1_7_and_64_give_the_same_bytes(threads: int) -> None:
    images = torch.from_numpy(np.random.default_rng(0).random((64, 3, 31, 45), np.float32))
    sigma = torch.linspace(0, 3, 64)
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        made = {
            size: torch.cat(
                [OP.apply({"image": a}, sigma=b)["image"] for a, b in zip(images.split(size), sigma.split(size),
                                                                          strict=True)]
            )
            for size in (1, 7, 64)
        }  # fmt: skip
    finally:
        torch.set_num_threads(before)
    assert torch.equal(made[1], made[7])
    assert torch.equal(made[1], made[64])
