"""Why a slice is weak: wrong labels, a nuisance that training does not have, too few examples, or none of these."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
import pyarrow.compute as pc

from sliceforge.engine.loop.diagnose.gate import Verdict
from sliceforge.engine.loop.diagnose.outside import FEW, Matched, Met, Outside, like_the_rest, matched, outside
from sliceforge.engine.loop.rows.conditions import PURE, in_words
from sliceforge.engine.loop.rows.known import Known
from sliceforge.engine.loop.rows.slices import Range
from sliceforge.engine.report.markup import number

SIBLINGS = 3
"""Rows are few, too, where the median of the column's other values has more than so many times as many."""

NAMED = 3
"""Attributes that are told of in full."""


@dataclass(frozen=True)
class Diagnosis:
    """A cause, `slices.CAUSES`, and why: lines in plain words."""

    cause: str
    evidence: tuple[str, ...]


def diagnose(
    where: str, rows: Known, train: Known, first: Verdict | None = None, last: Verdict | None = None
) -> Diagnosis:
    """Judge one slice: training labels, what training does not cover, what it has little of, evaluated labels.

    Args:
        where: the slice, SQL over the evaluated rows.
        rows: evaluated.
        train: the training set.
        first: the label gate over training rows out of fold; None: nothing to judge by.
        last: the same over the evaluated rows; a model that has seen nothing like them cannot doubt their labels, so
            that it counts only where training covers the slice.

    Raises:
        SettingError: the predicate is none of the rows'.
    """
    if first and first.fix:
        return Diagnosis("labels", first.lines)
    judged = first.lines if first else ()
    found, there = outside(where, rows, train), matched(where, rows, train)
    lacking = tuple(f"training has no column {name}" for name in there.lacking)
    scarce, counted = _scarce(there, train)
    if found and scarce and like_the_rest(found, where, rows):
        shared = "the other evaluated rows lie there too, and the model is better on them"
        return Diagnosis("scarcity", (*counted, *_shifted(found, train), shared, *lacking, *judged))
    if found:
        return Diagnosis("nuisance", (*_shifted(found, train), *lacking, *judged))
    covered = f"its measured attributes are covered: none of {len(rows.attributes)} lies outside training's"
    covered = covered if rows.attributes else "no attribute is measured of its items"
    if scarce:
        return Diagnosis("scarcity", (*counted, covered, *lacking, *judged))
    judged += last.lines if last else ()
    if last and last.fix:
        return Diagnosis("labels", (*last.lines, *counted, covered, *lacking))
    like = f"training has enough like it ({in_words(where, rows.units)})"
    if there.lacking:
        like = f"whether training has enough like it ({in_words(where, rows.units)}) is not known"
    like += ": collect more of it, or look at its labels"
    return Diagnosis("neither", (*counted, covered, *lacking, *judged, like))


def _shifted(found: list[Outside], train: Known) -> tuple[str, ...]:
    moved = Counter(train.attributes[one.column].acts_on for one in found)
    # Of what goes together, such as the pauses, the band and the tilt of a noisy clip, what most agree on comes first.
    found = sorted(found, key=lambda one: (not one.own, -moved[train.attributes[one.column].acts_on], -one.psi))
    lines = []
    for one in found[:NAMED]:
        attribute = train.attributes[one.column]
        unit = f" {attribute.unit}" if attribute.unit and attribute.unit not in PURE else ""
        setting = f"{attribute.acts_on} acts on it" if attribute.acts_on else "no setting of a recipe acts on it"
        lines.append(
            f"{one.column}: the slice lies at {_range(one.slice)}{unit}, training at {_range(one.training)}{unit} "
            f"(5 to 95 %); PSI {number(one.psi)}, p {_tiny(one.p)}; {setting}"
        )
    rest = [(one.column, train.attributes[one.column].acts_on) for one in found[NAMED:]]
    if rest:
        lines.append(f"and with it {', '.join(f'{name} ({setting})' if setting else name for name, setting in rest)}")
    return tuple(lines)


def _tiny(p: float) -> str:
    return f"{p:.1g}" if p >= 1e-9 else "< 1e-9"


def _range(one: Range) -> str:
    return f"{number(one.low)} to {number(one.high)}"


def _scarce(there: Matched, train: Known) -> tuple[bool, tuple[str, ...]]:
    """Whether training has few rows with the slice's metadata, and how many it has."""
    if not there.metadata:
        return False, ()
    said = " AND ".join(one.text for one in there.metadata)
    line = f"{there.rows} of {len(train.table)} training items have {said}"
    few = there.few
    lines = [f"{line}; fewer than {FEW} are few" if few else line]
    for one in there.metadata:
        counts = _siblings(one.column, one.value, there, train) if one.sign == "=" else np.zeros(0)
        if len(counts):
            median = float(np.median(counts))
            few |= there.rows < median / SIBLINGS
            lines.append(f"other values of {one.column} have {number(median)} as median ({len(counts)} of them)")
    return few, tuple(lines)


def _siblings(column: str, value: str, there: Matched, train: Known) -> np.ndarray:
    """How many training rows have each other value of a column, the slice's further metadata being the same."""
    others = [one for one in there.metadata if one.column != column]
    table = train.table.filter(Met(train.table)(others))
    counts = pc.value_counts(table[column].drop_null())
    known = zip(counts.field("values").to_pylist(), counts.field("counts").to_pylist(), strict=True)
    return np.array([count for other, count in known if str(other) != value], np.float64)
