"""`find`: from predictions to slices.yaml, its page, and the queue of doubted labels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from sliceforge.engine import commit, device, predicate
from sliceforge.engine.errors import SettingError
from sliceforge.engine.loop.diagnose.doubts import Doubts, doubts
from sliceforge.engine.loop.diagnose.relabel import write_queue
from sliceforge.engine.loop.find import production
from sliceforge.engine.loop.find.clustered import Cluster, clusters_of
from sliceforge.engine.loop.find.drift import Drift, drift
from sliceforge.engine.loop.find.explained import explained
from sliceforge.engine.loop.find.find import Findings, find
from sliceforge.engine.loop.find.grouped import cluster_of, halves_of
from sliceforge.engine.loop.rows import predictions
from sliceforge.engine.loop.rows import slices as slices_file
from sliceforge.engine.loop.rows.columns import searchable
from sliceforge.engine.loop.rows.known import Known, of_items, of_rows
from sliceforge.engine.loop.rows.place import check_place
from sliceforge.engine.loop.rows.slices import WeakSlice
from sliceforge.engine.report import shell

DRIFT = "drift"
"""The kind of loss where the question is which rows are production's."""


@dataclass(frozen=True)
class Found:
    """What `find` found, and wrote.

    Args:
        out: slices.yaml; the page and the queue lie beside it.
        slices: in the order of what is to be won.
        findings: of the search, slice by slice the same.
        rows: what was searched, N rows; of drift, the evaluated rows and then production's.
        loss, weight: (N,).
        kind: wrong, words, iou, loss or drift.
        halves: (N,) bool, which rows are in the first half.
        finer: (N,) a loss that tells rows of the same loss apart, such as cross-entropy.
        said: (N,) the classes that the model chose, or None.
        doubts: the label gate.
        train: the training set, where it was given.
        drift: column by column, where production was given.
        production: its rows with all that is known of them, the last of `rows`.
        clusters: the weak ones of an embedding; None where there is none.
    """

    out: Path
    slices: tuple[WeakSlice, ...]
    findings: Findings
    rows: Known
    loss: np.ndarray
    weight: np.ndarray | None
    kind: str
    halves: np.ndarray
    finer: np.ndarray
    said: np.ndarray | None
    doubts: Doubts
    train: Known | None = None
    drift: Drift | None = None
    production: Known | None = None
    clusters: tuple[Cluster, ...] | None = None

    @property
    def page(self) -> Path:
        """The page's place."""
        return self.out.with_suffix(".html")

    @cached_property
    def queue(self) -> pa.Table | None:
        """The items whose labels are doubted, as `relabel.FIELDS`; None where nobody could doubt."""
        noisy = [one.where for one in self.slices if one.cause == "labels"]
        return self.doubts.queue(noisy) if self.doubts else None

    @property
    def queued(self) -> Path:
        """The queue's place."""
        return self.out.with_name("relabel.csv")

    @property
    def searched(self) -> Path:
        """The place of the ids that were searched: on them a gain comes out too large."""
        return self.out.with_suffix(".ids.parquet")

    def inside(self, one: WeakSlice) -> np.ndarray:
        """Which rows are in a slice, (N,) bool."""
        return predicate.select(self.rows.table, one.where, "where")


def find_slices(config: Mapping[str, Any]) -> Found:
    """Find weak slices, or drifted ones, say why they are weak, and write all of that.

    Args:
        config: of conf/find.yaml.

    Raises:
        SettingError: one line.
        RunError: a store does not answer.
    """
    _check(config)
    found = _drifted(config) if config["production"] else _weak(config)
    of = {
        "predictions": config["predictions"],
        **({"production": config["production"]} if config["production"] else {}),
        "rows": found.findings.rows,
        "error": found.findings.error,
        "loss": found.kind,
        "tested": list(found.findings.tested),
        "way": found.findings.way,
        "seed": config["seed"],
        "thresholds": found.findings.thresholds,
    }
    if found.clusters is not None:
        of["clusters"] = [one.plain() for one in found.clusters]
    if found.kind != DRIFT:
        commit.write_table(found.searched, _searched(found))
        of["found_on"] = found.searched.name
    whole = found.doubts.whole
    slices_file.write(found.out, found.slices, of, whole.plain() if whole else None)
    if found.queue is not None:
        write_queue(found.queued, found.queue)
    from sliceforge.engine.loop.find.page import page

    shell.write(found.page, page(found))
    return found


def _searched(found: Found) -> pa.Table:
    ids = found.rows.table.select(["id"])
    return ids.filter(pa.array(found.halves)) if found.findings.way == "half" else ids


def _check(config: Mapping[str, Any]) -> None:
    if not config["predictions"]:
        raise SettingError("predictions: expected a table of what a model said, such as predictions=P.parquet")
    check_place(config["out"], "slices.yaml")
    for name, needs in (("pattern", "data"), ("train_pattern", "train")):
        if config[name] and not config[needs]:
            raise SettingError(f"{name}: {config[name]!r}: is for the files of {needs}; expected {needs}=FOLDER too")


def _weak(config: Mapping[str, Any]) -> Found:
    """Slices of evaluated rows on which the model is worse."""
    rows = predictions.load(config["predictions"])
    known = of_rows(rows, config["data"], config["pattern"])
    train = of_items(config["train"], config["train_pattern"]) if config["train"] else None
    if train and known.kind not in ("", train.kind):
        raise SettingError(f"train: {config['train']}: is {train.kind}, and data is {known.kind}; expected the same")
    folded = predictions.load(folds, "train_predictions") if (folds := config["train_predictions"]) else None
    columns = known.table.select(searchable(known.table))
    cluster = cluster_of(known.table, config["cluster"])
    findings = _search(config, columns, known.table["id"].to_pylist(), rows.loss, rows.weight, cluster)
    where = [one.predicate for one in findings.slices]
    doubted = doubts(rows, known.table, folded, train and train.table, where)
    slices = explained(findings, known, doubted, train)
    finer = rows.more.get("cross_entropy", rows.loss)
    halves = halves_of(known.table, cluster, config["seed"])
    losses = (rows.loss, rows.weight, rows.kind, halves, finer, rows.predicted)
    second = clusters_of(config, known.table, columns, rows)
    return Found(Path(config["out"]), slices, findings, known, *losses, doubted, train, clusters=second)


def _drifted(config: Mapping[str, Any]) -> Found:
    """Slices that production has more of than the evaluated rows."""
    before, after = production.sides(config)
    columns, ids, loss = production.target(before.table, after.table)
    known = production.together(columns, ids, before, after)
    cluster = cluster_of(known.table, config["cluster"])
    findings = _search(config, columns, ids.tolist(), loss, None, cluster)
    slices = explained(findings, known, Doubts(), None)
    tests = drift(before.table, after.table)
    losses = (loss, None, DRIFT, halves_of(known.table, cluster, config["seed"]), loss, None)
    return Found(Path(config["out"]), slices, findings, known, *losses, Doubts(), drift=tests, production=after)


def _search(
    config: Mapping[str, Any],
    columns: pa.Table,
    ids: list[str],
    loss: np.ndarray,
    weight: np.ndarray | None,
    cluster: np.ndarray | None,
) -> Findings:
    if not columns.column_names:
        raise SettingError(
            "predictions: no column that rows could be grouped by; expected some, such as speaker, or data=EVAL"
        )
    place = device.CUDA if config["device"] == "auto" and not device.missing() else config["device"]
    place = device.named("cpu" if place == "auto" else place).name
    more = {name: config[name] for name in ("depth", "q", "seed", "way")}
    return find(columns, ids, loss, weight, cluster, device=place, **more)
