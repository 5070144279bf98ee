"""What a run's own tables say of it: items, rejects, plans and coverage, for its page."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sliceforge.engine import commit, folder, receipts
from sliceforge.engine.recipe import Recipe
from sliceforge.engine.work import Workshop

FREE = ("out", "workers", "batch", "report", "device", "allow_other_cpu")
"""Settings that make no item another one, or stand in run.yaml: the page is the same whatever they are."""

ASKED = ("slice", "parents", "seed", "variants", "count")
"""Settings of run.yaml that make a command where none was typed: a run from Python."""


@dataclass(frozen=True)
class Told:
    """The tables of a finished run.

    Args:
        workshop: of the run.
        made: the accepted made items, a manifest.
        rejected: the rejected ones, with `reason`, `detail` and what was measured.
        planned: their plan rows, as they were drawn first.
        originals: how many parents were copied in.
    """

    workshop: Workshop
    made: pa.Table
    rejected: pa.Table
    planned: pa.Table
    originals: int

    @classmethod
    def of(cls, workshop: Workshop) -> Told:
        """Read them.

        Raises:
            RunError: one is damaged.
        """
        run = workshop.run
        whole = commit.read_table(run / "manifest.parquet").replace_schema_metadata(None)
        made = whole.filter(pc.greater(whole["variant"], 0))
        rejected = commit.read_table(run / "rejects.parquet").replace_schema_metadata(None)
        if len(rejected):
            tables = [commit.read_table(path).replace_schema_metadata(None) for path in receipts.listed(run)]
            bad = [table.filter(pc.invert(table["accepted"])) for table in tables]
            rejected = pa.concat_tables(bad, promote_options="default")
        paths = [path for path in sorted(run.glob("plan-v*.parquet")) if path.stem != "plan-v000"]
        planned = pa.concat_tables([commit.read_table(path) for path in paths], promote_options="default")
        ids = pa.concat_arrays([pa.array([], pa.string()), *made["id"].chunks, *rejected["id"].chunks])
        planned = planned.filter(pc.is_in(planned["id"], ids)).combine_chunks()
        return cls(workshop, made, rejected, planned, len(whole) - len(made))

    @property
    def run(self) -> Path:
        """The run's folder."""
        return self.workshop.run

    @property
    def recipe(self) -> Recipe:
        """What made it."""
        return self.workshop.recipe

    @cached_property
    def settings(self) -> dict[str, Any]:
        """What run.yaml says."""
        return folder.load(self.run)

    @cached_property
    def noted(self) -> Mapping[str, Any]:
        """What log/command.json says; nothing where it says nothing that can be read."""
        return _read_json(self.run / "log" / "command.json")

    @cached_property
    def auc(self) -> Mapping[str, Any]:
        """How well a classifier told made from real items; empty where nobody asked."""
        return _read_json(self.run / "log" / "auc.json")

    @property
    def name(self) -> str:
        """The recipe's name, as far as it is known."""
        return str(self.noted.get("name") or self.run.name)

    @cached_property
    def command(self) -> str:
        """The command that makes the run's items, without what changes none of them, and with no place of a machine:
        a page is passed on."""
        known = [f"{key}={self.settings[key]}" for key in ASKED if self.settings.get(key) is not None]
        given = [str(one).partition("=") for one in self.noted.get("typed") or known]
        free = [key + equals + _unplaced(key, value) for key, equals, value in given if key not in FREE]
        if not any(one.startswith("recipe=") for one in free):
            free.insert(0, f"recipe={self.name}")
        return "sliceforge generate " + " ".join(map(_quoted, sorted(free, key=lambda one: one[:7] != "recipe=")))

    def row(self, table: pa.Table, name: str) -> np.ndarray:
        """A column of numbers as (N,) float64, NaN for nothing."""
        if name not in table.column_names:
            return np.full(len(table), np.nan)
        return table[name].cast(pa.float64()).to_numpy(zero_copy_only=False)

    @cached_property
    def passed(self) -> np.ndarray:
        """(N,) bool, which rows of `planned` became items as they were drawn first."""
        good = self.made.filter(pc.equal(self.made["attempt"], 0))["id"]
        return pc.is_in(self.planned["id"], good.combine_chunks()).to_numpy(zero_copy_only=False)

    @cached_property
    def labels(self) -> dict[str, tuple[int, int]]:
        """The parents' label → made items planned and accepted."""
        good = pc.is_in(self.planned["id"], self.made["id"].combine_chunks()).to_numpy(zero_copy_only=False)
        found: dict[str, tuple[int, int]] = {}
        for name, ok in zip(self.planned["label"].to_pylist(), good.tolist(), strict=True):
            key = "–" if name is None else str(name)
            many, accepted = found.get(key, (0, 0))
            found[key] = many + 1, accepted + ok
        return dict(sorted(found.items(), key=lambda one: (-one[1][0], one[0])))

    def gates(self) -> Iterator[tuple[str, np.ndarray, np.ndarray, np.ndarray]]:
        """(name, asked, got, whether accepted), (N,) each, of every pair `asked.<name>`, `got.<name>`."""
        both = [self.made, self.rejected]
        names = [name[6:] for table in both for name in table.column_names if name.startswith("asked.")]
        for name in dict.fromkeys(names):
            asked, got = (np.concatenate([self.row(t, f"{what}.{name}") for t in both]) for what in ("asked", "got"))
            good = np.arange(len(asked)) < len(self.made)
            known = np.isfinite(asked) & np.isfinite(got)
            yield name, asked[known], got[known], good[known]

    def coverage(self) -> list[dict[str, Any]]:
        """The rows of coverage.parquet; none where there is no such table."""
        path = self.run / "coverage.parquet"
        return commit.read_table(path).to_pylist() if path.exists() else []

    def drawn(self, ids: list[str]) -> dict[str, dict[str, Any]]:
        """id → the plan row of some made items, of the attempt that was accepted."""
        attempts = dict(zip(self.made["id"].to_pylist(), self.made["attempt"].to_pylist(), strict=True))
        rows = self.planned.filter(pc.is_in(self.planned["id"], pa.array(ids, pa.string())))
        found = {row["id"]: row for row in rows.to_pylist()}
        later = [row for row in found.values() if attempts[row["id"]] != row["attempt"]]
        for variant in sorted({row["variant"] for row in later}):
            some = pa.array([row["id"] for row in later if row["variant"] == variant], pa.string())
            again = rows.filter(pc.is_in(rows["id"], some)).combine_chunks()
            at = np.array([attempts[item] for item in again["id"].to_pylist()], np.int64)
            drawn = self.workshop.drawn(again, variant, at)
            found |= {row["id"]: row for row in drawn.to_pylist()}
        return found


def stamp(run: Path) -> str:
    """What a page is made of: receipts, settings, and what an audit found."""
    whole = hashlib.sha256(receipts.stamped(run / "manifest.parquet"))
    for name in ("run.yaml", "log/auc.json"):
        path = run / name
        whole.update(path.read_bytes() if path.exists() else b"\0")
    return whole.hexdigest()


def _read_json(path: Path) -> Mapping[str, Any]:
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _unplaced(key: str, value: str) -> str:
    if key == "recipe" and value.endswith(".yaml"):
        return Path(value).name
    return {"data": "DATA", "banks": "BANK"}.get(key.partition(".")[0], value) if value else value


def _quoted(argument: str) -> str:
    """An argument as a shell takes it."""
    name, equals, value = argument.partition("=")
    plain = value and all(sign.isalnum() or sign in "_-./,:+@%" for sign in value)
    if plain or not equals:
        return argument
    inner = value.replace('"', '\\"') if "'" in value else value
    return f'{name}="{inner}"' if "'" in value else f"{name}='{inner}'"
