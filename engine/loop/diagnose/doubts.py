"""What the label gate says of evaluated rows and of training rows, slice by slice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sliceforge.engine import predicate
from sliceforge.engine.errors import SettingError
from sliceforge.engine.loop.diagnose.gate import Verdict, label_gate
from sliceforge.engine.loop.diagnose.relabel import merged
from sliceforge.engine.loop.rows.predictions import Predictions


@dataclass(frozen=True)
class Side:
    """Labels that a model judges which has not seen them.

    Args:
        what: evaluation or training, for the evidence.
        rows: with probabilities.
        table: N rows with all that is known of them.
    """

    what: str
    rows: Predictions
    table: pa.Table

    def gate(self, inside: np.ndarray | None = None) -> Verdict:
        """The verdict of some rows, (N,) bool; None: all. Thresholds come from all."""
        paths = self.table["path"].to_pylist() if "path" in self.table.column_names else None
        ids, labels = self.rows.ids.tolist(), None if self.rows.labels is None else self.rows.labels.tolist()
        return label_gate(ids, labels, self.rows.probabilities, self.rows.classes, rows=inside, paths=paths)

    def inside(self, where: str) -> np.ndarray | None:
        """The rows of a slice, (N,) bool; None where the table lacks a column of it."""
        if not predicate.columns(where) <= set(self.table.column_names):
            return None
        return predicate.select(self.table, where, "where")


@dataclass(frozen=True)
class Doubts:
    """The label gate over training rows out of fold, over evaluated rows, or both.

    Training labels are judged first of all. Evaluated ones are judged by a model that must have seen others like them,
    and a weak slice is one on which it errs: there they are judged after everything else that may be why.

    Args:
        trained, evaluated: None without probabilities.
        slices: the predicates of the weak slices.
    """

    trained: Side | None = None
    evaluated: Side | None = None
    slices: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.trained or self.evaluated)

    @cached_property
    def whole(self) -> Verdict | None:
        """Of all training rows, and of the evaluated ones outside the slices; None without probabilities."""
        found = [_named(self.trained, self.trained.gate())] if self.trained else []
        if self.evaluated:
            found.append(_named(self.evaluated, self.evaluated.gate(self._outside())))
        return _both(found)

    def first(self, where: str) -> Verdict | None:
        """Of the training rows of a slice; of all rows, where those are none or not judged and all are noisy."""
        own = _of(self.trained, where)
        judged = own is not None and own.noise is not None and own.noise.judged
        return self.whole if self.whole and self.whole.fix and not judged else own

    def last(self, where: str) -> Verdict | None:
        """Of the evaluated rows of a slice."""
        return _of(self.evaluated, where)

    def queue(self, noisy: Sequence[str]) -> pa.Table:
        """Every training row whose label is doubted, and the evaluated ones but those on which the model is weak.

        Args:
            noisy: the slices whose labels are wrong; their rows are doubted too.
        """
        found = [self.trained.gate().queue] if self.trained else []
        if self.evaluated:
            found.append(self.evaluated.gate(self._outside()).queue)
            found += [verdict.queue for where in noisy if (verdict := self.last(where))]
        return merged(found)

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
    return _named(side, side.gate(inside)) if side and inside is not None and inside.any() else None


def _named(side: Side, verdict: Verdict) -> Verdict:
    lines = tuple(line if line.startswith("fix") else f"{side.what} {line}" for line in verdict.lines)
    return Verdict(verdict.fix, lines, verdict.queue, verdict.noise, verdict.agreement, verdict.conventions)


def _both(found: Sequence[Verdict]) -> Verdict | None:
    """One verdict of several: closed where one of them is."""
    if len(found) < 2:
        return found[0] if found else None
    first = next((one for one in found if one.fix), found[0])
    others = [line for one in found if one is not first for line in one.lines]
    return Verdict(first.fix, (*first.lines, *others), merged([one.queue for one in found]), first.noise)


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
    evaluated = Side("evaluation", rows, table) if rows.probabilities is not None else None
    if folds is None:
        return Doubts(None, evaluated, tuple(slices))
    if folds.probabilities is None:
        raise SettingError("train_predictions: no probabilities; expected columns label,p_<class>,p_<class>")
    known = folds.labelled()
    if train is not None:
        places = pc.index_in(pa.array(folds.ids, pa.string()), train["id"].combine_chunks())
        if places.null_count:
            one = folds.ids[places.is_null().to_numpy(zero_copy_only=False)][0]
            raise SettingError(f"train_predictions: {one!r} is not in train; expected ids of the training set")
        known = train.take(places)
    return Doubts(Side("training", folds, known), evaluated, tuple(slices))
