"""Tables of predictions are paired by id, and what cannot be paired is said in one line."""

import numpy as np
import pyarrow as pa
import pytest

from sliceforge.engine.errors import SettingError
from sliceforge.engine.loop.verify.pairs import Pairs, matched


def table(ids: list[str], losses: list[float | None], **columns: list) -> pa.Table:
    return pa.table({"id": ids, "loss": losses, **columns})


def test_rows_are_paired_by_id_in_whatever_order_they_come() -> None:
    first = table(["b", "a", "c"], [0.2, 0.1, 0.3], weight=[2, 1, 3], cluster=["y", "x", "y"])
    second = table(["c", "b", "a"], [0.6, 0.5, 0.4])
    pairs = matched([first, second], [second])
    assert pairs.ids.tolist() == ["a", "b", "c"]
    assert pairs.before.tolist() == [[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]]
    assert pairs.after.tolist() == [[0.4, 0.5, 0.6]]
    assert pairs.weights.tolist() == [1, 2, 3]
    assert pairs.units.tolist() == [0, 1, 1]


def test_without_clusters_each_row_is_a_unit() -> None:
    pairs = matched([table(["a", "b"], [0, 1])], [table(["b", "a"], [1, 1])])
    assert pairs.units.tolist() == [0, 1]
    assert pairs.weights.tolist() == [1, 1]


@pytest.mark.parametrize(
    ("after", "said"),
    [
        (table(["a", "c"], [0, 0]), r"after\[0\]: id b is not in every table"),
        (table(["a", "a"], [0, 0]), r"after\[0\]: id a comes twice"),
        (table(["a", "b"], [0, None]), "1 rows without loss"),
        (table(["a", "b"], [0, float("nan")]), "after: the loss of b is not a number"),
        (pa.table({"id": ["a", "b"]}), "no column loss among id"),
    ],
)
def test_what_cannot_be_paired_is_an_error_of_one_line(after: pa.Table, said: str) -> None:
    with pytest.raises(SettingError, match=said) as caught:
        matched([table(["a", "b"], [0, 1])], [after])
    assert "\n" not in str(caught.value)


def test_shapes_and_weights_are_looked_at() -> None:
    ids, losses = np.array(["a", "b"]), np.zeros((2, 2))
    with pytest.raises(SettingError, match="expected seeds × rows"):
        Pairs(ids, losses, np.zeros((2, 3)))
    with pytest.raises(SettingError, match="one value per row"):
        Pairs(ids, losses, losses, cluster=np.zeros(3))
    with pytest.raises(SettingError, match="weight: negative"):
        Pairs(ids, losses, losses, weight=np.array([1.0, -1.0]))
    with pytest.raises(SettingError, match="0 tables before"):
        matched([], [table(["a"], [0])])
