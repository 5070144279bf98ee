"""A crack is a thin, dark, angular and unbroken line that runs where its plan says, and forks."""

from typing import Any

import marks
import numpy as np
import pytest
from scipy.ndimage import distance_transform_edt, label

from sliceforge.engine.build import build
from sliceforge.engine.errors import SettingError
from sliceforge.kernels.image.crack import Crack

OP = build(Crack, {}, "steps.crack")
PLAIN: dict[str, Any] = {
    "direction": 45.0, "angle": 0.0, "x": 0.5, "y": 0.5, "length": 0.6, "width": 2.0, "contrast": 40.0, "bend": 0.0,
    "wander": 0.0, "uneven": 0.0, "tip": 0.001, "branches": 0, "fork": 0.0, "fork_angle": 60.0, "fork_length": 0.3,
    "fork_2": 0.5, "fork_angle_2": -60.0, "fork_length_2": 0.3, "key": 123456789012345678,
}  # fmt: skip


@pytest.mark.parametrize("width", [1.0, 1.5, 2.0, 3.0])
def test_a_straight_one_darkens_as_many_pixels_as_it_is_wide(width: float) -> None:
    plan = PLAIN | {"width": width, "direction": 30.0, "length": 0.5}
    made = -marks.change(OP, plan)
    covered = made.sum() * 0.94 * (1 - 0.25 * np.clip(2 - width, 0, 1.5)) / 40
    assert covered / (0.5 * 128) == pytest.approx(width, rel=0.04)  # the ends of a line, and half a pixel's rounding


@pytest.mark.parametrize("direction", [0.0, 45.0, 100.0, 135.0])
def test_it_runs_where_its_direction_says(direction: float) -> None:
    rows, columns = np.nonzero(marks.change(OP, PLAIN | {"direction": direction, "wander": 3.0}))
    axis = np.linalg.svd(np.stack([columns, rows]) - np.c_[[columns.mean(), rows.mean()]], full_matrices=False)[0]
    found = np.degrees(np.arctan2(axis[1, 0], axis[0, 0]))
    assert abs((found - direction + 90) % 180 - 90) < 6  # kinks of 3 pixels on 77


def test_every_one_is_dark_thin_and_in_one_piece() -> None:
    for plan in marks.plans(OP, 30, 160, 160):
        made = marks.change(OP, plan, 160, 160)
        assert made.max() == 0
        assert label(made, np.ones((3, 3)))[1] == 1
        alone = marks.change(OP, plan | {"branches": 0}, 160, 160)
        assert distance_transform_edt(alone).max() <= plan["width"] / 2 + 1.5


def test_it_is_angular_and_wanders_from_its_chord_no_further_than_said() -> None:
    plan = PLAIN | {"wander": 5.0, "direction": 0.0, "length": 0.9}
    made = -marks.change(OP, plan, 200, 200)
    columns = np.arange(20, 180)
    path = (made[:, columns] * np.arange(200)[:, None]).sum(0) / made[:, columns].sum(0)
    assert np.abs(path - 99.5).max() <= 5 * 1.3 + 0.1
    assert np.ptp(path) > 4
    # Straight between kinks: where it bends at all, it does so in few places.
    bends = np.abs(np.diff(path, 2))
    assert np.median(bends) < 0.1 * bends.max()


def test_branches_leave_it_and_make_it_larger_but_no_second_piece() -> None:
    areas = []
    for branches in (0, 1, 2):
        made = marks.change(OP, PLAIN | {"branches": branches, "wander": 2.0})
        assert label(made, np.ones((3, 3)))[1] == 1
        areas.append(np.count_nonzero(made))
    assert areas[0] + 20 < areas[1]
    assert areas[1] + 20 < areas[2]


def test_tips_are_thinner_and_it_is_fainter_in_places() -> None:
    made = -marks.change(OP, PLAIN | {"direction": 0.0, "tip": 0.8, "width": 3.0})
    across = np.count_nonzero(made > 1, axis=0)
    assert across[28] < across[64]
    steady, uneven = (-marks.change(OP, PLAIN | {"direction": 0.0, "uneven": u})[63] for u in (0.0, 0.5))
    assert np.ptp(steady[30:98]) < 0.01
    assert np.ptp(uneven[30:98]) > 8


def test_nothing_is_made_darker_than_the_floor_nor_changed_that_is() -> None:
    op = build(Crack, {"floor": 100}, "steps.crack")
    made = marks.change(op, PLAIN, value=110 / 255)
    assert made.min() == pytest.approx(-10, abs=1e-3)
    assert not marks.change(op, PLAIN, value=90 / 255).any()


@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 7, 3), (40, 33, 1)])
def test_the_engine_agrees_with_the_reference(shape: tuple[int, int, int]) -> None:
    for plan in marks.plans(OP, 3, *shape[:2]):
        marks.agrees(OP, plan | {"branches": 2}, shape)


def test_a_width_out_of_bounds_is_refused_by_name() -> None:
    with pytest.raises(SettingError, match=r"steps\.crack\.width: .*pixels"):
        build(Crack, {"width": [0, 3]}, "steps.crack")
