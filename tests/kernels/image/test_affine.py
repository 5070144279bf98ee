"""The affine map: torchvision's signs, exact quarter turns, and the formula in its docstring."""

import numpy as np
import pytest
import reference
import torch
from torchvision.transforms.functional import InterpolationMode, affine

from sliceforge.engine.build import build
from sliceforge.engine.keys import Keys
from sliceforge.engine.op import Shapes
from sliceforge.engine.picture import render
from sliceforge.engine.warps import composed
from sliceforge.kernels.image.affine import Affine, turn

STILL = {"rotate": 0.0, "scale": 1.0, "shear": 0.0, "translate_x": 0.0, "translate_y": 0.0}
OP = build(Affine, {}, "steps.affine")


def noise(height: int, width: int, channels: int = 1) -> np.ndarray:
    return np.random.default_rng(5).random((height, width, channels), np.float32)


def smooth(height: int, width: int) -> np.ndarray:
    y, x = np.mgrid[:height, :width]
    return (0.5 + 0.3 * np.sin(x / 11 + 0.3) * np.cos(y / 9))[..., None].astype(np.float32)


def warped(image: np.ndarray, **draws: float) -> np.ndarray:
    return render(image, [("affine", OP, STILL | draws)]).image


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (63, 100)])
def test_no_movement_changes_no_bit(shape: tuple[int, int]) -> None:
    image = noise(*shape, channels=3)
    assert np.array_equal(warped(image), image)


@pytest.mark.parametrize("turns", [-3, -1, 1, 2, 4])
def test_a_positive_quarter_turn_is_clockwise_and_exact(turns: int) -> None:
    image = noise(31, 31, 3)
    assert np.array_equal(warped(image, rotate=90.0 * turns), np.rot90(image, -turns))


def test_translating_by_a_whole_number_of_pixels_moves_right_and_down_exactly() -> None:
    image = noise(32, 64)
    moved = warped(image, translate_x=8 / 64, translate_y=4 / 32)
    assert np.array_equal(moved[4:, 8:], image[:-4, :-8])


@pytest.mark.parametrize(
    "draws",
    [
        {"rotate": 17.0},
        {"scale": 1.3},
        {"scale": 0.8, "rotate": -30.0},
        {"shear": 12.0},
        {"rotate": 25.0, "scale": 1.1, "shear": -9.0, "translate_x": 0.05, "translate_y": -0.1},
    ],
)
def test_signs_and_order_are_those_of_torchvision(draws: dict[str, float]) -> None:
    height, width = 60, 80
    image, full = smooth(height, width), STILL | draws
    theirs = affine(
        torch.from_numpy(image.transpose(2, 0, 1)),
        angle=full["rotate"],
        translate=[full["translate_x"] * width, full["translate_y"] * height],
        scale=full["scale"],
        shear=[full["shear"], 0.0],
        interpolation=InterpolationMode.BILINEAR,
    ).numpy()
    inside = affine(torch.ones(1, height, width), full["rotate"], [full["translate_x"] * width,
                    full["translate_y"] * height], full["scale"], [full["shear"], 0.0],
                    interpolation=InterpolationMode.BILINEAR).numpy()[0] > 0.999  # fmt: skip
    # Their grid is float32, so that a position is off by some 1e-5 pixels; the slope is at most 0.03 a pixel.
    assert np.abs(theirs[0] - warped(image, **draws)[..., 0])[inside].max() < 1e-5
    assert inside.mean() > 0.4


def test_the_matrix_undoes_the_documented_formula() -> None:
    draws = {"rotate": 33.0, "scale": 1.4, "shear": -20.0, "translate_x": 0.2, "translate_y": -0.3}
    cos, sin = np.cos(np.radians(33)), np.sin(np.radians(33))
    turned = np.array([[cos, -sin], [sin, cos]])
    sheared = np.array([[1, -np.tan(np.radians(-20))], [0, 1]])
    middle, shift = np.array([9.5, 14.5]), np.array([0.2 * 20, -0.3 * 30])
    point = np.array([3.0, 7.0])
    out = middle + shift + 1.4 * turned @ sheared @ (point - middle)
    assert np.allclose(OP.matrix(30, 20, **draws) @ [*out, 1], [*point, 1], atol=1e-12)


def test_an_enlarging_scale_enlarges() -> None:
    spot = np.zeros((41, 41, 1), np.float32)
    spot[18:23, 18:23] = 1
    assert warped(spot, scale=2.0).sum() == pytest.approx(4 * spot.sum(), rel=0.05)


def test_two_neighbouring_halves_are_one_whole() -> None:
    half = [("a", OP, STILL | {"rotate": 20.0}), ("b", OP, STILL | {"rotate": 20.0})]
    whole = [("c", OP, STILL | {"rotate": 40.0})]
    assert np.allclose(composed(half, 40, 50), composed(whole, 40, 50), atol=1e-12)


def test_draws_stay_in_their_bounds_and_depend_on_their_own_key_alone() -> None:
    ids, size = [f"i{n}" for n in range(40)], np.full(40, 64)
    shapes = Shapes(size, size, size, size)
    keys = Keys.of(3, ids).at("affine")
    columns = OP.draw(keys, shapes)
    assert set(columns) == set(STILL)
    assert 0.8 <= columns["scale"].min() < 0.9 < 1.1 < columns["scale"].max() <= 1.25
    alone = OP.draw(keys.take(np.array([17])), shapes.take(np.array([17])))
    assert all(columns[name][17] == alone[name][0] for name in columns)


def test_exact_at_quarter_turns_and_ordinary_between() -> None:
    assert [turn(90.0 * k) for k in range(4)] == [(1, 0), (0, 1), (-1, 0), (0, -1)]
    assert turn(137.0) == pytest.approx((np.cos(np.radians(137)), np.sin(np.radians(137))), abs=1e-15)


def test_the_engine_agrees_with_the_reference() -> None:
    steps = [("affine", OP, STILL | {"rotate": 7.0, "scale": 0.7, "translate_x": 0.4})]
    image = noise(33, 47, 3)
    assert np.abs(render(image, steps).image - reference.render(image, steps)[0]).max() < reference.ROUNDED
