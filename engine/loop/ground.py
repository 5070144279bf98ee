"""What a loop stands on: the training items, the evaluation rows, and which of these find, tune and report."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa

from sliceforge.engine import predicate
from sliceforge.engine.banks import Shelf
from sliceforge.engine.compose import compose
from sliceforge.engine.errors import SettingError, did_you_mean
from sliceforge.engine.keys import Keys
from sliceforge.engine.loop import splits
from sliceforge.engine.loop.asked import Asked
from sliceforge.engine.loop.generate import guard
from sliceforge.engine.loop.generate.training import Addition, assembled
from sliceforge.engine.loop.rows import known
from sliceforge.engine.loop.rows.known import Known
from sliceforge.engine.loop.verify.verdict import FEWEST
from sliceforge.engine.manifest import Manifest, digest


@dataclass(frozen=True)
class Ground:
    """The material of a loop.

    Args:
        train: training items, all of which train.
        rows: evaluation rows, sorted by id.
        part: (N,) text: find, tune or report.
        cluster: (N,) text of the evaluation rows, or None.
        seed: of what is drawn here.
    """

    train: Known
    rows: Known
    part: np.ndarray
    cluster: np.ndarray | None
    seed: int

    @classmethod
    def of(cls, asked: Asked) -> Ground:
        """Read and measure both sides, and see that they share nothing.

        Raises:
            SettingError: one cannot be read, they overlap, the rows are too few to tell anything, or what may be made
                of them is no recipe for their kind, or has no such bank.
        """
        train = known.of_items(asked.data, asked.pattern, "data")
        found, kind = known.opened(asked.eval, asked.eval_pattern, "eval")
        if kind != train.kind:
            raise SettingError(f"eval: {asked.eval}: {kind}, and data is {train.kind}; expected the same")
        _check_means(asked, kind)
        rows = known.of_rows(pa.table({"id": found.table["id"]}), asked.eval, asked.eval_pattern)
        sides = [
            guard.Side.of(one, np.ones(len(one.table), bool), said)
            for one, said in ((_items(train), "data"), (_items(rows), "eval"))
        ]
        guard.check(sides[0], sides[1:], (), asked.apart)
        cluster = _clusters(rows.table, asked.cluster)
        part = splits.parts(rows.table["id"].to_pylist(), cluster, asked.seed)
        units = len(set((rows.table["id"].to_numpy() if cluster is None else cluster)[part == "report"]))
        if units < FEWEST:
            what = "rows" if cluster is None else f"values of {asked.cluster}"
            raise SettingError(f"eval: {units} {what} report; {FEWEST} are needed, and hundreds to see a small gain")
        return cls(train, rows, part, cluster, asked.seed)

    @cached_property
    def ids(self) -> list[str]:
        """Of the evaluation rows."""
        found: list[str] = self.rows.table["id"].to_pylist()
        return found

    @property
    def digests(self) -> dict[str, str]:
        """Of the rows of both sides."""
        return {"data_sha256": digest(_items(self.train)), "eval_sha256": digest(_items(self.rows))}

    def mask(self, where: str, part: str) -> np.ndarray:
        """Which rows of a part are in a slice, (M,) bool, of the M rows of the part."""
        return predicate.select(self.rows.table, where, "where")[self.part == part]

    def inside(self, where: str) -> np.ndarray:
        """Which training items are in a slice, (T,) bool; none where training lacks one of its columns."""
        names = {name.lower() for name in self.train.table.column_names}
        if not {name.lower() for name in predicate.columns(where)} <= names:
            return np.zeros(len(self.train.table), bool)
        return predicate.select(self.train.table, where, "where")

    def evaluation(self) -> pa.Table:
        """The manifest of the evaluation rows, with absolute paths."""
        items = _items(self.rows)
        return _bare(assembled(items, np.ones(len(items.table), bool), ()))

    def manifest(self, rows: np.ndarray, additions: Sequence[Addition] = ()) -> pa.Table:
        """A training manifest: some of the originals, (T,) bool, and what is added."""
        return assembled(_items(self.train), rows, additions)

    def subset(self, share: float) -> np.ndarray:
        """A share of the training items, (T,) bool, of every label at least one; a smaller share is in a larger."""
        labels = self.train.table["label"].to_pylist() if "label" in self.train.table.column_names else []
        key = Keys.of(self.seed, self.train.table["id"].to_pylist()).field("subset")
        own = np.array([str(label) for label in labels] or [""] * len(key))
        chosen = np.zeros(len(key), bool)
        for label in np.unique(own):
            places = np.flatnonzero(own == label)
            order = places[np.argsort(key[places], kind="stable")]
            chosen[order[: math.ceil(share * len(order) - 1e-9)]] = True
        return chosen

    def fold(self, count: int) -> np.ndarray:
        """Which of some folds each training item is in, (T,), every label spread over them; groups stay whole."""
        table = self.train.table
        names = next((table[one].to_pylist() for one in ("group", "recording") if _full(table, one)), None)
        labels = [str(one) for one in table["label"].to_pylist()] if "label" in table.column_names else []
        own = np.array([str(one) for one in names or table["id"].to_pylist()])
        units, first, of = np.unique(own, return_index=True, return_inverse=True)
        key = Keys.of(self.seed, units.tolist()).field("fold")
        label = np.array(labels or [""] * len(own))[first]
        place = np.empty(len(units), np.int64)
        place[np.lexsort((key, label))] = np.arange(len(units)) % count
        return place[of.reshape(-1)]


def write_eval(path: Path, ground: Ground) -> None:
    """Which row is in which part, as `splits.write`; read again, so that an overlap ends the loop."""
    splits.write(path, ground.ids, ground.part, ground.cluster)
    splits.read(path)


def _check_means(asked: Asked, kind: str) -> None:
    for name in asked.recipes:
        makes = compose("show", [f"recipe={name}"])["kind"]
        if makes != kind:
            raise SettingError(f"recipes: {name}: makes {makes}, and data is {kind}; expected recipes of {kind}")
    Shelf.open({name: str(path) for name, path in (asked.banks or {}).items() if path}, kind)


def _items(side: Known) -> Manifest:
    assert side.manifest is not None, "both sides of a loop are items"
    return side.manifest


def _bare(table: pa.Table) -> pa.Table:
    """Without what is said of training items alone."""
    return table.drop_columns(["slice", "operation", "made", "parents"])


def _full(table: pa.Table, name: str) -> bool:
    return name in table.column_names and not table[name].null_count


def _clusters(table: pa.Table, name: str | None) -> np.ndarray | None:
    if name is None:
        return None
    if name not in table.column_names:
        raise SettingError(f"cluster: {name}: no such column of eval{did_you_mean(name, table.column_names)}")
    if table[name].null_count:
        raise SettingError(f"cluster: {name}: {table[name].null_count} rows of eval have none; expected one for each")
    return np.array([str(one) for one in table[name].to_pylist()])
