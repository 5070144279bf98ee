"""A blowhole is a round, dark pit of the radius asked for, its wall lit opposite the light."""

import marks
import numpy as np
import pytest

from sliceforge.engine.build import build
from sliceforge.kernels.image.blowhole import Blowhole

OP = build(Blowhole, {}, "steps.blowhole")
PLAIN = {
    "x": 0.5, "y": 0.5, "radius": 6.0, "wobble": 0.0, "contrast": 50.0, "shade": 0.0, "rim": 0.0, "light": 0.0,
    "rough": 0.0, "key": 5,
}  # fmt: skip


@pytest.mark.parametrize("radius", [2.0, 4.5, 10.0])
def test_a_plain_one_is_a_disc_of_its_radius(radius: float) -> None:
    made = -marks.change(OP, PLAIN | {"radius": radius})
    assert made.sum() / made.max() == pytest.approx(np.pi * radius**2, rel=0.06)  # the soft border adds a little
    rows, columns = np.nonzero(made > made.max() / 2)
    assert np.hypot(rows - 63.5, columns - 63.5).max() == pytest.approx(radius, abs=0.5)


def test_its_middle_is_where_the_plan_says() -> None:
    made = marks.change(OP, PLAIN | {"x": 0.3, "y": 0.6}, 100, 100)
    rows, columns = np.mgrid[:100, :100]
    middle = (made * columns).sum() / made.sum(), (made * rows).sum() / made.sum()
    assert middle == pytest.approx((0.3 * 100 - 0.5, 0.6 * 100 - 0.5), abs=0.1)


def test_the_wall_towards_the_light_is_darker_and_the_rim_opposite_bright() -> None:
    made = marks.change(OP, PLAIN | {"shade": 0.3, "rim": 0.5, "light": 180.0, "radius": 8.0})[63]
    assert made[57] < made[63] < made[70]  # light from the left
    assert made[71:75].max() > 10
    assert made[:56].max() <= 0


def test_every_one_stays_round() -> None:
    for plan in marks.plans(OP, 30):
        made = marks.change(OP, plan | {"rim": 0.0, "x": 0.5, "y": 0.5}) < -0.4 * plan["contrast"]
        rows, columns = np.nonzero(made)
        across = max(np.ptp(rows), np.ptp(columns)) + 1
        assert made.sum() > 0.55 * np.pi / 4 * across**2
