"""The slices of a search as slices.yaml has them: with a name, a cause where one can be told, and where they lie."""

from __future__ import annotations

import numpy as np

from sliceforge.engine import predicate
from sliceforge.engine.loop.diagnose.diagnose import diagnose
from sliceforge.engine.loop.diagnose.doubts import Doubts
from sliceforge.engine.loop.diagnose.noise import KNOWS
from sliceforge.engine.loop.diagnose.spreads import spread
from sliceforge.engine.loop.find.find import Findings
from sliceforge.engine.loop.rows.conditions import names
from sliceforge.engine.loop.rows.known import Known
from sliceforge.engine.loop.rows.slices import Range, WeakSlice


def explained(findings: Findings, rows: Known, doubts: Doubts, train: Known | None) -> tuple[WeakSlice, ...]:
    """Each slice of a search, in its order.

    Args:
        findings: of the search.
        rows: that were searched.
        doubts: the label gate.
        train: the training set; None: only labels can be told of.
    """
    found = []
    for one, name in zip(findings.slices, names([one.predicate for one in findings.slices]), strict=True):
        cause, evidence = _cause(one.predicate, rows, doubts, train)
        inside = predicate.select(rows.table, one.predicate, "where")
        figures = (one.rows, one.error, one.reference, one.gap, (one.low, one.high), one.p, one.q, one.mdg)
        ranges = _ranges(rows, inside)
        found.append(WeakSlice(name, one.predicate, *figures, one.recoverable, cause, evidence, ranges))
    return tuple(found)


def _cause(where: str, rows: Known, doubts: Doubts, train: Known | None) -> tuple[str | None, tuple[str, ...]]:
    first, last = doubts.first(where), doubts.last(where)
    if train is not None:
        why = diagnose(where, rows, train, first, last)
        return why.cause, why.evidence
    if first and first.fix:
        return "labels", first.lines
    # Without the training set nobody knows whether the model has seen anything like the slice.
    if last and last.fix and last.noise and last.noise.agrees >= KNOWS:
        return "labels", last.lines
    return None, tuple(line for one in (first, last) if one and not one.fix for line in one.lines)


def _ranges(rows: Known, inside: np.ndarray) -> dict[str, Range]:
    values = {name: rows.numbers(name, inside) for name in rows.attributes}
    return {name: spread(some) for name, some in values.items() if len(some)}
