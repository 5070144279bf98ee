"""The verb `verify`: predictions before and after, and slices, become a verdict."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from sliceforge.engine import predicate
from sliceforge.engine.errors import SettingError, did_you_mean
from sliceforge.engine.loop.rows import known, predictions, slices
from sliceforge.engine.loop.rows.predictions import Predictions
from sliceforge.engine.loop.verify.pairs import matched
from sliceforge.engine.loop.verify.verdict import Verdict, verify

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
    """

    verdict: Verdict
    rows: int
    left_out: int
    empty: tuple[str, ...]
    kind: str

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
        rest = {"empty": list(self.empty)} if self.empty else {}
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
    if not weak:
        raise SettingError(f"slices: {config['slices']}: no slice in it; expected the one that was worked on")
    names = [one.name for one in weak]
    chosen = config["weak"] or names[0]
    if chosen not in names:
        raise SettingError(f"weak: {chosen}: no such slice{did_you_mean(str(chosen), names)}")
    before, after = (predictions.load_many(config[key], key) for key in ("before", "after"))
    if before[0].kind != after[0].kind:
        raise SettingError(f"after: losses of kind {after[0].kind}; expected {before[0].kind}, as before has them")
    whole = known.of_rows(before[0], config["data"], config["pattern"])
    cluster = _cluster(config["cluster"], whole.table)
    masks = {one.name: predicate.select(whole.table, one.where, f"slices: {one.name}") for one in weak}
    out = _found_on(config["found_on"])
    counted = ~np.isin(before[0].ids.astype(str), out)
    if not counted.any():
        raise SettingError(
            f"found_on: {config['found_on']}: all rows are in it; expected rows that slices were not found on"
        )
    first = [_table(one, counted, cluster) for one in before]
    pairs = matched(first, [_table(one, ~np.isin(one.ids.astype(str), out)) for one in after])
    order = np.argsort(before[0].ids[counted].astype(str), kind="stable")
    masks = {slice_: mask[counted][order] for slice_, mask in masks.items()}
    empty = tuple(slice_ for slice_, mask in masks.items() if not (pairs.weights * mask).any())
    if chosen in empty:
        raise SettingError(f"weak: {chosen}: none of {int(counted.sum())} rows is in it; expected rows of the slice")
    some = {slice_: mask for slice_, mask in masks.items() if slice_ not in empty}
    verdict = verify(pairs, chosen, some, margin=_margin(config["margin"]), seed=config["seed"])
    return Verified(verdict, len(pairs.ids), int((~counted).sum()), empty, before[0].kind)


def _check_given(config: Mapping[str, Any]) -> None:
    for key, example in (
        ("before", "before=A.parquet"),
        ("after", "after=B.parquet"),
        ("slices", "slices=slices.yaml"),
    ):
        if not config[key]:
            raise SettingError(f"{key}: is not given; expected a table, such as {example}")


def _margin(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < math.inf:
        raise SettingError(f"margin: {value!r}: expected 0 or more in units of the loss, such as margin=0.01")
    return float(value)


def _cluster(column: str | None, rows: pa.Table) -> np.ndarray | None:
    """(N,) text, a row of its own where it says nothing."""
    if not column:
        return None
    if column not in rows.column_names:
        raise SettingError(f"cluster: {column}: no such column{did_you_mean(column, rows.column_names)}")
    values = zip(rows[column].to_pylist(), rows["id"].to_pylist(), strict=True)
    return np.array([f"={item}" if value is None else str(value) for value, item in values], object)


def _found_on(place: str | None) -> list[str]:
    return list(predictions.read(place, "found_on")["id"].to_pylist()) if place else []


def _table(one: Predictions, rows: np.ndarray, cluster: np.ndarray | None = None) -> pa.Table:
    fields = {"id": pa.array(one.ids[rows].tolist(), pa.string()), "loss": pa.array(one.loss[rows])}
    if one.weight is not None:
        fields["weight"] = pa.array(one.weight[rows])
    if cluster is not None:
        fields["cluster"] = pa.array(cluster[rows].tolist(), pa.string())
    return pa.table(fields)
