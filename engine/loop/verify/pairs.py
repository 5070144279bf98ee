"""Losses of the same evaluation rows under two trainings, paired by id."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from sliceforge.engine.errors import SettingError


@dataclass(frozen=True)
class Pairs:
    """Losses of the same evaluation rows under models trained before and after a change.

    Args:
        ids: (N,) names of the rows.
        before: (S, N) float64, one line per seed.
        after: (T, N) float64, one line per seed.
        weight: (N,) what a row counts, such as the words of its transcript; None: 1 each.
        cluster: (N,) which rows belong together (a speaker, a coil, a tile); None: none do.
        label: (N,) the true class; None: there are no classes.

    Raises:
        SettingError: the shapes do not fit, a loss or a weight is not finite, or a weight is negative.
    """

    ids: np.ndarray
    before: np.ndarray
    after: np.ndarray
    weight: np.ndarray | None = None
    cluster: np.ndarray | None = None
    label: np.ndarray | None = None

    def __post_init__(self) -> None:
        rows = len(self.ids)
        for name in ("before", "after"):
            losses = np.atleast_2d(np.asarray(getattr(self, name), np.float64))
            if losses.shape[1:] != (rows,) or not len(losses):
                raise SettingError(f"{name}: losses of shape {losses.shape}; expected seeds × rows, as (3, {rows})")
            bad = self.ids[~np.isfinite(losses).all(axis=0)]
            if len(bad):
                raise SettingError(f"{name}: the loss of {bad[0]} is not a number; expected one, such as 0 or 1")
            object.__setattr__(self, name, losses)
        for name in ("weight", "cluster", "label"):
            given = getattr(self, name)
            if given is not None and np.shape(given) != (rows,):
                raise SettingError(f"{name}: shape {np.shape(given)}; expected one value per row, ({rows},)")
        if not (np.isfinite(self.weights) & (self.weights >= 0)).all():
            raise SettingError("weight: negative or not a number; expected 0 or more, such as a transcript's words")

    def take(self, rows: np.ndarray) -> Pairs:
        """Some rows, (N,) bool."""
        more = (self.weight, self.cluster, self.label)
        some = (None if column is None else np.asarray(column)[rows] for column in more)
        return Pairs(self.ids[rows], self.before[:, rows], self.after[:, rows], *some)

    @property
    def weights(self) -> np.ndarray:
        """(N,) float64."""
        return np.ones(len(self.ids)) if self.weight is None else np.asarray(self.weight, np.float64)

    @property
    def units(self) -> np.ndarray:
        """(N,) whole numbers from 0: what is independent of what; a cluster, or a row where there are no clusters."""
        if self.cluster is None:
            return np.arange(len(self.ids))
        return np.unique(np.asarray(self.cluster), return_inverse=True)[1].reshape(-1)


def matched(before: Sequence[pa.Table], after: Sequence[pa.Table]) -> Pairs:
    """Pair tables of predictions by their ids; the order of their rows does not matter.

    Args:
        before, after: one table per seed, with columns `id` and `loss`, and maybe `weight`, `cluster` and `label`,
            which are taken from the first.

    Returns:
        Rows sorted by id.

    Raises:
        SettingError: a column is missing, an id comes twice, the tables have other ids, or a value is missing.
    """
    if not before or not after:
        raise SettingError(f"verify: {len(before)} tables before and {len(after)} after; expected one of each at least")
    ids, first, order = _column(before[0], "id"), None, None
    losses: dict[str, list[np.ndarray]] = {"before": [], "after": []}
    for name, tables in (("before", before), ("after", after)):
        for number, table in enumerate(tables):
            here = _column(table, "id")
            order = np.argsort(here, kind="stable")
            _same_ids(np.sort(ids), here[order], f"{name}[{number}]")
            losses[name].append(np.asarray(_column(table, "loss"), np.float64)[order])
            first = order if first is None else first
    extra = {n: _column(before[0], n)[first] for n in ("weight", "cluster", "label") if n in before[0].column_names}
    return Pairs(np.sort(ids), np.stack(losses["before"]), np.stack(losses["after"]), **extra)


def _column(table: pa.Table, name: str) -> np.ndarray:
    if name not in table.column_names:
        raise SettingError(f"predictions: no column {name} among {', '.join(table.column_names)}; expected id and loss")
    if table[name].null_count:
        raise SettingError(f"predictions: {table[name].null_count} rows without {name}; expected a value in each")
    values = table[name].to_numpy()
    return values.astype(str) if values.dtype == object or name == "id" else values


def _same_ids(known: np.ndarray, ids: np.ndarray, where: str) -> None:
    twice = ids[:-1][ids[:-1] == ids[1:]]
    if len(twice):
        raise SettingError(f"{where}: id {twice[0]} comes twice; expected one row per id")
    other = np.setxor1d(known, ids)
    if len(other):
        raise SettingError(f"{where}: id {other[0]} is not in every table; expected the same {len(known)} ids")
