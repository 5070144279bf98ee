"""Unevenness is a broad shade with no border anywhere."""

import marks
import numpy as np
import pytest

from sliceforge.engine.build import build
from sliceforge.kernels.image.uneven import Uneven

OP = build(Uneven, {}, "steps.uneven")
PLAIN = {
    "angle": 0.0, "x": 0.5, "y": 0.5, "length": 0.8, "aspect": 2.0, "wobble": 0.0, "contrast": -30.0, "key": 5,
}  # fmt: skip


def test_a_plain_one_is_the_bump_of_the_formula() -> None:
    y, x = np.mgrid[:128, :128] - 63.5
    r2 = (x / 51.2) ** 2 + (y / 25.6) ** 2
    wanted = -30 / 0.699 * np.maximum(1 - r2, 0) ** 2
    assert (
        np.abs(marks.change(OP, PLAIN) - np.where(wanted <= -1, wanted, 0)).max()
        < 1.01e-3 + (np.abs(wanted + 1) < 0.01).any()
    )


def test_it_lies_along_its_angle() -> None:
    rows, columns = np.nonzero(marks.change(OP, PLAIN | {"angle": 30.0, "aspect": 2.5}))
    axis = np.linalg.svd(np.stack([columns, rows]) - np.c_[[columns.mean(), rows.mean()]], full_matrices=False)[0]
    assert np.degrees(np.arctan2(axis[1, 0], axis[0, 0])) % 180 == pytest.approx(30, abs=1)


def test_it_has_no_edge_steeper_than_a_broad_bump_has() -> None:
    for plan in marks.plans(OP, 20):
        made = marks.change(OP, plan)
        steepest = np.abs(np.diff(made, axis=0)).max(), np.abs(np.diff(made, axis=1)).max()
        # (1 − r²)² falls by at most 1.54 of its height in one half axis, and noise may deform that by as much again.
        half = max(plan["length"] * 128 / 2 / plan["aspect"], 1)
        assert max(steepest) <= max(3 * 1.54 * abs(plan["contrast"]) / 0.699 / half, 1.01)
