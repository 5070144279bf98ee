"""budget.yaml: what each slice gets, of what it is made, and what every made item must be."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import yaml

from sliceforge.engine import commit, predicate
from sliceforge.engine.errors import SettingError, did_you_mean
from sliceforge.engine.loop.allocate.entries import checked
from sliceforge.engine.paths import shown

VERSION = 1
NOTHING, OVERSAMPLE = "nothing", "oversample"
OPERATIONS = (NOTHING, OVERSAMPLE, "matched", "generic_weak", "generic_strong", "paste", "procedural", "bank")
CLEAN = 0.4
"""Share of original items that the training set keeps at least."""

APART = ("group", "recording", "coil", "tile")
"""Columns whose values no training item shares with an evaluated one. A speaker may be on both sides, and then is."""

EXAMPLE = "slices: [{name: car, where: \"noise = 'car'\", operation: matched, recipe: speech/car_noise, items: 500}]"
_NAME = re.compile(r"[a-z0-9_]{1,80}")


@dataclass(frozen=True)
class Order:
    """What one slice gets.

    Args:
        name: of the slice, and of the run's folder.
        where: the slice's predicate.
        operation: one of `OPERATIONS`; `nothing` and `oversample` need no recipe, all others do.
        recipe: its name, or a file.
        overrides: of the recipe, as on the command line: `steps.mix.snr=[-2, 13]`, `banks.donors=FOLDER`.
        parents: SQL over the training data: what is enlarged, or repeated; None: every training item.
        slice: SQL over what the recipe sets: a promise of each plan row.
        within: SQL over measured attributes: a gate of each made item.
        items: made, or repeated rows beside the originals.
        times: how often a row of `parents` stands in the training set at most, 1 as it is; of `oversample` without
            `items`, it decides.
        notes: what of the slice can be held and what cannot, in plain words.
    """

    name: str
    where: str
    operation: str = NOTHING
    recipe: str | None = None
    overrides: tuple[str, ...] = ()
    parents: str | None = None
    slice: str | None = None
    within: str | None = None
    items: int | None = None
    times: int | None = None
    notes: tuple[str, ...] = ()

    @property
    def makes(self) -> bool:
        """Whether a recipe makes its items."""
        return self.operation not in (NOTHING, OVERSAMPLE)

    def plain(self) -> dict[str, Any]:
        """For YAML: what is said."""
        given = asdict(self)
        lists = {name: list(given[name]) for name in ("overrides", "notes") if given[name]}
        rest = {k: v for k, v in given.items() if v is not None and k not in ("overrides", "notes")}
        return {**rest, **lists}


@dataclass(frozen=True)
class Budget:
    """All slices' orders, and the data that they are made from and kept apart from.

    Args:
        slices: one order for each.
        train, pattern: the training data, as typed; None: the material that comes along.
        kind: audio or image; None: what the recipes say, or the data.
        seed: of every run.
        data, data_pattern: what is evaluated, where it is at hand: it shares nothing with training.
        predictions: tables whose ids are evaluated, where the data are not at hand.
        suspects: a table with a column `id`: items whose label is doubted are neither parents nor donors.
        apart: columns whose values must not be on both sides.
        clean: share of original items at least.
        banks: name → folder or table, for every recipe that reads it.
    """

    slices: tuple[Order, ...]
    train: str | None = None
    pattern: str | None = None
    kind: str | None = None
    seed: int = 0
    data: str | None = None
    data_pattern: str | None = None
    predictions: str | None = None
    suspects: str | None = None
    apart: tuple[str, ...] = APART
    clean: float = CLEAN
    banks: Mapping[str, str] = field(default_factory=dict)

    def plain(self) -> dict[str, Any]:
        """For YAML."""
        own = {one.name: getattr(self, one.name) for one in fields(self) if one.name != "slices"}
        said = {name: list(value) if isinstance(value, tuple) else value for name, value in own.items()}
        kept = {name: value for name, value in said.items() if value is not None and value != {}}
        return {"version": VERSION, **kept, "slices": [order.plain() for order in self.slices]}


def write(path: Path, budget: Budget, more: Mapping[str, Any] | None = None) -> None:
    """Write a budget, whole and by rename; the same budget gives the same bytes.

    Args:
        path: of the file.
        budget: what it says.
        more: further entries for a reader, under `allocated`.
    """
    plain = budget.plain()
    if more:
        plain["allocated"] = dict(more)
    text = yaml.safe_dump(plain, sort_keys=False, allow_unicode=True, width=110)
    with commit.committed(path) as file:
        file.write(text.encode())


def read(path: str | Path) -> Budget:
    """A budget from its file.

    Raises:
        SettingError: one line: what is wrong with which slice, what was expected, an example.
    """
    where = f"budget: {shown(str(path))}"
    try:
        found = yaml.safe_load(Path(path).read_text("utf-8-sig"))
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "is not UTF-8 text"
        raise SettingError(f"{where}: {reason}; expected a file of allocate, such as budget.yaml") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise SettingError(f"{where}: is not YAML: {' '.join(str(error).split())[:120]}; such as {EXAMPLE}") from None
    if not isinstance(found, dict) or not isinstance(found.get("slices"), list) or not found["slices"]:
        raise SettingError(f"{where}: has no list of slices; expected {EXAMPLE}")
    if found.get("version", VERSION) != VERSION:
        raise SettingError(f"{where}: version {found['version']!r}; expected version: {VERSION}")
    orders = tuple(_order(entry, f"{where}: slice {at}") for at, entry in enumerate(found["slices"], 1))
    names = [order.name for order in orders]
    for at, name in enumerate(names):
        if name in names[:at]:
            raise SettingError(f"{where}: two slices are called {name}; expected a name of its own for each")
    rest = {key: value for key, value in found.items() if key not in ("version", "slices", "allocated")}
    return Budget(orders, **checked(rest, Budget, where))


def _order(entry: Any, where: str) -> Order:
    if not isinstance(entry, dict):
        raise SettingError(f"{where}: is no mapping; expected {EXAMPLE}")
    given = checked(entry, Order, where)
    name = given.get("name")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise SettingError(f"{where}: name {name!r}; expected letters a to z, digits and _, such as car_noise")
    if not isinstance(given.get("where"), str):
        raise SettingError(f"{where}: where {given.get('where')!r}; expected a condition, such as noise = 'car'")
    for key in ("where", "parents", "slice", "within"):
        if given.get(key) is not None:
            predicate.columns(given[key], f"{where}: {key}")
    order = Order(**given)
    if order.operation not in OPERATIONS:
        tail = did_you_mean(order.operation, OPERATIONS)
        raise SettingError(f"{where}: operation {order.operation!r}: expected one of {', '.join(OPERATIONS)}{tail}")
    if order.makes and (not order.recipe or not order.items):
        missing = "recipe" if not order.recipe else "items"
        raise SettingError(f"{where}: {order.operation} needs {missing}; expected such as {EXAMPLE}")
    if order.operation == OVERSAMPLE and not order.items and not order.times:
        raise SettingError(f"{where}: oversample needs items or times, such as items: 500")
    return order
