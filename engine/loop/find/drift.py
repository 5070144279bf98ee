"""Whether production looks like the evaluation rows: one test for each column, all of them judged together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sliceforge.engine.errors import SettingError
from sliceforge.engine.loop.diagnose.two_samples import chi_square, kolmogorov_smirnov, stability
from sliceforge.engine.loop.find.statistics import benjamini_hochberg
from sliceforge.engine.loop.rows.columns import searchable
from sliceforge.engine.placing import COLUMNS

Q = 0.05
"""The false discovery rate."""

BINS = 10
"""Quantile bins of the reference that the PSI of a number is taken over."""

LEAST_EXPECTED = 5.0
"""Rows of a level that chi-square needs on either side, if nothing had changed; rarer levels count as one."""

LEAST = 2
"""Rows of either table."""


@dataclass(frozen=True)
class Drifted:
    """What became of one column.

    Args:
        column: its name.
        test: `ks`, two samples of numbers after Kolmogorov and Smirnov; `chi2`, levels after Pearson.
        statistic: the greatest difference of the two distribution functions, or chi-square.
        p: of the test, no drift assumed; of a number that is missing in places, twice the least of its own and of
            that of being missing.
        adjusted: p after Benjamini and Hochberg over all columns.
        psi: population stability index, Σ (q − p)·ln(q / p).
        alarm: whether adjusted ≤ 0.05.
    """

    column: str
    test: str
    statistic: float
    p: float
    adjusted: float
    psi: float
    alarm: bool


@dataclass(frozen=True)
class Drift:
    """How production differs from a reference, the surest column first.

    Args:
        reference, production: rows.
        columns: each that was tested, by adjusted p, then by PSI, the greatest first.
    """

    reference: int
    production: int
    columns: tuple[Drifted, ...]

    @property
    def alarms(self) -> tuple[Drifted, ...]:
        """The columns that have drifted."""
        return tuple(one for one in self.columns if one.alarm)

    def plain(self) -> dict[str, Any]:
        """As YAML or JSON can hold it."""
        return {**asdict(self), "columns": [asdict(one) for one in self.columns]}


def drift(reference: pa.Table, production: pa.Table, q: float = Q) -> Drift:
    """Test every column that both tables have, attributes, metadata and `p_<class>` alike; what names items is not.

    Kolmogorov–Smirnov for floats and for whole numbers, chi-square for text and truth, where missing is a level;
    Benjamini–Hochberg over all of them, under which no drift at all gives an alarm in at most a share q of cases.

    Args:
        reference: evaluation or training rows, such as `columns.joined` returns for what `predictions.read` did.
        production: likewise; no `label` is needed.
        q: the false discovery rate.

    Raises:
        SettingError: fewer than two rows, no column in common, or one that is text in one and numbers in the other.
    """
    found = []
    for name, before, after in pairs(reference, production):
        if _numeric(before.type):
            found.append((name, "ks", *_number(before, after)))
        else:
            found.append((name, "chi2", *_levels(before, after)))
    if not found:
        raise SettingError("production: none of its columns can be tested; expected numbers, or texts of few values")
    adjusted, _ = benjamini_hochberg(np.array([p for _, _, _, p, _ in found]), q, len(found))
    columns = [
        Drifted(name, test, statistic, p, float(one), psi, bool(one <= q))
        for (name, test, statistic, p, psi), one in zip(found, adjusted, strict=True)
    ]
    order = sorted(columns, key=lambda one: (one.adjusted, -one.psi, one.column))
    return Drift(len(reference), len(production), tuple(order))


def pairs(reference: pa.Table, production: pa.Table) -> list[tuple[str, pa.ChunkedArray, pa.ChunkedArray]]:
    """Each column that both tables have and that can be tested: (name, of the reference, of production), of one type.

    Raises:
        SettingError: as of `drift`.
    """
    for name, table in (("reference", reference), ("production", production)):
        if len(table) < LEAST:
            raise SettingError(f"{name}: {len(table)} rows; expected at least {LEAST}")
    shared = [name for name in reference.column_names if name in production.column_names]
    # A manifest has them all: one that nobody filled in says nothing of what drifted, and would hide what did.
    unfilled = [name for name in COLUMNS if name in shared and _lacked(reference[name], production[name])]
    shared = [name for name in shared if name not in unfilled]
    if not [name for name in shared if name != "id"]:
        raise SettingError("production: has no column of the reference's; expected the same, such as snr_est")
    sides: tuple[dict[str, pa.ChunkedArray], dict[str, pa.ChunkedArray]] = {}, {}
    for name in shared:
        pair = reference[name], production[name]
        kinds = {_numeric(side.type) for side in pair if not pa.types.is_null(side.type)}
        if any(pa.types.is_nested(side.type) for side in pair):
            continue
        if len(kinds) > 1:
            found, expected = (side.type for side in reversed(pair))
            raise SettingError(f"production: {name}: is {found}, and in the reference {expected}; expected the same")
        if pair[0].type != pair[1].type:
            kind = pa.float64() if kinds == {True} else pa.string()
            pair = pair[0].cast(kind), pair[1].cast(kind)
        for side, column in zip(sides, pair, strict=True):
            side[name] = column
    before, after = map(pa.table, sides)
    names = searchable(pa.concat_tables([before, after]))
    names += [name for name in ("pred",) if name in before.column_names]
    return [(name, before[name], after[name]) for name in names]


def _lacked(before: pa.ChunkedArray, after: pa.ChunkedArray) -> bool:
    return any(len(side) == side.null_count for side in (before, after))


def _numeric(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))


def _known(column: pa.ChunkedArray) -> np.ndarray:
    values: np.ndarray = pc.drop_null(column.cast(pa.float64())).to_numpy()
    return values[~np.isnan(values)]


def _number(before: pa.ChunkedArray, after: pa.ChunkedArray) -> tuple[float, float, float]:
    """(statistic, p, PSI) of numbers."""
    sides = [_known(side) for side in (before, after)]
    missing = [len(column) - len(side) for column, side in zip((before, after), sides, strict=True)]
    statistic, p = kolmogorov_smirnov(*sides) if all(map(len, sides)) else (0.0, 1.0)
    if any(missing):
        table = [np.array([len(side), lost]) for side, lost in zip(sides, missing, strict=True)]
        p = min(1.0, 2 * min(p, chi_square(*table)[1]))
    whole = sides[0] if len(sides[0]) else sides[1]
    edges = np.unique(np.quantile(whole, np.arange(1, BINS) / BINS))
    counts = [np.bincount(np.searchsorted(edges, side, side="right"), minlength=len(edges) + 1) for side in sides]
    if any(missing):
        counts = [np.append(count, lost) for count, lost in zip(counts, missing, strict=True)]
    return statistic, p, stability(*counts)


def _levels(before: pa.ChunkedArray, after: pa.ChunkedArray) -> tuple[float, float, float]:
    """(statistic, p, PSI) of texts."""
    counts = [_counted(side) for side in (before, after)]
    names = sorted({*counts[0], *counts[1]}, key=lambda name: (name is None, name or ""))
    table = np.array([[count.get(name, 0) for name in names] for count in counts], np.float64)
    expected = table.sum(axis=0) * (min(len(before), len(after)) / (len(before) + len(after)))
    rare = expected < LEAST_EXPECTED
    if rare.sum() > 1:
        table = np.column_stack([table[:, ~rare], table[:, rare].sum(axis=1)])
    return *chi_square(*table), stability(*table)


def _counted(column: pa.ChunkedArray) -> Mapping[str | None, int]:
    counts = pc.value_counts(column.cast(pa.string()))
    return dict(zip(counts.field("values").to_pylist(), counts.field("counts").to_pylist(), strict=True))
