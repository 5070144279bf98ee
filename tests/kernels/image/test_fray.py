"""A fray is a band from border to border, streaky inside and ragged at both edges."""

import marks
import numpy as np
import pytest

from sliceforge.engine.build import build
from sliceforge.kernels.image.fray import Fray

OP = build(Fray, {}, "steps.fray")
PLAIN = {
    "angle": 0.0, "x": 0.5, "y": 0.5, "width": 16.0, "bend": 0.0, "ragged": 0.0, "contrast": -40.0, "rough": 0.0,
    "key": 5,
}  # fmt: skip


def test_a_plain_one_is_an_even_band() -> None:
    made = marks.change(OP, PLAIN)
    assert (np.ptp(made, axis=1) < 1e-3).all()
    assert made[:, 0].sum() / made[:, 0].min() == pytest.approx(16, abs=1.1)  # its edges are soft inwards


def test_it_runs_along_its_direction_through_its_place() -> None:
    upright = build(Fray, {"direction": 90}, "steps.fray")
    made = marks.change(upright, PLAIN | {"x": 0.3})
    assert made.any(1).all()
    assert np.flatnonzero(made.any(0)).mean() == pytest.approx(0.3 * 128 - 0.5, abs=0.6)
    rows, columns = np.nonzero(marks.change(OP, PLAIN | {"angle": 20.0}))
    assert np.polyfit(columns, rows, 1)[0] == pytest.approx(np.tan(np.radians(20)), abs=0.03)


def test_either_edge_is_ragged_for_itself() -> None:
    made = marks.change(OP, PLAIN | {"ragged": 0.4, "width": 20.0}, 128, 400) != 0
    upper, lower = made.argmax(0), 127 - made[::-1].argmax(0)
    assert upper.std() > 1.5
    assert lower.std() > 1.5
    assert abs(np.corrcoef(upper, lower)[0, 1]) < 0.5


def test_streaks_run_along_it() -> None:
    made = marks.change(OP, PLAIN | {"rough": 0.7, "width": 60.0})[45:83]
    assert np.abs(np.diff(made, axis=1)).mean() < 0.75 * np.abs(np.diff(made, axis=0)).mean()
    assert made.std() > 5
