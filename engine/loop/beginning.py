"""The loop's first steps: what the training set as it is teaches, where that is weak, and why."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sliceforge.engine import commit, sources
from sliceforge.engine.compose import compose
from sliceforge.engine.loop.diagnose.relabel import write_queue
from sliceforge.engine.loop.find.found import Found, find_slices
from sliceforge.engine.loop.pooled import joined, pooled
from sliceforge.engine.loop.rows import predictions
from sliceforge.engine.loop.steps import Done, digest, place
from sliceforge.engine.loop.trainings import Rows, Training, load, write_manifest

if TYPE_CHECKING:
    from sliceforge.engine.loop.loop import Loop

RELABEL = "relabel.csv"


def baseline(own: Loop) -> list[Path]:
    """Predictions by the training set as it is, one table for each seed: of a model that there is, or trained here."""

    def action(folder: Path) -> Done:
        if own.asked.predictions:
            paths = _given(own, folder)
        else:
            everything = np.ones(len(own.ground.train.table), bool)
            train = write_manifest(folder / f"train.{own.asked.table}", own.ground.manifest(everything))
            wanted = [Training(train, seed, folder, f"seed_{seed}") for seed in range(own.asked.seeds)]
            paths = own.trainings.done(wanted, counted(own, "baseline"))
        errors = [one.mean() for one in load(paths, own.ground.ids)]
        return {"predictions": _relative(own, paths), "errors": [round(one, 6) for one in errors]}

    found = own.step("baseline", {"seeds": own.asked.seeds, "given": own.asked.predictions}, action)
    return [own.home / path for path in found["predictions"]]


def find(own: Loop, before: Sequence[Path]) -> Done:
    """Weak slices on the rows that find."""

    def action(folder: Path) -> Done:
        rows = own.ground.part == "find"
        commit.write_table(folder / "predictions.parquet", pooled(before, own.ground.ids, rows))
        found = _search(own, folder, None)
        return {"slices": len(found.slices), "rows": int(rows.sum())}

    return dict(own.step("find", {"predictions": [digest(path) for path in before]}, action))


def diagnose(own: Loop, before: Sequence[Path]) -> Done:
    """Why each is weak, once the labels of the training set are judged by trainings that have not seen them."""

    def action(folder: Path) -> Done:
        folds = _folds(own, folder, before)
        shutil.copyfile(place(own.home, "find") / "predictions.parquet", folder / "predictions.parquet")
        found = _search(own, folder, folds, own.asked.data)
        if found.queue is not None:
            write_queue(own.home / RELABEL, found.queue)
        whole = found.doubts.whole
        causes = {one.name: one.cause for one in found.slices}
        lines = list(whole.lines) if whole and whole.fix else []
        if not lines and causes and set(causes.values()) == {"labels"}:
            lines = list(found.slices[0].evidence)
        said = list(whole.lines) if whole else ["not judged: the predictions have no probabilities, p_<class>"]
        return {"labels": lines, "gate": said, "causes": causes, "digest": digest(folder / "slices.yaml")}

    return dict(own.step("diagnose", {"folds": own.asked.folds, "find": digest(_slices(own))}, action))


def suspects(own: Loop) -> frozenset[str]:
    """Ids of training items whose label is doubted."""
    path = own.home / RELABEL
    if not _rows(path):
        return frozenset()
    doubted = predictions.read(str(path), "suspects")["id"].to_pylist()
    return frozenset(doubted).intersection(own.ground.train.table["id"].to_pylist())


def _rows(path: Path) -> bool:
    """Whether a queue has rows; one without any has its header alone."""
    return path.exists() and len(path.read_text("utf-8").splitlines()) > 1


def counted(own: Loop, name: str) -> Callable[[int, int], None]:
    """Tells of trainings as they end."""

    def told(done: int, wanted: int) -> None:
        own.said(f"{name}: {done} of {wanted} trainings")

    return told


def _search(own: Loop, folder: Path, folds: Path | None, train: str | None = None) -> Found:
    given = {
        "predictions": str(folder / "predictions.parquet"),
        "data": own.asked.eval,
        "pattern": own.asked.eval_pattern,
        "train": train,
        "train_pattern": own.asked.pattern if train else None,
        "train_predictions": str(folds) if folds else None,
        "out": str(folder / "slices.yaml"),
        "cluster": own.asked.cluster,
        "seed": own.asked.seed,
    }
    return find_slices({**compose("find", ()), **given})


def _folds(own: Loop, folder: Path, before: Sequence[Path]) -> Path | None:
    """Predictions of every training item by a training that has not seen it; None where nobody could judge by them."""
    probable = load(before[:1], own.ground.ids)[0].probabilities is not None
    if not own.asked.folds or not probable or "{eval}" not in own.trainings.command.text:
        return None
    path = folder / "folds.parquet"
    if path.exists():
        return path
    fold, everything = own.ground.fold(own.asked.folds), own.ground.manifest(np.ones(len(own.ground.train.table), bool))
    if fold.min() == fold.max():
        return None
    wanted = []
    for at in np.unique(fold).tolist():
        train = write_manifest(folder / f"fold_{at}.{own.asked.table}", own.ground.manifest(fold != at))
        rows = everything.filter(pa.array(fold == at)).drop_columns(["slice", "operation", "made", "parents"])
        held = write_manifest(folder / f"held_{at}.{own.asked.table}", rows)
        wanted.append(Training(train, 0, folder, f"fold_{at}", Rows(held, frozenset(rows["id"].to_pylist()))))
    commit.write_table(path, joined(own.trainings.done(wanted, counted(own, "diagnose"))))
    return path


def _given(own: Loop, folder: Path) -> list[Path]:
    """What a model that there is says of the evaluation rows, a copy of each table."""
    found = []
    for at, name in enumerate(sources.split(own.asked.predictions or "", "predictions")):
        table = predictions.read(name, "predictions")
        copy = folder / f"given_{at}.parquet"
        commit.write_table(copy, table.filter(pc.is_in(table["id"], value_set=pa.array(own.ground.ids))))
        found.append(copy)
    return found


def _slices(own: Loop) -> Path:
    return place(own.home, "find") / "slices.yaml"


def _relative(own: Loop, paths: Sequence[Path]) -> list[str]:
    return [path.relative_to(own.home).as_posix() for path in paths]
