"""A scar is a strip as long, as wide and as turned as asked, of pixels from elsewhere in the image."""

import math
from typing import Any

import numpy as np
import pytest

from sliceforge.engine.build import build
from sliceforge.kernels.image.scar import Scar

ROW = {
    "width": 8.0, "length": 24.0, "angle": 0.0, "x": 0.7, "y": 0.3, "source_x": 0.1, "source_y": 0.9,
    "brightness": 1.0, "contrast": 1.0, "saturation": 1.0, "hue": 0.0,
}  # fmt: skip


def op(**settings: Any) -> Scar:
    made: Scar = build(Scar, settings, "steps.scar")
    return made


def image(height: int, width: int, channels: int = 1) -> np.ndarray:
    return np.random.default_rng(7).uniform(0.2, 0.8, (height, width, channels)).astype(np.float32)


def test_upright_it_is_a_block_of_pixels_from_elsewhere() -> None:
    parent = image(256, 300)
    out, mask = op(label_above=0.001).laid(parent, None, ROW)
    down, right = np.nonzero(mask)
    assert (np.ptp(down) + 1, np.ptp(right) + 1, mask.sum()) == (24, 8, 192)
    block = out[mask].reshape(24, 8)
    starts = np.argwhere(parent[..., 0] == block[0, 0])
    assert any(np.array_equal(parent[y : y + 24, x : x + 8, 0], block) for y, x in starts)
    assert (out[~mask] == parent[~mask]).all()


@pytest.mark.parametrize("size", [(256, 256), (512, 700)])
@pytest.mark.parametrize("angle", [-45.0, -20.0, 30.0])
def test_it_is_as_long_as_wide_and_as_turned_as_asked(size: tuple[int, int], angle: float) -> None:
    _, mask = op(label_above=0.001).laid(image(*size), None, ROW | {"angle": angle})
    side = min(size) / 256
    assert mask.sum() == pytest.approx(8 * 24 * side**2, rel=0.06)
    down, right = np.nonzero(mask)
    values, vectors = np.linalg.eigh(np.cov(right, down))
    # A uniform strip of length l has a variance of l²/12.
    np.testing.assert_allclose(np.sqrt(12 * values), [8 * side, 24 * side], rtol=0.05)
    # Clockwise from upright: the upper end goes right where y points down.
    turned = math.degrees(math.atan2(vectors[0, 1], -vectors[1, 1]))
    assert abs((turned - angle + 90) % 180 - 90) < 3


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (5, 3), (33, 31)])
def test_it_fits_images_of_any_size(size: tuple[int, int]) -> None:
    for angle in (-45.0, 0.0, 45.0):
        out, mask = op().laid(image(*size, 4), None, ROW | {"angle": angle, "length": 200.0})
        assert out.shape == (*size, 4)
        assert np.isfinite(out).all()
        assert min(size) < 3 or mask.any()
