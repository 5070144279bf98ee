"""An elastic map is smooth, bounded and one-to-one; it moves, and neither tears nor folds."""

from typing import Any

import numpy as np
import pytest
import reference
from scipy.interpolate import BSpline
from scipy.ndimage import label

from sliceforge.engine.build import build
from sliceforge.engine.errors import SettingError
from sliceforge.engine.keys import Keys
from sliceforge.engine.op import Shapes
from sliceforge.engine.picture import render
from sliceforge.engine.warps import composed, places
from sliceforge.kernels.image.elastic import Elastic, elastic_shift
from sliceforge.kernels.noise import lattice, pieces

OP = build(Elastic, {}, "steps.elastic")
FULL: dict[str, Any] = {"spacing": 0.2, "amount": 0.24, "key": 12345678901234}
SHAPES = [(1, 1), (1, 40), (37, 64), (100, 100)]


def displacement(height: int, width: int, draws: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    x, y = places(composed([("e", OP, draws)], height, width), height, width)
    rows, columns = np.mgrid[:height, :width]
    return x - columns, y - rows


def keys(count: int) -> list[int]:
    return [int(key) for key in Keys.of(5, [str(i) for i in range(count)]).field()]


@pytest.mark.parametrize("spacing", [0.02, 0.08, 0.2, 1.0])
def test_no_slope_reaches_a_half_and_the_jacobian_stays_positive(spacing: float) -> None:
    for key in keys(12):
        row = OP.row(101, 120, **FULL | {"spacing": spacing, "key": key})
        # A hundred places between two pixels as well, and beyond the image.
        x = np.linspace(-20, 140, 300)
        y = np.linspace(-7, 110, 300)
        step = 0.25
        for px, py in zip(x, y, strict=True):
            here = np.array(elastic_shift(px, py, row), np.float64)
            dx = (np.array(elastic_shift(px + step, py, row)) - here) / step
            dy = (np.array(elastic_shift(px, py + step, row)) - here) / step
            assert max(np.abs(dx).max(), np.abs(dy).max()) < 0.5
            assert np.linalg.det(np.eye(2) + np.stack([dx, dy], axis=1)) > 0


def test_neighbours_never_change_places() -> None:
    for key in keys(30):
        dx, dy = displacement(128, 96, FULL | {"key": key})
        assert (1 + np.diff(dx, axis=1)).min() > 0.5
        assert (1 + np.diff(dy, axis=0)).min() > 0.5


def test_what_hangs_together_stays_together_and_what_is_apart_stays_apart() -> None:
    mask = np.zeros((120, 120), bool)
    mask[20:100, 20:40] = mask[20:100, 80:100] = mask[50:60, 20:100] = True  # an H
    mask[56:64, 104:116] = True  # 4 pixels beside it
    for key in keys(30):
        made = render(np.zeros((120, 120, 1), np.float32), [("e", OP, FULL | {"key": key})], {"m": mask})
        inside = np.pad(made.masks["m"], 1)
        assert label(inside)[1] == 2
        assert label(~inside, np.ones((3, 3)))[1] == 1


def test_it_moves_as_far_as_it_says() -> None:
    moved = [displacement(200, 200, FULL | {"key": key}) for key in keys(40)]
    pixels = 0.24 * 0.2 * 200
    assert np.abs(moved).max() <= pixels
    assert np.sqrt(np.mean(np.square(moved))) == pytest.approx(0.27 * pixels, rel=0.1)
    assert np.abs(np.mean(moved)) < 0.1 * pixels


def test_it_is_the_cubic_b_spline_of_its_control_points() -> None:
    height, width = 50, 70
    spacing, (rows, columns) = np.float32(0.2 * 50), (8, 10)
    points = [[[lattice(2 * j + axis, i, *pieces(FULL["key"])) for axis in (0, 1)] for j in range(columns)] for i in
              range(rows)]  # fmt: skip
    table = np.array(points, np.float64) * 0.24 * spacing
    knots = np.arange(-3, 30)
    bases = [
        np.stack([BSpline.basis_element(knots[k : k + 5])(np.arange(side) / spacing) for k in range(count)])
        * np.stack([np.abs(np.arange(side) / spacing - (k - 1)) < 2 for k in range(count)])
        for side, count in ((height, rows), (width, columns))
    ]
    expected = np.einsum("iy,jx,ijk->kyx", *bases, table)
    assert np.allclose(displacement(height, width, FULL), expected, atol=2e-6 * spacing)


def test_no_amount_changes_no_bit() -> None:
    image = np.random.default_rng(1).random((33, 20, 3), np.float32)
    assert np.array_equal(render(image, [("e", OP, FULL | {"amount": 0.0})]).image, image)


@pytest.mark.parametrize("shape", SHAPES)
def test_the_engine_agrees_with_the_reference(shape: tuple[int, int]) -> None:
    image, mask = np.random.default_rng(1).random((*shape, 3), np.float32), np.zeros(shape, bool)
    mask[: shape[0] // 2 + 1, : shape[1] // 2 + 1] = True
    steps = [("e", OP, FULL)]
    made, (expected, _, moved) = render(image, steps, {"m": mask}), reference.render(image, steps, mask)
    assert np.abs(made.image - expected).max() < reference.ROUNDED
    assert np.array_equal(made.masks["m"], moved)


def test_every_bit_of_the_key_counts() -> None:
    base = displacement(40, 40, FULL | {"key": 0})
    assert all(not np.array_equal(base, displacement(40, 40, FULL | {"key": 1 << bit})) for bit in range(63))


def test_an_amount_that_could_fold_is_refused_by_name() -> None:
    with pytest.raises(SettingError, match=r"steps\.e\.amount: .*0\.24"):
        build(Elastic, {"amount": 0.3}, "steps.e")


def test_a_row_depends_on_its_own_key_alone() -> None:
    size = np.full(30, 64)
    many = Keys.of(3, [str(i) for i in range(30)])
    whole = OP.draw(many, Shapes(size, size, size, size))
    some = OP.draw(many.take(np.array([17])), Shapes(size[:1], size[:1], size[:1], size[:1]))
    assert set(whole) == set(FULL)
    assert all(whole[name][17] == some[name][0] for name in whole)
