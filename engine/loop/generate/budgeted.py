"""`generate budget=`: one run for each slice, under one folder, and one training table over all."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from sliceforge.engine import commit, folder, manifest, run
from sliceforge.engine.ahead import Progress
from sliceforge.engine.errors import SettingError
from sliceforge.engine.loop.allocate.budget import Budget, Order, read
from sliceforge.engine.loop.generate.orders import composed, counts, refuse_typed
from sliceforge.engine.loop.generate.prepared import Prepared, kind_of, prepared
from sliceforge.engine.loop.generate.training import Addition, assembled, repeated
from sliceforge.engine.parse import from_config
from sliceforge.engine.texts import Row, ranked

TABLE = "train.parquet"


@dataclass(frozen=True)
class Share:
    """What became of one slice.

    Args:
        order: what was asked.
        items: made and accepted, or repeated.
        rejects: reason → items that could not be made.
        problems: limits that were passed, one line each.
    """

    order: Order
    items: int = 0
    rejects: Mapping[str, int] | None = None
    problems: tuple[str, ...] = ()


@dataclass(frozen=True)
class Generated:
    """The training set.

    Args:
        table: train.parquet.
        originals: rows that are as they were.
        shares: a row for each slice.
    """

    table: Path
    originals: int
    shares: tuple[Share, ...]

    @property
    def problems(self) -> list[str]:
        """Of all slices, one line each."""
        return [f"{share.order.name}: {line}" for share in self.shares for line in share.problems]

    def told(self) -> str:
        """A row for each slice, and where the table lies."""
        rows: list[Row] = []
        for share in self.shares:
            why = ", ".join(f"{number} {reason}" for reason, number in sorted((share.rejects or {}).items()))
            rows.append((share.order.name, share.order.operation, share.order.recipe or "", str(share.items), why))
        added = sum(share.items for share in self.shares)
        part = self.originals / (self.originals + added)
        made = ranked(("slice", "operation", "recipe", "#items", "rejected"), rows)
        return f"{made}\n{self.table}: {self.originals} originals and {added} more; {part:.0%} original"


def generate(
    config: Mapping[str, Any],
    folders: Sequence[str] = (),
    told: Progress = lambda accepted, expected: None,
    said: Callable[[str], None] = lambda line: None,
) -> Generated:
    """Make, or go on with, everything that a budget asks for; killed and begun again it ends with the same bytes.

    Args:
        config: what `compose("generate", …)` returns, with `budget`.
        folders: of `--config-dir`.
        told: progress of the run at hand.
        said: told a line of what is worth knowing.

    Raises:
        SettingError: the budget is wrong, training data are evaluated, or `out` holds another budget.
        RunError: as of a run.
    """
    budget = read(config["budget"])
    refuse_typed(config.get("typed") or ())
    material = prepared(budget, kind_of(budget.slices, folders))
    wanted = counts(budget, material)
    home = Path(config.get("out") or "runs/budget")
    configs = {}
    for order in budget.slices:
        if order.makes:
            configs[order.name] = own = composed(order, budget, material, config, folders)
            own["out"] = str(home / order.name)
            material.check_banks(from_config(own, tuple(own.get("trust") or ())), own)
    for line in material.notes:
        said(line)
    with folder.locked(folder.open_folder(str(home))):
        _agree(home, budget)
        found = [_made(order, configs, wanted, material, budget.seed, told, said) for order in budget.slices]
        additions = [addition for _, addition in found if addition]
        commit.write_table(home / TABLE, assembled(material.found, material.trains, additions))
    return Generated(home / TABLE, int(material.trains.sum()), tuple(share for share, _ in found))


def _made(
    order: Order,
    configs: Mapping[str, dict[str, Any]],
    wanted: Mapping[str, tuple[np.ndarray, int]],
    material: Prepared,
    seed: int,
    told: Progress,
    said: Callable[[str], None],
) -> tuple[Share, Addition | None]:
    """What becomes of one slice, and what it adds to the training table."""
    if order.makes:
        summary = run.generate(configs[order.name], str(order.recipe), told, said)
        share = Share(order, summary.accepted, summary.rejects, summary.problems)
        if not summary.accepted:
            return share, None
        return share, Addition(order.name, order.operation, manifest.read(str(summary.run), material.kind))
    rows, count = wanted[order.name]
    places = repeated(rows, material.ids, count, seed) if count else None
    return Share(order, count), Addition(order.name, order.operation, repeats=places)


def _agree(home: Path, budget: Budget) -> None:
    """Write the budget down, or see that it is the one that the folder was begun with."""
    path, text = home / "budget.yaml", yaml.safe_dump(budget.plain(), sort_keys=False, allow_unicode=True)
    if path.exists() and path.read_text("utf-8") != text:
        raise SettingError(f"out: {home}: holds what another budget asked for; name another folder, such as out=RUN2")
    if not path.exists():
        if folder.filled(home):
            raise SettingError(f"out: {home}: is not empty and holds no budget; name another folder, such as out=RUN2")
        with commit.committed(path) as file:
            file.write(text.encode())
