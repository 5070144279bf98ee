"""What several labellers say of the same items: columns such as `label_by_ann` and `transcript_by_bob`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from sliceforge.engine import regions
from sliceforge.engine.errors import InputError, SettingError
from sliceforge.engine.loop.diagnose.agreement import Distance
from sliceforge.engine.loop.diagnose.distances import nominal, of_boxes, of_words
from sliceforge.engine.loop.rows.columns import RATED


def _boxes(value: Any) -> np.ndarray:
    return np.array(regions.boxes({"boxes": value}), np.float64).reshape(-1, 4)


READ: Mapping[str, tuple[Distance, Callable[[Any], Any]]] = dict(
    zip(RATED, ((nominal, str), (of_words, str), (of_boxes, _boxes)), strict=True)
)
"""The beginning of a column's name → how far two values are apart, and how one is read."""


@dataclass(frozen=True)
class Labellers:
    """Labels of N items by several people.

    Args:
        ratings: labeller → (N,) values; None where there is none.
        distance: between two values, 0 to 1.
    """

    ratings: Mapping[str, Sequence[Any]]
    distance: Distance

    def some(self, rows: np.ndarray | None) -> bool:
        """Whether an item of the rows, (N,) bool or all, has two labels."""
        there = np.array([[value is not None for value in values] for values in self.ratings.values()])
        return bool(((there.sum(axis=0) > 1) & (True if rows is None else rows)).any())


def labellers(table: pa.Table) -> Labellers | None:
    """The labellers of a table; None where there are fewer than two.

    Raises:
        SettingError: both classes and transcripts are labelled by several, or boxes are none.
    """
    found = {start: [name for name in table.column_names if name.startswith(start)] for start in RATED}
    found = {start: names for start, names in found.items() if len(names) > 1}
    if len(found) > 1:
        said = " and ".join(names[0] for names in found.values())
        raise SettingError(f"labellers: columns {said}; expected labels of one kind, such as label_by_ann,label_by_bob")
    for start, names in found.items():
        distance, read = READ[start]
        return Labellers({name.removeprefix(start): _read(table[name], name, read) for name in names}, distance)
    return None


def _read(column: pa.ChunkedArray, name: str, read: Callable[[Any], Any]) -> list[Any]:
    try:
        return [None if value is None or value == "" else read(value) for value in column.to_pylist()]
    except InputError as error:
        raise SettingError(f"labellers: {name}: {error.detail}") from None
