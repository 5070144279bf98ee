"""The items that a page shows, each beside its parent, with its label, its sound and its numbers."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from sliceforge.engine import making, read
from sliceforge.engine.errors import InputError
from sliceforge.engine.report import panels
from sliceforge.engine.report.markup import name
from sliceforge.engine.report.told import Told

MOST = 60
"""Items that are shown."""

BYTES = 24 << 20
"""Of all media of a page together, as they stand in it; further items are left out."""


@dataclass(frozen=True)
class Shown:
    """One item of the gallery.

    Args:
        row: of the manifest.
        drawn: its plan row.
        panels: HTML of the item and its parent.
        note: what cannot be shown, and why.
        alike: whether item and parent can be laid over each other.
    """

    row: Mapping[str, Any]
    drawn: Mapping[str, Any]
    panels: str
    note: str = ""
    alike: bool = False


def chosen(told: Told) -> list[int]:
    """Rows of the manifest to show: spread by a hash of their ids over all labels, in the manifest's order."""
    ids, labels = told.made["id"].to_pylist(), told.made["label"].to_pylist()
    if len(ids) <= MOST:
        return list(range(len(ids)))
    lots = [hashlib.blake2b(item.encode("utf-8", "surrogatepass"), key=b"page").digest() for item in ids]
    seen: dict[Any, int] = {}
    turns = {}
    for place in sorted(range(len(ids)), key=lots.__getitem__):
        turns[place] = seen[labels[place]] = seen.get(labels[place], 0) + 1
    return sorted(sorted(turns, key=lambda place: (turns[place], lots[place]))[:MOST])


def items(told: Told) -> list[Shown]:
    """The items to show, as many as `BYTES` hold."""
    rows = told.made.take(pa.array(chosen(told), pa.int64())).to_pylist()
    drawn = told.drawn([row["id"] for row in rows])
    found: list[Shown] = []
    size = 0
    for row in rows:
        one = _shown(told, row, drawn.get(row["id"], {}))
        size += len(one.panels)
        if found and size > BYTES:
            break
        found.append(one)
    return found


def _shown(told: Told, row: Mapping[str, Any], drawn: Mapping[str, Any]) -> Shown:
    note, parent, item = "", None, None
    try:
        parent, _ = making.parent(told.recipe, told.workshop.data, drawn)
    except (InputError, KeyError, OSError) as error:
        note = f"The parent cannot be shown: {getattr(error, 'detail', '') or error}."
    path = told.run / str(row["path"])
    try:
        if told.recipe.kind == "image":
            item = read.read_image(path)
            alike = parent is not None and parent.shape[:2] == item.shape[:2]
            return Shown(row, drawn, panels.pictures(told.run, row, item, parent), note, alike)
        item, rate = read.read_audio(path)
        return Shown(row, drawn, panels.sounds(row, item, parent, rate), note)
    except InputError as error:
        return Shown(row, drawn, "", f"The item cannot be shown: {error.detail or error.reason}.")


def title(one: Shown) -> str:
    """An item's id and label, which may break between the classes that it joins."""
    words = name(one.row["label"]).replace("+", "+<wbr>") if one.row.get("label") else ""
    label = f' <span class="label">{words}</span>' if words else ""
    return f"{name(one.row['id'])}{label}"
