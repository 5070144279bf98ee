"""Which measured attributes of a slice the training set does not cover.

Two questions, since a slice `snr_est < 5` lies in a corner of every data set. Of an attribute that the slice is a
condition on: do as many training rows meet the condition as evaluated ones? Of any other: are the slice's values like
those of the training rows that meet the same conditions?
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from scipy.stats import hypergeom

from sliceforge.engine import predicate
from sliceforge.engine.loop.diagnose.spreads import shift, spread
from sliceforge.engine.loop.diagnose.two_samples import kolmogorov_smirnov
from sliceforge.engine.loop.rows.conditions import Condition, conditions
from sliceforge.engine.loop.rows.known import Known
from sliceforge.engine.loop.rows.slices import Range

PSI = 0.2
"""The index from which a distribution has shifted (Siddiqi 2006), less what two samples of one distribution have."""

ALPHA = 0.02
"""The chance that any of a slice's attributes is named although nothing differs: p · attributes is compared with it."""

UNDER = 1 / 3
"""A condition that so much less of the training rows meet than of the evaluated ones is not covered."""

FEW = 30
"""Training rows with a slice's metadata, below which they are few."""

COMPARED = 10
"""Training rows in a slice, below which nothing is said of its further attributes."""


@dataclass(frozen=True)
class Outside:
    """An attribute on which a slice lies where training does not.

    Args:
        column: its name.
        slice, training: where the values of either lie.
        own: whether the slice is a condition on it.
        psi: population stability index, without the bias of small samples.
        p: two-sided after Kolmogorov and Smirnov, or one-sided after Fisher for a condition; times the attributes.
    """

    column: str
    slice: Range
    training: Range
    own: bool
    psi: float
    p: float


@dataclass(frozen=True)
class Matched:
    """What training rows have of a slice's metadata.

    Args:
        metadata: the slice's conditions on columns that training has, and that are not measured.
        lacking: columns of the slice that training does not have.
        rows: training rows that meet `metadata`.
        few: whether they are fewer than `FEW`; never where there is no such condition.
    """

    metadata: tuple[Condition, ...]
    lacking: tuple[str, ...]
    rows: int
    few: bool


class Met:
    """Which rows of a table meet conditions; each is asked of the database once."""

    def __init__(self, table: pa.Table) -> None:
        self._table, self._known = table, dict[str, np.ndarray]()

    def __call__(self, every: Sequence[Condition]) -> np.ndarray:
        """Those that meet all of some conditions, (N,) bool."""
        inside = np.ones(len(self._table), bool)
        for one in every:
            if one.text not in self._known:
                self._known[one.text] = predicate.select(self._table, one.text, "where")
            inside &= self._known[one.text]
        return inside


def matched(where: str, rows: Known, train: Known, there: Met | None = None) -> Matched:
    """The metadata of a slice in the training set; `there` tells which rows of `train` meet what."""
    there = there or Met(train.table)
    names, every = set(train.table.column_names), conditions(where)
    plain = [one for one in every if not one.columns & set(rows.attributes)]
    metadata = tuple(one for one in plain if one.columns <= names)
    lacking = tuple(sorted({name for one in plain for name in one.columns - names}))
    count = int(there(metadata).sum())
    return Matched(metadata, lacking, count, bool(metadata) and count < FEW)


def outside(where: str, rows: Known, train: Known) -> list[Outside]:
    """The attributes that training does not cover: those of the slice's own conditions first, then by their index.

    Training rows of the same label are compared where the slice names one: a digit's duration follows from the digit.
    So are those of the same metadata, unless they are few; an attribute is then named only where the slice's median
    lies outside the 5–95 % of those few and of all training rows too: six clips may be of one speaker, and speakers,
    coils and sites differ somewhat from one another.

    Args:
        where: the slice.
        rows: evaluated.
        train: the training set.
    """
    names = [name for name in rows.attributes if name in train.attributes]
    of_rows, of_train = Met(rows.table), Met(train.table)
    found = matched(where, rows, train, of_train)
    every = conditions(where)
    base = [one for one in found.metadata if not found.few or one.columns == {"label"}]
    own = [one for one in every if one.columns & set(names)]
    own = [one for one in own if one.columns <= set(train.table.column_names)]
    inside, here, like = of_rows(every), of_rows(base), of_train(base)
    if not inside.any() or not like.any() or not names:
        return []
    named: dict[str, Outside] = {}
    for column, p in _not_met(own, of_rows, of_train, here, like, len(names)).items():
        if column in names:
            named[column] = _told(column, rows.numbers(column, inside), train.numbers(column, like), p, own=True)
    same = like & of_train(own)
    if own and int(same.sum()) < COMPARED:
        # Nothing is like the slice: what goes with its conditions is told beside them, and is no cause by itself.
        same = like if named else np.zeros(len(like), bool)
    wider = (of_train(found.metadata), np.ones(len(like), bool)) if found.few else ()
    taken = {name for one in own for name in one.columns}
    for column in names:
        values, known = rows.numbers(column, inside), train.numbers(column, same)
        if column not in taken and len(values) and len(known):
            others = [train.numbers(column, some) for some in wider]
            named |= _moved(column, values, known, others, len(names))
    return sorted(named.values(), key=lambda one: (not one.own, -one.psi, one.column))


def like_the_rest(found: Sequence[Outside], where: str, rows: Known) -> bool:
    """Whether a slice lies, on attributes that it is no condition on, where the other evaluated rows lie as well.

    What all of them have does not tell why the model is worse on some.
    """
    inside = predicate.select(rows.table, where, "where")
    for one in found:
        own, rest = rows.numbers(one.column, inside), rows.numbers(one.column, ~inside)
        if one.own or not len(rest) or kolmogorov_smirnov(rest, own)[1] * len(found) <= ALPHA:
            return False
    return True


def _moved(
    column: str, values: np.ndarray, known: np.ndarray, wider: Sequence[np.ndarray], tests: int
) -> dict[str, Outside]:
    """The column, where the slice's values are not like the known ones; with wider ones, where they lie beyond all."""
    p = min(1.0, kolmogorov_smirnov(known, values)[1] * tests)
    one = _told(column, values, known, p, own=False)
    if wider:
        apart = all(_beyond(one.slice, spread(some)) for some in wider if len(some))
    else:
        apart = _beyond(one.slice, one.training) or one.psi > PSI
    return {column: one} if p <= ALPHA and apart else {}


def _not_met(
    own: Sequence[Condition],
    rows: Met,
    train: Met,
    here: np.ndarray,
    like: np.ndarray,
    tests: int,
) -> dict[str, float]:
    """Column → p, of the conditions on attributes that far fewer training rows meet, one by one or all together."""
    total, known = int(here.sum()), int(like.sum())

    def missed(some: Sequence[Condition]) -> dict[str, float]:
        met_here, met_there = int((here & rows(some)).sum()), int((like & train(some)).sum())
        p = min(1.0, float(hypergeom.cdf(met_there, total + known, met_here + met_there, known)) * tests)
        under = p <= ALPHA and met_there / known <= UNDER * met_here / total
        return dict.fromkeys((name for one in some for name in one.columns), p) if under else {}

    found: dict[str, float] = {}
    for one in own:
        found |= missed([one])
    return found or (missed(own) if len(own) > 1 else {})


def _beyond(some: Range, others: Range) -> bool:
    return not others.low <= some.median <= others.high


def _told(column: str, values: np.ndarray, known: np.ndarray, p: float, own: bool) -> Outside:
    return Outside(column, spread(values), spread(known), own, shift(known, values), p)
