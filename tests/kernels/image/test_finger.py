"""A finger interruption is one straight stripe from busbar to busbar."""

import marks
import numpy as np
import pytest

from sliceforge.engine.build import build
from sliceforge.kernels.image.finger import Finger

OP = build(Finger, {}, "steps.finger")
PLAIN = {"along": 0.5, "across": 0.5, "width": 5.0, "contrast": 40.0, "uneven": 0.0, "key": 5}


@pytest.mark.parametrize(("along", "between"), [(0.05, (0, 1)), (0.3, (1, 2)), (0.6, (2, 3)), (0.95, (3, 4))])
def test_it_ends_at_the_busbars_or_at_the_edge_of_the_cell(along: float, between: tuple[int, int]) -> None:
    made = marks.change(OP, PLAIN | {"along": along}, 200, 120)
    rows = np.flatnonzero(made.any(1))
    # Busbars 6 rows wide at 1/6, 1/2 and 5/6 of 200.
    upper = [0, 200 / 6 + 3, 103, 1000 / 6 + 3]
    lower = [200 / 6 - 3, 97, 1000 / 6 - 3, 200]
    assert rows[0] == pytest.approx(upper[between[0]], abs=1)
    assert rows[-1] + 1 == pytest.approx(lower[between[0]], abs=1)
    assert not np.diff(np.abs(made[rows[2] : rows[-2]]), axis=0).any()


def test_it_lies_along_the_fingers_whichever_way_they_run() -> None:
    other = build(Finger, {"direction": 0}, "steps.finger")
    upright, lying = (marks.change(op, PLAIN | {"across": 0.3}, 150, 150) for op in (OP, other))
    assert np.count_nonzero(upright.any(1)) > 5 * np.count_nonzero(upright.any(0))
    assert np.count_nonzero(lying.any(0)) > 5 * np.count_nonzero(lying.any(1))


@pytest.mark.parametrize("busbars", [0, 1, 5])
def test_more_busbars_make_it_shorter(busbars: int) -> None:
    op = build(Finger, {"busbars": busbars, "busbar_width": 0.02}, "steps.finger")
    long = np.count_nonzero(marks.change(op, PLAIN | {"along": 0.55}, 200, 100).any(1))
    assert long == pytest.approx({0: 200, 1: 98, 5: 36}[busbars], abs=1)


@pytest.mark.parametrize("width", [3.0, 3.7, 5.2, 8.0])
@pytest.mark.parametrize("across", [0.501, 0.503, 0.61])
def test_it_is_as_wide_and_as_dark_as_asked_wherever_it_lies(width: float, across: float) -> None:
    row = -marks.change(OP, PLAIN | {"width": width, "across": across})[85]
    core = row[row >= row.max() / 2]
    assert np.median(core) == pytest.approx(40, abs=0.1)
    assert row.sum() / row.max() == pytest.approx(width, abs=0.5)
