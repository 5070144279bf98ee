"""CutPaste: a rectangle as large as asked, of pixels that stand elsewhere in the same image."""

from typing import Any

import numpy as np
import pytest

from sliceforge.engine.build import build
from sliceforge.kernels.image.cutpaste import Cutpaste
from sliceforge.kernels.layers import jittered
from sliceforge.kernels.placing import extents

ROW = {
    "area": 0.08, "aspect": 1.5, "x": 0.9, "y": 0.8, "source_x": 0.1, "source_y": 0.05, "brightness": 1.0,
    "contrast": 1.0, "saturation": 1.0, "hue": 0.0,
}  # fmt: skip


def op(**settings: Any) -> Cutpaste:
    made: Cutpaste = build(Cutpaste, settings, "steps.cutpaste")
    return made


def image(height: int = 63, width: int = 100, channels: int = 1) -> np.ndarray:
    """Every pixel's value tells where it stands."""
    values = 0.2 + 0.6 * np.arange(height * width, dtype=np.float32) / (height * width)
    return np.repeat(values.reshape(height, width, 1), channels, axis=2)


def test_every_pixel_is_one_of_elsewhere_and_they_keep_their_order() -> None:
    parent = image()
    out, mask = op(label_above=0.01).laid(parent, None, ROW)
    down, right = np.nonzero(mask)
    height, width = np.ptp(down) + 1, np.ptp(right) + 1
    assert mask.sum() == height * width == pytest.approx(0.08 * 6300, rel=0.03)
    assert width / height == pytest.approx(1.5, rel=0.1)
    origin = np.rint((out[mask][:, 0] - 0.2) / 0.6 * 6300).astype(int)
    np.testing.assert_array_equal(np.diff(np.divmod(origin, 100)[0]), np.diff(down))
    np.testing.assert_array_equal(np.diff(np.divmod(origin, 100)[1]), np.diff(right))
    assert (out[mask] == parent.reshape(-1, 1)[origin]).all()
    assert (out[~mask] == parent[~mask]).all()


@pytest.mark.parametrize("size", [(20, 20), (64, 48), (256, 1600), (1, 7), (1, 1)])
@pytest.mark.parametrize("aspect", [0.3, 1.0, 3.3])
def test_the_area_is_kept_where_a_side_does_not_fit(size: tuple[int, int], aspect: float) -> None:
    for area in (0.02, 0.15):
        tall, wide = extents(area * size[0] * size[1], aspect, *size)
        assert 1 <= tall <= size[0]
        assert 1 <= wide <= size[1]
        if min(size) > 19:
            assert tall * wide == pytest.approx(area * size[0] * size[1], rel=0.1 if min(size) > 20 else 0.25)


def test_it_comes_from_at_least_half_its_extent_away() -> None:
    for n in range(20):
        place = {"x": n / 20, "y": 0.5, "source_x": n / 20, "source_y": 0.5}
        out, mask = op(label_above=0.01).laid(image(), None, ROW | place)
        origin = np.rint((out[mask][0, 0] - 0.2) / 0.6 * 6300).astype(int)
        down, right = np.nonzero(mask)
        away = abs(origin // 100 - down[0]) / np.ptp(down), abs(origin % 100 - right[0]) / np.ptp(right)
        assert max(away) >= 0.49


def test_jitter_is_what_it_says() -> None:
    generator = np.random.default_rng(0)
    grey, colour = generator.uniform(0.3, 0.6, (9, 8, 1)), generator.uniform(0.3, 0.6, (9, 8, 3))
    np.testing.assert_allclose(jittered(grey, 1.1, 1.0), 1.1 * grey)
    varied = jittered(grey, 1.0, 0.9)
    assert varied.mean() == pytest.approx(grey.mean())
    assert varied.std() == pytest.approx(0.9 * grey.std())
    np.testing.assert_allclose(jittered(grey, 1.0, 1.0, 0.5, 0.3), grey)
    luma = np.array([0.299, 0.587, 0.114])
    np.testing.assert_allclose(jittered(colour, 1.0, 1.0, 0.9, 0.1) @ luma, colour @ luma, atol=1e-9)
    np.testing.assert_allclose(jittered(colour, 1.0, 1.0, 1.0, 1.0), colour, atol=1e-9)
    still = jittered(colour, 1.0, 1.0, 0.0)
    np.testing.assert_allclose(still, np.repeat((colour @ luma)[..., None], 3, axis=2))


def test_alpha_is_left() -> None:
    parent = image(channels=4)
    out, mask = op().laid(parent, None, ROW)
    assert mask.any()
    assert (out[..., 3] == parent[..., 3]).all()
    assert (out[..., :3] != parent[..., :3]).any()
