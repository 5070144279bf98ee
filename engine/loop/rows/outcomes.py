"""The sets of columns that say what a model got wrong, and the loss that each stands for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sliceforge.engine.errors import SettingError
from sliceforge.engine.loop.rows.spoken import wrong
from sliceforge.engine.paths import shown
from sliceforge.engine.tables import as_text

KINDS = {
    "classes": "label,pred (0 or 1)",
    "probabilities": "label,p_<class>,p_<class> (0 or 1, and cross-entropy)",
    "words": "ref,hyp (words and characters wrong)",
    "iou": "iou (1 − IoU)",
    "loss": "loss (as it is)",
}
"""Set of columns → how messages name it."""

PREFIX = "p_"

SUM = 1e-3
"""How far from 1 probabilities may sum, and how far below 0 or above 1 one may be: they come in half precision too."""

LEAST = 1e-12
"""A probability below it counts as this where its logarithm is taken."""


@dataclass(frozen=True)
class Outcomes:
    """What `Predictions` holds, and the columns that it came from."""

    used: tuple[str, ...]
    loss: np.ndarray
    weight: np.ndarray | None = None
    labels: np.ndarray | None = None
    predicted: np.ndarray | None = None
    probabilities: np.ndarray | None = None
    classes: tuple[str, ...] = ()
    more: Mapping[str, np.ndarray] = field(default_factory=dict)


def found(table: pa.Table) -> list[str]:
    """Which of `KINDS` a table has the columns of; `pred` beside probabilities says what was chosen."""
    names = set(table.column_names)
    there = {
        "classes": {"label", "pred"} <= names,
        "probabilities": "label" in names and len(probable(table)) > 1,
        "words": {"ref", "hyp"} <= names,
        "iou": "iou" in names,
        "loss": "loss" in names,
    }
    there["classes"] &= not there["probabilities"]
    return [kind for kind, is_there in there.items() if is_there]


def probable(table: pa.Table) -> list[str]:
    """The columns of a table that hold a class's probabilities."""
    return [one.name for one in table.schema if one.name.startswith(PREFIX) and len(one.name) > 2 and _number(one.type)]


def outcomes(table: pa.Table, kind: str, where: str) -> Outcomes:
    """The losses of a table.

    Args:
        table: with `id`.
        kind: one of `KINDS`.
        where: how messages name it.

    Raises:
        SettingError: a value is wrong; it names the column and an id.
    """
    if kind == "words":
        return _words(table, where)
    if kind in ("iou", "loss"):
        values = _numbers(table, kind, where)
        if kind == "iou":
            _refuse(table, (values < 0) | (values > 1), values, f"{where}: iou", "a number from 0 to 1, such as 0.7")
        return Outcomes((kind,), 1 - values if kind == "iou" else values)
    labels = _texts(table, "label", where)
    predicted = _texts(table, "pred", where, labels) if "pred" in table.column_names else None
    if kind == "probabilities":
        return _probabilities(table, labels, predicted, where)
    assert predicted is not None
    classes = tuple(sorted({*labels, *predicted}))
    return Outcomes(("label", "pred"), (labels != predicted).astype(np.float64), None, labels, predicted, None, classes)


def _probabilities(table: pa.Table, labels: np.ndarray, predicted: np.ndarray | None, where: str) -> Outcomes:
    names = probable(table)
    classes = tuple(name.removeprefix(PREFIX) for name in names)
    p = np.column_stack([_numbers(table, name, where) for name in names])
    for name, column in zip(names, p.T, strict=True):
        _refuse(table, (column < -SUM) | (column > 1 + SUM), column, f"{where}: {name}", "a number from 0 to 1")
    total = p.sum(axis=1)
    what = f"{where}: {names[0]} … {names[-1]} together"
    _refuse(table, np.abs(total - 1) > SUM, total, what, f"1 within {SUM:g}, such as after a softmax")
    p = np.clip(p, 0, 1)
    for column, chosen in (("label", labels), ("pred", predicted)):
        if chosen is not None:
            known = f"one of the classes {shown(', '.join(classes), 120)}, as {PREFIX}<class> has them"
            _refuse(table, ~np.isin(chosen.astype(str), classes), chosen, f"{where}: {column}", known)
    place = {name: i for i, name in enumerate(classes)}
    true = np.array([place[label] for label in labels], np.int64)
    if predicted is None:
        predicted = np.array(classes, object)[p.argmax(axis=1)]
    loss = (labels != predicted).astype(np.float64)
    nats = -np.log(np.maximum(p[np.arange(len(p)), true], LEAST))
    used = ("label", *(["pred"] if "pred" in table.column_names else []), *names)
    return Outcomes(used, loss, None, labels, predicted, p, classes, {"cross_entropy": nats})


def _words(table: pa.Table, where: str) -> Outcomes:
    # An empty cell is a transcript without words.
    columns = [pc.fill_null(as_text(table[name], f"{where}: {name}"), "").to_pylist() for name in ("ref", "hyp")]
    counts = np.array([wrong(*pair) for pair in zip(*columns, strict=True)], np.float64)
    words, said, characters, written = counts.T
    said, written = np.maximum(said, 1), np.maximum(written, 1)
    return Outcomes(("ref", "hyp"), words / said, said, more={"cer": characters / written, "characters": written})


def _number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_floating(kind) or pa.types.is_integer(kind) or pa.types.is_decimal(kind))


def _numbers(table: pa.Table, name: str, where: str) -> np.ndarray:
    column = table[name]
    if not _number(column.type):
        raise SettingError(f"{where}: {name}: is {column.type}; expected numbers, such as 0.25")
    values: np.ndarray = pc.fill_null(column.cast(pa.float64()), np.nan).to_numpy()
    _refuse(table, ~np.isfinite(values), values, f"{where}: {name}", "a finite number, such as 0.25")
    return values


def _texts(table: pa.Table, name: str, where: str, labels: np.ndarray | None = None) -> np.ndarray:
    """A column of classes, (N,) text. Whole numbers are spelled as the labels spell them: 7 as 007."""
    column = as_text(table[name], f"{where}: {name}")
    values = column.to_numpy(zero_copy_only=False).astype(object)
    _refuse(table, column.is_null().to_numpy(), values, f"{where}: {name}", "a class in each row, such as cat")
    if labels is not None and pa.types.is_integer(table[name].type):
        spelled = {str(int(label)): label for label in {*labels} if label.isascii() and label.isdigit()}
        values = np.array([spelled.get(value, value) for value in values], object)
    return values


def _refuse(table: pa.Table, bad: np.ndarray, values: np.ndarray, what: str, expected: str) -> None:
    if not bad.any():
        return
    row = int(np.argmax(bad))
    value, item = values[row], shown(table["id"][row].as_py(), 60)
    said = "nothing" if value is None or value != value else f"{value:g}" if isinstance(value, float) else repr(value)
    more = f" and {int(bad.sum()) - 1} more rows" if bad.sum() > 1 else ""
    raise SettingError(f"{what}: is {shown(said, 60)} for {item!r}{more}; expected {expected}")
