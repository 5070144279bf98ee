"""What a model said of evaluation rows: one table, and a loss for each row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sliceforge.engine import sources, tables
from sliceforge.engine.errors import SettingError
from sliceforge.engine.loop.rows.outcomes import KINDS, Outcomes, found, outcomes
from sliceforge.engine.parquet import kept
from sliceforge.engine.paths import shown


@dataclass(frozen=True)
class Predictions:
    """What a model said of N rows, in the order of its table.

    Args:
        ids: (N,) text, all different.
        loss: (N,) float64: 0 or 1 where a class is right or wrong; words wrong / words said; 1 − IoU; or as it came.
        weight: (N,) float64, the words of a transcript, at least 1; None where rows count alike.
        labels: (N,) text, the true classes, or None.
        predicted: (N,) text, the classes that the model chose, or None.
        probabilities: (N, C) float64, or None.
        classes: C names, in the order of the table's columns or sorted; empty without classes.
        kind: wrong, words, iou or loss.
        more: further losses (N,): `cross_entropy` of probabilities, in nats; `cer` of transcripts, characters wrong /
            characters written, and `characters`, its weight.
        table: `id`, and the columns that are none of these.
    """

    ids: np.ndarray
    loss: np.ndarray
    weight: np.ndarray | None
    labels: np.ndarray | None
    predicted: np.ndarray | None
    probabilities: np.ndarray | None
    classes: tuple[str, ...]
    kind: str
    table: pa.Table
    more: Mapping[str, np.ndarray] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.ids)

    def labelled(self) -> pa.Table:
        """`table` with the true `label` behind its id, where there are labels."""
        if self.labels is None:
            return self.table
        return self.table.add_column(1, "label", pa.array(self.labels, pa.string()))

    def mean(self) -> float:
        """The weighted mean loss: the error rate, the word error rate, 1 − the mean IoU."""
        return float(np.average(self.loss, weights=self.weight))

    def take(self, rows: np.ndarray) -> Predictions:
        """The predictions of some rows, places (M,), in their order."""
        names = ("ids", "loss", "weight", "labels", "predicted", "probabilities")
        columns: dict[str, np.ndarray | None] = {name: getattr(self, name) for name in names}
        some: dict[str, Any] = {name: None if column is None else column[rows] for name, column in columns.items()}
        more = {name: column[rows] for name, column in self.more.items()}
        return replace(self, **some, table=self.table.take(pa.array(rows, pa.int64())), more=more)


def load(data: str, key: str = "predictions") -> Predictions:
    """Predictions from a Parquet, CSV or JSON lines table with `id` and one of the sets of columns of `outcomes.KINDS`.

    Args:
        data: a path or a URL.
        key: the setting that named it, for messages.

    Raises:
        SettingError: one line: what is wrong with it, what was expected, an example.
        RunError: a store does not answer.
    """
    places = sources.split(data, key, fresh=True)
    if len(places) > 1:
        raise SettingError(f"{key}: {shown(data)}: {len(places)} tables; expected one, such as {key}=P.parquet")
    return of_table(read(places[0], key), f"{key}: {shown(data)}")


def load_many(data: str | Sequence[str], key: str = "predictions") -> list[Predictions]:
    """Predictions of several models, such as seeds, of the same rows; all in the order of the first.

    Raises:
        SettingError: as of `load`; or ids, labels, classes or kinds differ.
        RunError: a store does not answer.
    """
    places = sources.split(data, key, fresh=True)
    every = [of_table(read(place, key), f"{key}: {shown(Path(place).name)}") for place in places]
    first = every[0]
    return [first, *(_alike(first, one, f"{key}: {shown(Path(place).name)}") for one, place in _rest(every, places))]


def read(place: str, key: str) -> pa.Table:
    """A table of rows with an `id`, text, each there once; nothing else is asked of it.

    Raises:
        SettingError: one line.
    """
    path, where = Path(place), f"{key}: {shown(place)}"
    try:
        fits = path.is_file() and path.suffix.lower() in tables.SUFFIXES
    except (OSError, ValueError):
        fits = False
    if not fits:
        raise SettingError(f"{where}: expected a table in {', '.join(tables.SUFFIXES)}, such as {key}=P.parquet")
    table = tables.read_table(path, where)
    names = table.column_names
    if "id" not in names:
        raise SettingError(f"{where}: no column 'id'; found {_listed(names)}; expected columns such as id,label,pred")
    ids = pc.utf8_normalize(tables.as_text(table["id"], f"{where}: id"), form="NFC")
    if ids.null_count:
        raise SettingError(f"{where}: id: is empty in {ids.null_count} rows; expected one for each row, such as a/b_1")
    counts = pc.value_counts(ids)
    again = counts.filter(pc.greater(counts.field("counts"), 1))
    if len(again):
        twice, count = again[0]["values"].as_py(), again[0]["counts"].as_py()
        raise SettingError(f"{where}: id: {shown(twice, 60)!r} is there {count} times; expected one row for each id")
    return pa.table({"id": ids} | {name: kept(table[name]) for name in names if name != "id"}).combine_chunks()


def of_table(table: pa.Table, where: str) -> Predictions:
    """Predictions from a table that `read` returned.

    Args:
        table: `id` and more.
        where: how messages name it.

    Raises:
        SettingError: no set of columns is there, or two are; or a value is wrong.
    """
    names = table.column_names
    kinds = found(table)
    if len(kinds) != 1:
        what = f"both {' and '.join(KINDS[kind] for kind in kinds)}" if kinds else f"columns {_listed(names)}"
        one_of = "; ".join(KINDS.values())
        raise SettingError(f"{where}: {what}; expected id and one of: {one_of}; such as id,label,pred")
    made: Outcomes = outcomes(table, kinds[0], where)
    rest = [name for name in names if name not in made.used]
    ids = table["id"].to_numpy().astype(object)
    kind = "wrong" if kinds[0] in ("classes", "probabilities") else kinds[0]
    return Predictions(
        *(ids, made.loss, made.weight, made.labels, made.predicted, made.probabilities, made.classes, kind),
        table=table.select(rest),
        more=made.more,
    )


def _rest(every: list[Predictions], places: list[str]) -> list[tuple[Predictions, str]]:
    return list(zip(every[1:], places[1:], strict=True))


def _alike(first: Predictions, other: Predictions, where: str) -> Predictions:
    """The other's rows in the order of the first."""
    if other.kind != first.kind or (first.probabilities is not None) != (other.probabilities is not None):
        raise SettingError(f"{where}: has other columns than the first table; expected the same, such as id,label,pred")
    places = {item: place for place, item in enumerate(other.ids)}
    missing = [item for item in first.ids if item not in places]
    if missing or len(other) != len(first):
        one = missing[0] if missing else next(item for item in other.ids if item not in set(first.ids))
        raise SettingError(f"{where}: {shown(str(one), 60)!r} is in one table alone; expected the same ids in each")
    found = other.take(np.array([places[item] for item in first.ids], np.int64))
    if first.probabilities is not None and first.classes != found.classes:
        raise SettingError(f"{where}: the classes are {_listed(found.classes)}; expected {_listed(first.classes)}")
    if first.labels is not None and found.labels is not None and (first.labels != found.labels).any():
        row = int(np.argmax(first.labels != found.labels))
        label, other_label = shown(first.labels[row], 40), shown(found.labels[row], 40)
        one = shown(first.ids[row], 60)
        raise SettingError(f"{where}: label: {one!r} is {other_label!r}; expected {label!r}, as in the first table")
    return found


def _listed(names: Sequence[str]) -> str:
    return shown(", ".join(names), 160)
