"""Whether anything of a run comes from what is held out: a parent, a donor or a noise, or the group of one."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from sliceforge.engine import apart
from sliceforge.engine.errors import SettingError
from sliceforge.engine.groups import split_of
from sliceforge.engine.manifest import Manifest, read
from sliceforge.engine.shapes import TRAIN
from sliceforge.engine.work import Workshop

WHOLE = ("group", "recording")
"""Columns whose values must not be in two splits. A speaker may be: that is how many data sets are split."""


def data(run: Path, kind: str, config: Mapping[str, Any]) -> Manifest | None:
    """The data that a run was made of, as they are now; None where that is not known any more.

    Args:
        run: its folder.
        kind: audio or image.
        config: `data`, where they have moved.
    """
    try:
        said = json.loads((run / "log" / "command.json").read_text("utf-8")).get("given") or {}
    except (OSError, ValueError, AttributeError):
        said = {}
    place = config.get("data") or said.get("data")
    if not place and not said:
        return None
    try:
        return read(place, kind, said.get("pattern") or "", material=said.get("material"))
    except SettingError:
        return None


def leaks(workshop: Workshop, found: Manifest | None, lines: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """One line for each made item that comes from what is held out.

    Args:
        workshop: of the run.
        found: the run's data; of None only what the manifest itself says is looked at.
        lines: the manifest's rows, each with the plan's columns of its bank items.
    """
    held: dict[str, str] = {}
    groups: dict[tuple[str, str], str] = {}
    for row in found.table.to_pylist() if found else ():
        split = split_of(row["split"])
        if split != TRAIN:
            held[row["id"]] = split
            groups |= {(name, str(row[name])): split for name in WHOLE if row.get(name) not in (None, "")}
    banks = _splits(workshop, found)
    for line in lines:
        yield from _of_line(line, held, groups)
        yield from _of_banks(workshop, line, banks, groups)


def _of_line(line: Mapping[str, Any], held: Mapping[str, str], groups: Mapping[tuple[str, str], str]) -> Iterator[str]:
    own = split_of(line["split"])
    if own != TRAIN:
        yield f"{line['id']}: its parent belongs to the split {line['split']}"
    for parent in line["parents"] or [line["id"]]:
        if held.get(parent, own) != own:
            yield f"{line['id']}: its parent {parent} belongs to the split {held[parent]} of the data"
    for name in WHOLE:
        split = groups.get((name, str(line.get(name))))
        if split is not None and split != own:
            yield f"{line['id']}: its {name} {line[name]} has items in the split {split}"


def _splits(workshop: Workshop, found: Manifest | None) -> dict[str, dict[str, tuple[str, str]]]:
    """bank → item → its split and its group, as far as they can be known."""
    places = workshop.banks.places()
    rules = apart.apart(found, places) if found else apart.NONE
    known: dict[str, dict[str, tuple[str, str]]] = {}
    for bank, own in places.items():
        said = {**rules.groups.get(bank, {}), **workshop.banks.apart.groups.get(bank, {})}
        items = {**rules.items.get(bank, {}), **workshop.banks.apart.items.get(bank, {})}
        known[bank] = {
            item: (split_of(items.get(item) or place.split or said.get(place.group)), place.group)
            for item, place in own.items()
        }
    return known


def _of_banks(
    workshop: Workshop,
    line: Mapping[str, Any],
    banks: Mapping[str, Mapping[str, tuple[str, str]]],
    groups: Mapping[tuple[str, str], str],
) -> Iterator[str]:
    own = split_of(line["split"])
    for step in workshop.recipe.steps:
        bank = getattr(step.op, "bank", "")
        for column in ("item", *(f"item_{i}" for i in range(1, 10))):
            item = line.get(f"{step.name}.{column}")
            if not item or item not in banks.get(bank, {}):
                continue
            split, group = banks[bank][item]
            shared = next((groups[name, group] for name in WHOLE if (name, group) in groups), own)
            if split != own:
                yield f"{line['id']}: {step.name}: {item} of banks.{bank} belongs to the split {split}"
            elif shared != own:
                yield f"{line['id']}: {step.name}: {item} of banks.{bank}: its group {group} is in the split {shared}"
