"""Bank items that belong to one split of the data, which another must never hear, and those that nothing is made of."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from sliceforge.engine.codecs import files
from sliceforge.engine.donors import Place
from sliceforge.engine.errors import InputError
from sliceforge.engine.groups import GROUPS, split_of
from sliceforge.engine.manifest import Manifest
from sliceforge.engine.paths import Reject
from sliceforge.engine.shapes import TRAIN

SHARE = 0.8
"""Of the groups of a bank without splits, what serves the split train where the data have others."""

KEY = b"split"


@dataclass(frozen=True)
class Apart:
    """Which items of which bank belong to which split.

    Args:
        items: bank → item → split: what is an item of the data itself, or has its bytes.
        groups: bank → group → split: what is shared with the data, or was given to a split by lot.
        held: bank → items that nothing is made of, such as those whose label is doubted.
    """

    items: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    groups: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    held: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @classmethod
    def read(cls, said: Mapping[str, Any] | None) -> Apart:
        """What run.yaml says."""
        known = said or {}
        return cls(known.get("items", {}), known.get("groups", {}), known.get("held", {}))

    def plain(self) -> dict[str, Any]:
        """For run.yaml: nothing where there is no rule."""
        parts = {"items": self.items, "groups": self.groups}
        found: dict[str, Any] = {
            k: {bank: dict(own) for bank, own in part.items()} for k, part in parts.items() if part
        }
        return found | ({"held": {bank: list(own) for bank, own in self.held.items()}} if self.held else {})

    def told(self) -> list[str]:
        """A line for each bank with items that are held out, or of a split other than train by the data alone."""
        found = []
        for bank in sorted({*self.items, *self.groups, *self.held}):
            counts = Counter(split for split in self.items.get(bank, {}).values() if split != TRAIN)
            groups = Counter(split for split in self.groups.get(bank, {}).values() if split != TRAIN)
            what = [f"{count} items are of the split {split} of data" for split, count in sorted(counts.items())]
            what += [f"{count} groups serve the split {split} alone" for split, count in sorted(groups.items())]
            what += [f"{len(held)} items are held out"] if (held := self.held.get(bank)) else []
            found += [f"banks.{bank}: {', '.join(what)}"] if what else []
        return found

    def of(self, bank: str, places: Mapping[str, Place], kind: str) -> tuple[dict[str, Place], list[Reject]]:
        """A bank's items with their splits; a donor of another split than train is none, nor what is held out."""
        items, groups, found, held = self.items.get(bank, {}), self.groups.get(bank, {}), {}, []
        none = set(self.held.get(bank, ()))
        for item, place in places.items():
            if item in none:
                held.append(Reject(item, place.path.name, "outside", "is held out: nothing is made of it"))
                continue
            split = items.get(item) or place.split or groups.get(place.group, "")
            if kind == "image" and split not in ("", TRAIN):
                held.append(Reject(item, place.path.name, "outside", f"is an item of the split {split} of data"))
                continue
            found[item] = replace(place, split=split)
        return found, held


NONE = Apart()
"""No rule."""


def apart(found: Manifest, banks: Mapping[str, Mapping[str, Place]], held: Collection[str] = ()) -> Apart:
    """Which bank items belong to which split of the data; no rule where all of the data are for training.

    An item that is an item of the data, by its file or its bytes, belongs to that one's split, whatever the bank's
    table says. Else that table's column `split` decides. Else a group (speaker, group, recording) that is in one split
    of the data alone belongs to that; and in a bank that names groups and no split, the other groups are given out:
    four of five to train, the rest in turn to the other splits, by a hash of their names, so that runs for training
    and runs for testing share none.

    Args:
        found: the data.
        banks: bank → item → where it lies.
        held: ids of the data of which nothing is made, neither by their files nor by their bytes.
    """
    table = found.table
    splits = [split_of(one) for one in table["split"].to_pylist()]
    paths = [(found.root / path).resolve() for path in table["path"].to_pylist()]
    none = _held(dict(zip(table["id"].to_pylist(), paths, strict=True)), banks, set(held))
    others = sorted(set(splits) - {TRAIN})
    if not others:
        return Apart(held=none)
    by_path = dict(zip(paths, splits, strict=True))
    by_size = _by_size({path: split for path, split in by_path.items() if split != TRAIN})
    owners = _owners(found, splits)
    items, groups = {}, {}
    for bank, places in banks.items():
        own = {item: _said(place, by_path, by_size) for item, place in places.items()}
        items[bank] = {item: split for item, split in own.items() if split and split != places[item].split}
        whose = {place.group for place in places.values() if place.group and not place.group.startswith("=")}
        known = {group: next(iter(owners[group])) for group in sorted(whose) if len(owners.get(group, ())) == 1}
        if not any(place.split for place in places.values()):
            known |= _given_out(whose - set(owners), others)
        groups[bank] = known
    parts = [{bank: own for bank, own in part.items() if own} for part in (items, groups)]
    return Apart(parts[0], parts[1], none)


def _held(
    paths: Mapping[str, Path], banks: Mapping[str, Mapping[str, Place]], held: Collection[str]
) -> dict[str, list[str]]:
    """bank → its items that are one of the data's held ones, or have its bytes."""
    by_path = {path: item for item, path in paths.items() if item in held}
    by_size = _by_size(by_path)
    found = {bank: [item for item in own if _said(own[item], by_path, by_size)] for bank, own in banks.items()}
    return {bank: sorted(items) for bank, items in found.items() if items}


def _by_size(by_path: Mapping[Path, str]) -> dict[int, list[tuple[Path, str]]]:
    found: dict[int, list[tuple[Path, str]]] = {}
    for path, said in by_path.items():
        found.setdefault(_size(path), []).append((path, said))
    return found


def _owners(found: Manifest, splits: list[str]) -> dict[str, set[str]]:
    """group → the splits of the data that it is in."""
    owners: dict[str, set[str]] = {}
    for name in set(GROUPS) & set(found.table.column_names):
        for group, split in zip(found.table[name].to_pylist(), splits, strict=True):
            if group not in (None, ""):
                owners.setdefault(str(group), set()).add(split)
    return owners


def _said(place: Place, by_path: Mapping[Path, str], by_size: Mapping[int, list[tuple[Path, str]]]) -> str:
    """What is said of the file, or of one with its bytes; empty where nothing is."""
    path = place.path.resolve()
    if path in by_path:
        return by_path[path]
    same = by_size.get(_size(path), ())
    return next((said for other, said in same if _digest(other) == _digest(path)), "")


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return -1


def _digest(path: Path) -> str:
    try:
        return files.sha256(path)
    except InputError:
        return str(path)


def _given_out(groups: set[str], others: list[str]) -> dict[str, str]:
    def lot(group: str) -> bytes:
        return hashlib.blake2b(group.encode(), key=KEY, digest_size=8).digest()

    order = sorted(groups, key=lambda group: (lot(group), group))
    # At least one for training, and one for each other split where there are enough.
    count = min(max(round(SHARE * len(order)), 1), max(len(order) - len(others), 1))
    return dict(_dealt(order[:count], [TRAIN])) | dict(_dealt(order[count:], others))


def _dealt(groups: list[str], splits: list[str]) -> Iterator[tuple[str, str]]:
    for i, group in enumerate(groups):
        yield group, splits[i % len(splits)]
