"""The verb `verify`: predictions before and after, and slices, become a verdict."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from sliceforge.engine import predicate
from sliceforge.engine.errors import SettingError, did_you_mean
from sliceforge.engine.loop.rows import known, predictions, slices
from sliceforge.engine.loop.rows.place import check_place
from sliceforge.engine.loop.rows.predictions import Predictions
from sliceforge.engine.loop.verify.pairs import matched
from sliceforge.engine.loop.verify.verdict import Verdict, verify
from sliceforge.engine.paths import shown

VERSION = 1


@dataclass(frozen=True)
class Verified:
    """A verdict, and what it is of.

    Args:
        verdict: see `verdict.verify`.
        rows: that count.
        left_out: rows that slices were found on.
        empty: slices of which no row counts.
        kind: of the loss.
        searched: slices were found on all of these rows, so that gains come out too large.
    """

    verdict: Verdict
    rows: int
    left_out: int
    empty: tuple[str, ...]
    kind: str
    searched: bool = False

    @property
    def code(self) -> int:
        """The exit code: 0 accept, 1 halve or reject."""
        return 0 if self.verdict.decision == "accept" else 1

    def sentence(self) -> str:
        """The verdict in a sentence."""
        return f"{self.verdict.decision}: {self.verdict.reason}"

    def plain(self) -> dict[str, Any]:
        """For YAML."""
        of = {"rows": self.rows, "left_out": self.left_out, "kind": self.kind}
        rest: dict[str, Any] = {"searched": True} if self.searched else {}
        rest |= {"empty": list(self.empty)} if self.empty else {}
        return {"version": VERSION, "of": of, **self.verdict.plain(), **rest}


def verified(config: Mapping[str, Any]) -> Verified:
    """Judge a change.

    Args:
        config: what `compose("verify", …)` returns.

    Raises:
        SettingError: a setting is wrong; tables do not fit each other; no row is left; an unknown column or slice.
    """
    _check_given(config)
    weak = slices.read(config["slices"])
    chosen = _chosen(config, [one.name for one in weak])
    before, after = (predictions.load_many(config[key], key) for key in ("before", "after"))
    if before[0].kind != after[0].kind:
        raise SettingError(f"after: losses of kind {after[0].kind}; expected {before[0].kind}, as before has them")
    whole = known.of_rows(before[0], config["data"], config["pattern"])
    more = {"cluster": _cluster(config["cluster"], whole.table), "label": _text("label", whole.table)}
    masks = {one.name: predicate.select(whole.table, one.where, f"slices: {one.name}") for one in weak}
    counted, searched = _counted(config, before[0].ids)
    pairs = matched([_table(one, more) for one in before], [_table(one, {}) for one in after])
    _same_labels(before[0], after[0])
    order = np.argsort(before[0].ids.astype(str), kind="stable")
    kept = counted[order]
    pairs, masks = pairs.take(kept), {name: mask[order][kept] for name, mask in masks.items()}
    empty = tuple(name for name, mask in masks.items() if not (pairs.weights * mask).any())
    if chosen in empty:
        raise SettingError(f"weak: {chosen}: none of {int(counted.sum())} rows is in it; expected rows of the slice")
    some = {name: mask for name, mask in masks.items() if name not in empty}
    verdict = verify(pairs, chosen, some, margin=_margin(config["margin"]), seed=config["seed"])
    return Verified(verdict, len(pairs.ids), int((~counted).sum()), empty, before[0].kind, searched)


def _chosen(config: Mapping[str, Any], names: Sequence[str]) -> str:
    if not names:
        raise SettingError(f"slices: {config['slices']}: no slice in it; expected the one that was worked on")
    chosen = str(config["weak"] or names[0])
    if chosen not in names:
        raise SettingError(f"weak: {chosen}: no such slice{did_you_mean(chosen, names)}")
    return chosen


def _counted(config: Mapping[str, Any], ids: np.ndarray) -> tuple[np.ndarray, bool]:
    """Which rows count, (N,) bool: those that slices were not found on; and whether all were searched, and count."""
    place = config["found_on"] or _found_on(config["slices"])
    if not place:
        return np.ones(len(ids), bool), False
    counted = ~np.isin(ids.astype(str), predictions.read(place, "found_on")["id"].to_numpy().astype(str))
    if counted.any():
        return counted, False
    if config["found_on"]:
        raise SettingError(f"found_on: {place}: all rows are in it; expected rows that slices were not found on")
    return ~counted, True


def _found_on(place: str) -> str | None:
    """The table of ids that `find` left beside its slices."""
    name = (slices.header(place).get("of") or {}).get("found_on")
    return str(Path(place).with_name(str(name))) if name else None


def _check_given(config: Mapping[str, Any]) -> None:
    for key, example in (
        ("before", "before=A.parquet"),
        ("after", "after=B.parquet"),
        ("slices", "slices=slices.yaml"),
    ):
        if not config[key]:
            raise SettingError(f"{key}: is not given; expected a table, such as {example}")
    check_place(config["out"], "verdict.yaml")


def _margin(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < math.inf:
        raise SettingError(f"margin: {value!r}: expected 0 or more in units of the loss, such as margin=0.01")
    return float(value)


def _cluster(column: str | None, rows: pa.Table) -> np.ndarray | None:
    """(N,) text, a row of its own where it says nothing."""
    if not column:
        return None
    values = _text(column, rows)
    if values is None:
        raise SettingError(f"cluster: {column}: no such column{did_you_mean(column, rows.column_names)}")
    return np.where(rows[column].is_null().to_numpy(), "id " + rows["id"].to_numpy().astype(object), "of " + values)


def _text(column: str, rows: pa.Table) -> np.ndarray | None:
    """(N,) text of a column; None: there is no such column."""
    if column not in rows.column_names:
        return None
    return np.array([str(value) for value in rows[column].to_pylist()], object)


def _same_labels(before: Predictions, after: Predictions) -> None:
    """What is right must not have changed between the tables, whose ids are the same."""
    if before.labels is None or after.labels is None:
        return
    first, second = (np.argsort(one.ids.astype(str), kind="stable") for one in (before, after))
    other = np.flatnonzero(before.labels[first] != after.labels[second])
    if len(other):
        was, is_ = before.labels[first[other[0]]], after.labels[second[other[0]]]
        item = shown(str(before.ids[first[other[0]]]), 60)
        raise SettingError(f"after: label: {item!r} is {shown(is_, 40)!r}; expected {shown(was, 40)!r}, as in before")


def _table(one: Predictions, more: Mapping[str, np.ndarray | None]) -> pa.Table:
    columns = {name: pa.array(values, pa.string()) for name, values in more.items() if values is not None}
    if one.weight is not None:
        columns["weight"] = pa.array(one.weight)
    return pa.table({"id": pa.array(one.ids, pa.string()), "loss": pa.array(one.loss), **columns})
