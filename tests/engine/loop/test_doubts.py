"""Labels of a class that the model has hardly seen are not doubted; those of the others still are."""

import numpy as np
import pyarrow as pa
import pytest

from sliceforge.engine.loop.diagnose.doubts import Doubts, doubts
from sliceforge.engine.loop.rows.predictions import Predictions, of_table

CLASSES = ("dent", "hole", "scratch")


def said(true: list[str], given: list[str], known: tuple[str, ...]) -> Predictions:
    """What a model says that is right and sure, but takes what it does not know for the first class it knows."""
    p = np.full((len(true), 3), 0.02)
    for row, name in enumerate(true):
        p[row, CLASSES.index(name if name in known else known[0])] = 0.96
    table = {"id": [f"i{row}" for row in range(len(true))], "label": given}
    return of_table(pa.table(table | {f"p_{name}": p[:, at] for at, name in enumerate(CLASSES)}), "predictions")


def judged(evaluated: Predictions, folds: Predictions) -> Doubts:
    table = evaluated.labelled()
    return doubts(evaluated, table, folds, folds.labelled(), [])


@pytest.fixture
def folds() -> Predictions:
    true = ["dent"] * 60 + ["hole"] * 60 + ["scratch"] * 6
    return said(true, true, ("dent", "hole"))


def test_a_class_of_six_is_not_said_to_be_mislabelled(folds: Predictions) -> None:
    true = ["dent"] * 60 + ["hole"] * 60 + ["scratch"] * 90
    found = judged(said(true, true, ("dent", "hole")), folds)
    assert found.whole is not None
    assert not found.whole.fix
    assert found.queue([]).num_rows == 0
    assert found.last("label = 'scratch'") is None


def test_wrong_labels_of_the_others_still_come_first(folds: Predictions) -> None:
    true = ["dent"] * 60 + ["hole"] * 60 + ["scratch"] * 90
    given = ["hole" if row % 4 == 0 and row < 60 else name for row, name in enumerate(true)]
    found = judged(said(true, given, ("dent", "hole")), folds)
    assert found.whole is not None
    assert found.whole.fix
    assert set(found.queue([])["id"].to_pylist()) == {f"i{row}" for row in range(0, 60, 4)}


def test_where_every_class_is_small_all_are_judged() -> None:
    true = ["dent"] * 20 + ["hole"] * 20 + ["scratch"] * 20
    given = [CLASSES[(CLASSES.index(name) + 1) % 3] if row % 4 == 0 else name for row, name in enumerate(true)]
    folds = said(true, given, CLASSES)
    found = judged(folds, folds)
    assert found.whole is not None
    assert found.whole.fix
