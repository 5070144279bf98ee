"""A scratch is a line with a core, shoulders and tips, where and as wide as its plan says."""

from typing import Any

import numpy as np
import pytest
import reference

from sliceforge.engine.build import build
from sliceforge.engine.errors import SettingError
from sliceforge.engine.keys import Keys
from sliceforge.engine.op import Shapes
from sliceforge.engine.picture import render
from sliceforge.kernels.image.scratch import Scratch

OP = build(Scratch, {}, "steps.scratch")
PLAIN: dict[str, Any] = {
    "rolling": 90.0, "angle": 0.0, "x": 0.5, "y": 0.5, "length": 0.8, "width": 4.0, "amplitude": 50.0, "sign": 1.0,
    "shoulder": 0.0, "lean": 0.0, "bend": 0.0, "sway": 0.0, "wander": 0.0, "uneven": 0.0, "head": 0.001,
    "tail": 0.001, "gap": 0.0, "rough": 0.0, "key": 123456789012345678,
}  # fmt: skip


def plans(count: int, height: int = 128, width: int = 128, op: Scratch = OP) -> list[dict[str, Any]]:
    heights, widths = np.full(count, height), np.full(count, width)
    keys = Keys.of(7, [f"i{n}" for n in range(count)]).at("scratch")
    columns = op.draw(keys, Shapes(0 * heights, 0 * heights, heights, widths))
    return [{name: column[row].item() for name, column in columns.items()} for row in range(count)]


def grey(height: int, width: int, channels: int = 1) -> np.ndarray:
    return np.full((height, width, channels), 0.5, np.float32)


def change(height: int, width: int, plan: dict[str, Any]) -> np.ndarray:
    """Grey levels, (H, W)."""
    return 255 * (render(grey(height, width), [("s", OP, plan)]).image[..., 0].astype(np.float64) - 0.5)


def half_width(profile: np.ndarray) -> float:
    above = np.flatnonzero(profile >= profile.max() / 2)
    first, last, half = above[0], above[-1], profile.max() / 2
    left = first - (profile[first] - half) / (profile[first] - profile[first - 1])
    return last + (profile[last] - half) / (profile[last] - profile[last + 1]) - left


@pytest.mark.parametrize("width", [2.0, 3.0, 6.0])
def test_the_core_is_as_wide_as_drawn_at_half_maximum(width: float) -> None:
    profile = change(101, 101, PLAIN | {"width": width, "x": 50.5 / 101})[50]
    assert half_width(profile) == pytest.approx(width, abs=0.15)  # linear between pixels
    assert profile.max() == pytest.approx(50, abs=0.01)


@pytest.mark.parametrize(("length", "height"), [(0.5, 200), (0.8, 101)])
def test_it_is_as_long_as_drawn(length: float, height: int) -> None:
    rows = np.flatnonzero(np.abs(change(height, 101, PLAIN | {"length": length})).max(1) > 1)
    assert rows[-1] - rows[0] + 1 == pytest.approx(length * height, abs=2)


def test_a_bright_core_lies_between_dark_shoulders_and_the_reverse() -> None:
    for sign in (1.0, -1.0):
        profile = sign * change(101, 101, PLAIN | {"sign": sign, "shoulder": 0.3, "x": 50.5 / 101})[50]
        assert profile[50] > 30
        assert profile[:50].min() < -8
        assert profile[51:].min() < -8


def test_lean_moves_the_shoulders_to_one_side() -> None:
    profile = change(101, 101, PLAIN | {"shoulder": 0.3, "lean": 1.0, "x": 50.5 / 101})[50]
    assert min(profile[:50].min(), profile[51:].min()) < -20
    assert max(profile[:45].min(), profile[56:].min()) == 0


@pytest.mark.parametrize("rolling", [0.0, 45.0, 90.0, 120.0])
def test_its_principal_axis_lies_along_the_rolling_direction(rolling: float) -> None:
    op = build(Scratch, {"rolling": rolling, "x": 0.5, "y": 0.5, "length": [0.4, 1]}, "steps.s")
    for plan in plans(12, op=op):
        rows, columns = np.nonzero(np.abs(change(128, 128, plan)) > 1)
        axis = np.linalg.svd(np.stack([columns, rows]) - np.c_[[columns.mean(), rows.mean()]], full_matrices=False)[0]
        found = np.degrees(np.arctan2(axis[1, 0], axis[0, 0]))
        off = (found - rolling + 90) % 180 - 90
        assert abs(off) < 10 + 7  # the angle drawn, and an arc of at most 0.03 cut by a gap or the border


def test_the_angle_turns_from_x_towards_y_down() -> None:
    rows, columns = np.nonzero(change(101, 101, PLAIN | {"rolling": 0.0, "angle": 30.0}) > 1)
    assert np.polyfit(columns, rows, 1)[0] == pytest.approx(np.tan(np.radians(30)), abs=0.05)


def test_the_middle_is_where_the_plan_says() -> None:
    weights = change(100, 100, PLAIN | {"x": 0.3, "y": 0.6, "length": 0.4})
    rows, columns = np.mgrid[:100, :100]
    middle = (weights * columns).sum() / weights.sum(), (weights * rows).sum() / weights.sum()
    assert middle == pytest.approx((0.3 * 100 - 0.5, 0.6 * 100 - 0.5), abs=0.1)


def test_at_least_half_of_the_length_lies_inside() -> None:
    solid = {"gap": 0.0, "head": 0.001, "tail": 0.001, "angle": 0.0, "bend": 0.0, "sway": 0.0, "x": 0.5}
    for plan in plans(40):
        rows = np.flatnonzero(np.abs(change(128, 128, plan | solid)).max(1) > 1)
        assert len(rows) >= plan["length"] * 128 / 2 - 3


def test_a_gap_interrupts_it_and_none_does_not() -> None:
    def pieces(gap: float, key: int) -> int:
        seen = change(200, 51, PLAIN | {"gap": gap, "key": key, "length": 1.0}).max(1)[3:-3] > 1
        return int(np.count_nonzero(np.diff(seen.astype(int)) == 1) + seen[0])

    assert all(pieces(0.0, key) == 1 for key in range(20))
    assert sum(pieces(0.35, key) > 1 for key in range(20)) >= 8


def test_tips_fade_and_narrow() -> None:
    seen = change(201, 101, PLAIN | {"head": 0.8, "tail": 0.2, "length": 0.9, "x": 50.5 / 101})
    assert np.count_nonzero(seen[20] > 1) < np.count_nonzero(seen[100] > 1)
    assert seen[20].max() < seen[100].max() / 3
    assert seen[180].max() > 2 * seen[20].max()  # the tail is the shorter fade


def test_nothing_changes_outside_and_the_mask_is_the_change_of_a_grey_level() -> None:
    image = np.random.default_rng(0).random((63, 100, 3), np.float32)
    for plan in plans(20, 63, 100):
        made = render(image, [("s", OP, plan)])
        moved = np.abs(made.image - image).max(2)
        assert np.array_equal(made.masks["s"], moved >= np.float32(1 / 255))
        reach = 1.56 * plan["width"] + (abs(plan["bend"]) + abs(plan["sway"])) * plan["length"] * 100 + plan["wander"]
        angle = np.radians(90 + plan["angle"])
        y, x = np.mgrid[:63, :100]
        across = (y - plan["y"] * 63 + 0.5) * np.cos(angle) - (x - plan["x"] * 100 + 0.5) * np.sin(angle)
        assert moved[np.abs(across) > reach + 0.01].max(initial=0) == 0


def test_a_change_never_leaves_the_range_nor_touches_what_was_outside_it() -> None:
    white = np.ones((50, 50, 1), np.float32)
    made = render(white, [("s", OP, PLAIN)])
    assert np.array_equal(made.image, white)
    assert not made.masks["s"].any()
    assert np.array_equal(render(white * 1.5, [("s", OP, PLAIN)]).image, white * 1.5)


@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 7, 3), (63, 100, 1), (40, 33, 3)])
def test_the_engine_agrees_with_the_reference(shape: tuple[int, int, int]) -> None:
    image = np.random.default_rng(1).random(shape, np.float32)
    for plan in plans(5, *shape[:2]):
        steps = [("s", OP, plan | {"gap": 0.3})]
        made, (ours, masks, _) = render(image, steps), reference.render(image, steps)
        assert np.abs(made.image - ours).max() < reference.ROUNDED
        assert np.array_equal(made.masks["s"], masks["s"])


def test_every_number_is_in_the_plan_and_a_row_depends_on_its_own_key_alone() -> None:
    many, few = plans(30), plans(3)
    assert many[:3] == few
    assert set(many[0]) == set(PLAIN)
    assert len({plan["key"] for plan in many}) == 30


def test_another_key_gives_another_texture_and_all_its_bits_count() -> None:
    rough = PLAIN | {"rough": 0.6, "uneven": 0.5, "wander": 2.0}
    base = change(64, 64, rough | {"key": 0})
    assert all(not np.array_equal(base, change(64, 64, rough | {"key": 1 << bit})) for bit in range(63))


def test_no_scratch_is_a_blob() -> None:
    for plan in plans(200):
        assert plan["width"] <= max(1.0, plan["length"] * 128 / 20) + 1e-6


def test_dark_is_a_share_of_scratches() -> None:
    for share, low, high in ((0.0, 0, 0), (1.0, 200, 200), (0.5, 70, 130)):
        drawn = plans(200, op=build(Scratch, {"dark": share}, "steps.s"))
        assert low <= sum(plan["sign"] < 0 for plan in drawn) <= high


def test_a_width_out_of_bounds_is_refused_by_name() -> None:
    with pytest.raises(SettingError, match=r"steps\.s\.width: .*pixels"):
        build(Scratch, {"width": [-1, 3]}, "steps.s")
