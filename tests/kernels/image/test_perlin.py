"""DRAEM's anomalies: another texture exactly where Perlin's noise exceeds the threshold."""

from typing import Any

import numpy as np
import pytest
from scipy import ndimage

from sliceforge.engine.build import build
from sliceforge.engine.donors import Donor
from sliceforge.engine.keys import Keys
from sliceforge.engine.op import Inventory, Shapes
from sliceforge.kernels.image.perlin import Perlin, noise_cpu
from sliceforge.kernels.noise import pieces

ROW = {
    "scale_x": 3, "scale_y": 2, "slant": 0.0, "threshold": 0.5, "beta": 0.25, "turn": 90.0, "brightness": 1.0,
    "contrast": 1.0, "saturation": 1.0, "hue": 0.0, "key": 123456789012345678,
}  # fmt: skip


def op(**settings: Any) -> Perlin:
    made: Perlin = build(Perlin, settings, "steps.perlin")
    return made


def noise(height: int, width: int, across: float, down: float, slant: float = 0.0, key: int = 77) -> np.ndarray:
    out = np.empty((height, width), np.float32)
    cos, sin = np.cos(np.radians(slant)), np.sin(np.radians(slant))
    frame = np.array([cos, sin, across / width, down / height], np.float32)
    noise_cpu(frame, 0, np.array(pieces(key)), out)
    return out


def picture(level: float, channels: int = 1) -> Donor:
    none = np.zeros((40, 30), bool)
    return Donor(np.full((40, 30, channels), level, np.float32), none, none, np.zeros((40, 30, channels), np.float32))


def test_the_noise_has_as_many_cells_as_asked_and_is_zero_at_their_corners() -> None:
    field = noise(128, 256, 8, 4)
    np.testing.assert_allclose(field[::32, ::32], 0, atol=1e-6)
    assert 0.5 < np.abs(field).max() < 1.6
    assert np.abs(np.diff(field, axis=1)).max() < 0.2
    # Between corners nothing is smaller than a cell: no wave has more than two zeros in each.
    assert (np.diff(np.sign(field[16])) != 0).sum() <= 3 * 8


def test_a_slant_turns_the_noise() -> None:
    upright, turned = noise(129, 129, 4, 4), noise(129, 129, 4, 4, 90.0)
    np.testing.assert_allclose(turned, np.rot90(upright, -1), atol=1e-4)


def test_the_texture_lies_where_the_noise_is_high_and_the_image_shines_through() -> None:
    image = np.random.default_rng(0).uniform(0.3, 0.5, (100, 120, 1)).astype(np.float32)
    out, mask = op().laid(image, picture(0.9), ROW)
    field = np.empty((100, 120), np.float32)
    noise_cpu(np.array([1, 0, 8 / 120, 4 / 100], np.float32), 0, np.array(pieces(ROW["key"])), field)
    assert np.array_equal(mask, field > 0.5)
    assert 0.005 < mask.mean() < 0.3
    np.testing.assert_allclose(out[mask], 0.25 * image[mask] + 0.75 * 0.9, atol=1e-6)
    assert (out[~mask] == image[~mask]).all()


def test_without_a_bank_the_image_is_its_own_texture_turned() -> None:
    image = np.random.default_rng(0).uniform(0.2, 0.8, (64, 64, 3)).astype(np.float32)
    out, mask = op().laid(image, None, ROW | {"beta": 0.0})
    np.testing.assert_allclose(out[mask], np.rot90(image, -1)[mask], atol=1e-5)


def test_blobs_cover_what_they_must_and_a_draw_has_its_bank_and_key() -> None:
    shares = [op().blobs(100, 120, ROW | {"scale_x": 0, "scale_y": 0, "key": key}).mean() for key in range(1, 60)]
    assert min(shares) >= 0.002
    bank = Inventory(["a", "b"], np.zeros(0), [None] * 2, ["plain", ""])
    sizes = np.full(80, 100)
    plan = op().draw(
        Keys.of(3, [str(i) for i in range(80)]), Shapes(0 * sizes, 0 * sizes, sizes, sizes, {"sources": bank})
    )
    assert set(plan["item"]) == {"a", "b"}
    assert len(set(plan["key"].tolist())) == 80
    assert set(plan["scale_x"].tolist()) == set(range(6))


@pytest.mark.parametrize(("own", "channels"), [(1, 3), (3, 1), (3, 4)])
def test_grey_and_colour_meet_and_alpha_is_left(own: int, channels: int) -> None:
    image = np.random.default_rng(0).uniform(0.2, 0.8, (64, 64, channels)).astype(np.float32)
    out, mask = op().laid(image, picture(0.5, own), ROW)
    assert ndimage.label(mask)[1] > 1
    assert channels < 4 or (out[..., 3] == image[..., 3]).all()
