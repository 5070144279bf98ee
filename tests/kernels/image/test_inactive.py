"""An inactive part keeps one share of its light, ends straight at a busbar and ragged at a crack."""

import marks
import numpy as np
import pytest

from sliceforge.engine.build import build
from sliceforge.engine.picture import render
from sliceforge.kernels.image.inactive import Inactive

OP = build(Inactive, {}, "steps.inactive")
PLAIN = {
    "along": 0.4, "across": 0.5, "width": 0.5, "height": 0.8, "lean": 0.0, "top": 0.3, "wander": 3.0, "factor": 0.3,
    "side": 1.0, "key": 5,
}  # fmt: skip


def test_inside_every_value_is_multiplied_by_the_factor() -> None:
    image = np.random.default_rng(0).uniform(0.2, 1, (120, 120, 1)).astype(np.float32)
    for plan in marks.plans(OP, 20, 120, 120):
        ratio = render(image, [("i", OP, plan)]).image / image
        inside = ratio < plan["factor"] * 1.0001
        assert inside.sum() > 0.6 * (ratio < 1).sum()  # the others are cut by the border
        assert ratio[inside].min() == pytest.approx(plan["factor"], rel=1e-5)


@pytest.mark.parametrize(("side", "row"), [(1.0, 97), (-1.0, 200 / 6 + 3)])
def test_one_side_is_the_busbar_and_the_other_a_crack(side: float, row: float) -> None:
    made = marks.change(OP, PLAIN | {"side": side}, 200, 200) < -60
    columns = np.flatnonzero(made.any(0))[3:-3]
    first, last = made.argmax(0)[columns], 199 - made[::-1].argmax(0)[columns]
    straight, ragged = (last + 1, first) if side > 0 else (first, last)
    assert np.ptp(straight) == 0
    assert straight[0] == pytest.approx(row, abs=1)
    assert np.ptp(ragged) > 20
    assert np.abs(np.diff(ragged, 2)).max() >= 2


def test_it_reaches_the_next_busbar_where_its_height_is_whole_and_never_further() -> None:
    made = marks.change(OP, PLAIN | {"height": 1.0, "top": 0.9, "wander": 0.0}, 200, 200) < -60
    rows = np.flatnonzero(made[:, 100])
    assert (rows[0], rows[-1]) == (pytest.approx(200 / 6 + 3, abs=1), pytest.approx(96, abs=1))
    for plan in marks.plans(OP, 20, 200, 200):
        rows = np.flatnonzero(marks.change(OP, plan, 200, 200).any(1))
        edges = np.array([0, 200 / 6 - 3, 200 / 6 + 3, 97, 103, 1000 / 6 - 3, 1000 / 6 + 3, 200])
        above, below = edges[::2], edges[1::2]
        assert any(a - 2 <= rows[0] and rows[-1] + 1 <= b + 2 for a, b in zip(above, below, strict=True))


def test_the_outermost_parts_have_one_busbar_to_lie_at() -> None:
    for along, row in ((0.02, 200 / 6 - 3), (0.98, 1000 / 6 + 3)):
        for side in (-1.0, 1.0):
            made = marks.change(OP, PLAIN | {"along": along, "side": side}, 200, 200) < -60
            rows = np.flatnonzero(made.any(1))
            near = rows[-1] + 1 if along < 0.5 else rows[0]
            assert near == pytest.approx(row, abs=1)


def test_it_owes_what_every_paint_does() -> None:
    for plan in marks.plans(OP, 10, 63, 100):
        image = np.random.default_rng(0).random((63, 100, 3), np.float32)
        made = render(image, [("i", OP, plan)])
        moved = np.abs(made.image - image).max(2)
        assert np.array_equal(made.masks["i"], moved >= np.float32(1 / 255))
        assert made.image.min() >= 0
