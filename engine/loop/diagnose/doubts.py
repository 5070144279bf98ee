"""What the label gate says of evaluated rows and of training rows, slice by slice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sliceforge.engine import predicate
from sliceforge.engine.errors import SettingError
from sliceforge.engine.loop.diagnose.diagnose import SIBLINGS
from sliceforge.engine.loop.diagnose.distances import nominal
from sliceforge.engine.loop.diagnose.gate import Verdict, first_of_all, label_gate
from sliceforge.engine.loop.diagnose.labellers import Labellers, labellers
from sliceforge.engine.loop.diagnose.outside import FEW
from sliceforge.engine.loop.diagnose.relabel import merged
from sliceforge.engine.loop.rows.predictions import Predictions


@dataclass(frozen=True)
class Side:
    """Labels that a model judges which has not seen them, or that several people gave.

    Args:
        what: evaluation or training, for the evidence.
        rows: with probabilities, or None where labellers alone can judge.
        table: N rows, the same, with all that is known of them.
        seen: (N,) bool, rows whose class the model has seen enough of to doubt it; None: all.
    """

    what: str
    rows: Predictions | None
    table: pa.Table
    seen: np.ndarray | None = None

    @cached_property
    def labellers(self) -> Labellers | None:
        """Those of the table."""
        return labellers(self.table)

    def gate(self, inside: np.ndarray | None = None) -> Verdict | None:
        """The verdict of some rows, (N,) bool; None: all. Thresholds come from all. None where nobody can judge."""
        names, by = self.table.column_names, self.labellers
        ratings = by.ratings if by and by.some(inside) else None
        model = self.rows if self.rows and self.rows.probabilities is not None else None
        if self.seen is not None and not ratings:  # people may doubt any label
            inside = self.seen if inside is None else inside & self.seen
        if (inside is not None and not inside.any()) or not (ratings or model):
            return None
        paths = self.table["path"].to_pylist() if "path" in names else None
        judged: dict[str, Any] = {
            "labels": model.labels.tolist() if model and model.labels is not None else None,
            "probabilities": model.probabilities if model else None,
            "classes": model.classes if model else (),
            "distance": by.distance if by else nominal,
        }
        found = label_gate(self.table["id"].to_pylist(), rows=inside, paths=paths, ratings=ratings, **judged)
        return replace(found, lines=tuple(map(self._told, found.lines)))

    def _told(self, line: str) -> str:
        return line if line.startswith("fix") else f"{self.what}{'' if line.startswith('label') else ':'} {line}"

    def inside(self, where: str) -> np.ndarray | None:
        """The rows of a slice, (N,) bool; None where the table lacks a column of it."""
        if not predicate.columns(where) <= set(self.table.column_names):
            return None
        return predicate.select(self.table, where, "where")


@dataclass(frozen=True)
class Doubts:
    """The label gate over training rows, over evaluated rows, or both.

    Training labels are judged first of all. Evaluated ones are judged by a model that must have seen others like them,
    and a weak slice is one on which it errs: there they are judged after everything else that may be why.

    Args:
        trained, evaluated: None where nobody can judge.
        slices: the predicates of the weak slices.
    """

    trained: Side | None = None
    evaluated: Side | None = None
    slices: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.trained or self.evaluated)

    @cached_property
    def whole(self) -> Verdict | None:
        """Of all training rows, and of the evaluated ones outside the slices; None where nobody can judge."""
        return _both(self._sides)

    def first(self, where: str) -> Verdict | None:
        """Of the training rows of a slice; of all rows, where those are none or not judged and all are noisy."""
        own = _of(self.trained, where)
        judged = own is not None and (own.agreement is not None or (own.noise is not None and own.noise.judged))
        return self.whole if self.whole and self.whole.fix and not judged else own

    def last(self, where: str) -> Verdict | None:
        """Of the evaluated rows of a slice."""
        return _of(self.evaluated, where)

    def queue(self, noisy: Sequence[str]) -> pa.Table:
        """Every training row whose label is doubted, and the evaluated ones but those on which the model is weak.

        Args:
            noisy: the slices whose labels are wrong; their rows are doubted too.
        """
        found = [said for where in noisy for said in (self.first(where), self.last(where)) if said]
        return merged([one.queue for one in (*self._sides, *found)])

    @cached_property
    def _sides(self) -> list[Verdict]:
        found = [self.trained.gate()] if self.trained else []
        found += [self.evaluated.gate(self._outside())] if self.evaluated else []
        return [one for one in found if one]

    def _outside(self) -> np.ndarray | None:
        """The evaluated rows in no slice, (N,) bool; None where there are none."""
        assert self.evaluated is not None
        rest = np.ones(len(self.evaluated.table), bool)
        for where in self.slices:
            inside = self.evaluated.inside(where)
            rest &= ~inside if inside is not None else True
        return rest if rest.any() else None


def _of(side: Side | None, where: str) -> Verdict | None:
    inside = side.inside(where) if side else None
    return side.gate(inside) if side and inside is not None else None


def _both(found: Sequence[Verdict]) -> Verdict | None:
    """One verdict of several: closed where one of them is."""
    if len(found) < 2:
        return found[0] if found else None
    first, queue = next((one for one in found if one.fix), found[0]), merged([one.queue for one in found])
    lines = [line for one in (first, *(one for one in found if one is not first)) for line in one.lines]
    if first.fix:
        lines = [first_of_all(len(queue)), *(line for line in lines if not line.startswith("fix"))]
    return replace(first, lines=tuple(lines), queue=queue)


def doubts(
    rows: Predictions, table: pa.Table, folds: Predictions | None, train: pa.Table | None, slices: Sequence[str]
) -> Doubts:
    """The sides that can be judged.

    Args:
        rows, table: evaluated, and all that is known of them.
        folds, train: out-of-fold predictions of training rows, and all that is known of the training set.
        slices: predicates.

    Raises:
        SettingError: the out-of-fold predictions have no probabilities, or an id that the training set lacks.
    """
    counts = _counts(folds.labelled() if folds is not None else train)
    evaluated = _side("evaluation", rows, table, counts)
    if folds is None:
        return Doubts(None if train is None else _side("training", None, train), evaluated, tuple(slices))
    if folds.probabilities is None:
        raise SettingError("train_predictions: no probabilities; expected columns label,p_<class>,p_<class>")
    known = folds.labelled()
    if train is not None:
        places = pc.index_in(pa.array(folds.ids, pa.string()), train["id"].combine_chunks())
        if places.null_count:
            one = folds.ids[places.is_null().to_numpy(zero_copy_only=False)][0]
            raise SettingError(f"train_predictions: {one!r} is not in train; expected ids of the training set")
        known = train.take(places)
    return Doubts(_side("training", folds, known, counts), evaluated, tuple(slices))


def _counts(train: pa.Table | None) -> dict[str, int]:
    """Class → training items; empty where the training set is not known, or has no classes."""
    if train is None or "label" not in train.column_names:
        return {}
    return Counter(str(label) for label in train["label"].to_pylist())


def _side(what: str, rows: Predictions | None, table: pa.Table, counts: Mapping[str, int] | None = None) -> Side | None:
    seen = None
    if counts and rows is not None and rows.labels is not None:
        least = min(FEW, float(np.median(list(counts.values()))) / SIBLINGS)
        seen = np.array([counts.get(str(label), 0) >= least for label in rows.labels], bool)
    side = Side(what, rows, table, seen)
    return side if side.labellers or (rows and rows.probabilities is not None) else None
