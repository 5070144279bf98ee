"""Trainings by the user's own command: each a folder with what it said of the evaluation rows, done once."""

from __future__ import annotations

import json
import os
import shutil
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import csv

from sliceforge.engine import commit
from sliceforge.engine.errors import SettingError
from sliceforge.engine.loop.answered import answered
from sliceforge.engine.loop.command import Command
from sliceforge.engine.loop.rows import predictions
from sliceforge.engine.loop.rows.predictions import Predictions
from sliceforge.engine.loop.steps import digest
from sliceforge.engine.paths import shown

RECEIPT = "training.json"
BEGUN = ".begun-"
"""How the folders of trainings begin that are not finished."""


@dataclass(frozen=True)
class Rows:
    """What a training must say something of.

    Args:
        place: the manifest, what `{eval}` is.
        ids: of its rows.
    """

    place: Path
    ids: frozenset[str]


@dataclass(frozen=True)
class Training:
    """One training.

    Args:
        train: the training manifest.
        seed: what `{seed}` is.
        step: the folder of the step that it belongs to.
        name: of its folder there.
        rows: that it judges; None: the evaluation rows.
    """

    train: Path
    seed: int
    step: Path
    name: str
    rows: Rows | None = None


@dataclass(frozen=True)
class Trainings:
    """The trainings of a loop: those with the same command, manifest, rows and seed are one, whichever step asks.

    Args:
        home: the loop's folder.
        command: the user's.
        rows: the evaluation rows.
        jobs: how many run at a time.
    """

    home: Path
    command: Command
    rows: Rows
    jobs: int = 1

    def done(self, wanted: Sequence[Training], told: Callable[[int, int], None]) -> list[Path]:
        """The predictions of each, in their order; those that are not there yet are made.

        Args:
            wanted: some trainings.
            told: how many are there, of how many.

        Raises:
            SettingError: the command fails, or what it wrote cannot be read as predictions of the rows.
            RunError: a signal ended it twice.
        """
        keys = [self._key(one) for one in wanted]
        there = self._there()
        missing = {key: one for key, one in zip(keys, wanted, strict=True) if key not in there}
        told(len(wanted) - len(missing), len(wanted))
        stopped = threading.Event()
        with ThreadPoolExecutor(self.jobs) as pool:
            futures = {pool.submit(self._run, one, key, stopped): key for key, one in missing.items()}
            try:
                for count, future in enumerate(as_completed(futures), 1):
                    there[futures[future]] = future.result()
                    told(len(wanted) - len(missing) + count, len(wanted))
            except BaseException:
                stopped.set()
                pool.shutdown(wait=True, cancel_futures=True)
                raise
        return [there[key] for key in keys]

    def sweep(self) -> None:
        """Remove what trainings left that did not end."""
        for part in self.home.glob(f"*/trainings/{BEGUN}*"):
            shutil.rmtree(part, ignore_errors=True)

    def missing(self, wanted: Iterable[Training]) -> int:
        """How many of some trainings are not there yet."""
        return len({self._key(one) for one in wanted} - set(self._there()))

    def seconds(self) -> list[float]:
        """How long each that is there took."""
        return [_read(path)["seconds"] for path in sorted(self.home.glob(f"*/trainings/*/{RECEIPT}"))]

    def _there(self) -> dict[str, Path]:
        found = {}
        for receipt in sorted(self.home.glob(f"*/trainings/*/{RECEIPT}")):
            said = _read(receipt)
            found[said["key"]] = receipt.parent / said["predictions"]
        return found

    def _key(self, one: Training) -> str:
        return digest([self.command.text, digest(one.train), digest(self._rows(one).place), one.seed])

    def _rows(self, one: Training) -> Rows:
        return one.rows or self.rows

    def _run(self, one: Training, key: str, stopped: threading.Event) -> Path:
        folder = one.step / "trainings" / one.name
        # A name of this process's own: what a killed loop's command still writes goes nowhere.
        part = folder.with_name(f"{BEGUN}{one.name}.{os.getpid()}")
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        written, log = part / f"{one.name}.csv", one.step / "log" / f"{one.name}.txt"
        values = {"train": one.train, "predictions": written, "seed": one.seed, "eval": self._rows(one).place}
        seconds = self.command.run({name: str(value) for name, value in values.items()}, log, stopped)
        name = answered(written, log, self._rows(one).ids)
        receipt = {"key": key, "seed": one.seed, "predictions": name, "seconds": round(seconds, 3)}
        (part / RECEIPT).write_text(json.dumps(receipt) + "\n", "utf-8")
        shutil.rmtree(folder, ignore_errors=True)
        part.rename(folder)
        return folder / name


def load(paths: Sequence[Path], ids: Sequence[str]) -> list[Predictions]:
    """Predictions of some rows by several models, in the order of `ids`.

    Raises:
        SettingError: they differ in kind, or lack a row.
    """
    every = predictions.load_many([str(path) for path in paths], "predictions")
    found = []
    for one in every:
        at = {name: row for row, name in enumerate(one.ids.tolist())}
        lacking = [name for name in ids if name not in at]
        if lacking:
            raise SettingError(f"predictions: no row of {shown(lacking[0], 60)!r}; expected one for each row of eval")
        found.append(one.take(np.array([at[name] for name in ids], int)))
    return found


def write_manifest(path: Path, table: pa.Table) -> Path:
    """A manifest that any script reads, CSV or Parquet by its suffix; lists are JSON in a CSV."""
    if path.suffix == ".parquet":
        commit.write_table(path, table)
        return path
    flat = {name: _flat(table[name]) for name in table.column_names}
    with commit.committed(path) as file:
        csv.write_csv(pa.table(flat), file)
    return path


def _flat(column: pa.ChunkedArray) -> pa.ChunkedArray | pa.Array:
    if not pa.types.is_nested(column.type):
        return column
    texts = [None if value is None else json.dumps(value, ensure_ascii=False) for value in column.to_pylist()]
    return pa.array(texts, pa.string())


def _read(receipt: Path) -> dict[str, Any]:
    return dict(json.loads(receipt.read_text("utf-8")))
