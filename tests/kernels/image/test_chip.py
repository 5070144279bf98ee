"""A chip stands on the border that its plan names, angular, and goes no deeper than asked."""

import marks
import numpy as np
import pytest

from sliceforge.engine.build import build
from sliceforge.kernels.image.chip import Chip

OP = build(Chip, {}, "steps.chip")
PLAIN = {
    "inward": 90.0, "along": 0.5, "width": 0.4, "depth": 0.2, "lean": 0.0, "top": 0.5, "wander": 0.0,
    "contrast": -50.0, "rim": 0.0, "rough": 0.0, "key": 5,
}  # fmt: skip


@pytest.mark.parametrize("inward", [0.0, 90.0, 180.0, 270.0])
def test_it_stands_on_the_border_asked_for(inward: float) -> None:
    made = marks.change(OP, PLAIN | {"inward": inward, "along": 0.4}, 100, 140) != 0
    borders = {0.0: made[:, 0], 90.0: made[0], 180.0: made[:, -1], 270.0: made[-1]}
    long = len(borders[inward])
    assert np.count_nonzero(borders[inward]) == pytest.approx(0.4 * long, abs=2)
    assert not any(line.any() for name, line in borders.items() if name != inward)
    deep = np.count_nonzero(made.any(0) if inward in (0, 180) else made.any(1))
    assert deep == pytest.approx(0.2 * (140 if inward in (0, 180) else 100), abs=1)


def test_a_plain_one_is_a_trapezium_as_dark_as_asked() -> None:
    made = marks.change(OP, PLAIN)
    assert np.median(made[made != 0]) == pytest.approx(-50, abs=0.01)
    # Half a width of 51.2 runs along the border; the rest is two ramps.
    assert made.sum() / -50 == pytest.approx(25.6 * 0.75 * 51.2, rel=0.04)


def test_its_rim_is_of_the_other_sign() -> None:
    made = marks.change(OP, PLAIN | {"rim": 1.0})
    column = made[:, 64]
    edge = np.flatnonzero(column)[-1]
    assert column[edge - 1 : edge + 1].max() > 5
    assert column[:20].max() < -45


def test_none_is_deeper_than_it_is_wide_nor_leaves_its_border() -> None:
    for plan in marks.plans(OP, 30):
        made = marks.change(OP, plan) != 0
        assert any(line.any() for line in (made[0], made[-1], made[:, 0], made[:, -1]))
        limit = min(plan["depth"], plan["width"]) * 128 * (1 + 1.4 * 0.25) + 2
        deep = made.any(0) if plan["inward"] in (0, 180) else made.any(1)
        deep = deep if plan["inward"] in (0, 90) else deep[::-1]
        assert np.flatnonzero(deep).max(initial=0) <= limit


def test_dark_is_a_share_of_chips() -> None:
    for share, low, high in ((0.0, 0, 0), (1.0, 200, 200), (0.7, 110, 170)):
        drawn = marks.plans(build(Chip, {"dark": share}, "steps.chip"), 200)
        assert low <= sum(plan["contrast"] < 0 for plan in drawn) <= high
