"""Each class of solar cells is what it is called, and no other class of them is."""

from typing import Any

import marks
import numpy as np
import pytest
from scipy.ndimage import binary_erosion, distance_transform_edt, label

from sliceforge.engine.manifest import read

CLASSES = ("crack", "finger", "inactive")
ITEMS, SIDE = 20, 200
STARTS = (0, 200 / 6 + 3, 103, 1000 / 6 + 3)
ENDS = (200 / 6 - 3, 97, 1000 / 6 - 3, 200)
"""Rows from which and to which the silicon reaches beside three busbars of six rows."""


def is_crack(change: np.ndarray) -> bool:
    """One piece, thin, long for its thickness, and oblique."""
    mask = change < 0
    rows, columns = np.nonzero(mask)
    tall, wide = np.ptp(rows) + 1, np.ptp(columns) + 1
    thin = distance_transform_edt(mask).max() <= 3.5
    whole = label(mask, np.ones((3, 3)))[1] == 1
    return bool(thin and whole and np.hypot(tall, wide) > 20 and 0.25 < tall / wide < 4)


def is_finger(change: np.ndarray) -> bool:
    """An upright stripe, the same columns in each of its rows, from busbar to busbar."""
    mask = change < 0.15 * change.min()
    rows = np.flatnonzero(mask.any(1))
    sides = np.array([(np.flatnonzero(mask[row])[0], np.flatnonzero(mask[row])[-1]) for row in rows[1:-1]])
    upright = bool(np.ptp(sides, axis=0).max() <= 1)
    return upright and any(
        abs(rows[0] - a) <= 1.5 and abs(rows[-1] + 1 - b) <= 1.5 for a, b in zip(STARTS, ENDS, strict=True)
    )


def is_inactive(change: np.ndarray) -> bool:
    """One factor of 0.6 or less all over its inside, straight at a busbar's border and ragged opposite."""
    ratio = 1 + change / 127.5
    inside = binary_erosion(change < 0, iterations=2)
    if inside.sum() < 50 or np.ptp(ratio[inside]) > 0.001 or ratio[inside].max() > 0.601:
        return False
    mask = change < 0.7 * change.min()
    columns = np.flatnonzero(mask.any(0))
    top, bottom = mask.argmax(0)[columns], SIDE - mask[::-1].argmax(0)[columns]
    at_busbar = [np.abs(line[:, None] - np.array(STARTS + ENDS)[1:-1]).min(1) <= 2 for line in (top, bottom)]
    straight = max(at_busbar, key=np.mean)
    other = bottom if straight is at_busbar[0] else top
    return bool(straight.mean() > 0.9 and np.ptp(other) >= 5)


TESTS = {"crack": is_crack, "finger": is_finger, "inactive": is_inactive}


@pytest.fixture(scope="module")
def made() -> dict[str, list[tuple[np.ndarray, dict[str, Any]]]]:
    """Some marks of each class."""
    return {name: marks.first_marks(f"solar/{name}", ITEMS, SIDE) for name in CLASSES}


@pytest.mark.parametrize("shown", CLASSES)
@pytest.mark.parametrize("asked", CLASSES)
def test_a_class_is_itself_and_no_other(made: Any, asked: str, shown: str) -> None:
    share = np.mean([TESTS[asked](change) for change, _ in made[shown]])
    assert share >= 0.9 if asked == shown else share <= 0.05


def test_an_inactive_part_has_the_factor_of_its_plan(made: Any) -> None:
    for change, plan in made["inactive"]:
        assert 1 + change.min() / 127.5 == pytest.approx(plan["factor"], abs=0.001)


def test_cracks_lean_at_45_degrees_to_the_busbars(made: Any) -> None:
    angles = []
    for change, _ in made["crack"]:
        rows, columns = np.nonzero(change)
        axis = np.linalg.svd(np.stack([columns, rows]) - np.c_[[columns.mean(), rows.mean()]], full_matrices=False)[0]
        angles.append(np.degrees(np.arctan2(abs(axis[1, 0]), abs(axis[0, 0]))))
    assert abs(np.median(angles) - 45) < 10
    assert np.std(angles) > 3


@pytest.mark.parametrize("name", CLASSES)
def test_first_draws_on_a_cell_pass_the_gates(name: str) -> None:
    cells = read(None, "image", material="cells").root
    assert marks.accepted(f"solar/{name}", cells, 40) >= 0.9
