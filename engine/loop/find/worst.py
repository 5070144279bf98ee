"""The items of a slice that the model gets most wrong, or that production has, to look at or to hear."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from sliceforge.engine import read
from sliceforge.engine.errors import InputError
from sliceforge.engine.keys import Keys
from sliceforge.engine.loop.find.found import DRIFT, Found
from sliceforge.engine.loop.rows.conditions import conditions
from sliceforge.engine.loop.rows.slices import WeakSlice
from sliceforge.engine.manifest import Manifest
from sliceforge.engine.parents import SPAN
from sliceforge.engine.report import panels
from sliceforge.engine.report.markup import name, text

MOST = 8
BYTES = 4 << 20
"""Of HTML with items in it on one page, shared alike by its slices; what is beyond is named and not shown."""

SECONDS = 8.0
"""Of a clip that can be heard."""


def worst(found: Found, one: WeakSlice) -> np.ndarray:
    """Places of the slice's rows with the greatest loss, at most `MOST`; by a keyed hash where losses are the same.

    Of a drifted slice these are rows of production, whose loss is 1 and that of others 0: some by the hash.
    """
    places = np.flatnonzero(found.inside(one) & (found.loss > 0))
    ids = found.rows.table["id"].take(places).to_pylist()
    key = Keys.of(0, ids).field("worst") if ids else np.zeros(0)
    order = np.lexsort((key, -found.finer[places], -found.loss[places]))
    return places[order][:MOST]


def cards(found: Found, one: WeakSlice) -> str:
    """The worst items of a slice as list items of HTML; none without the items' manifest.

    Args:
        found: with or without items.
        one: the slice.
    """
    items = found.production or found.rows
    if items.manifest is None:
        return ""
    parts: list[str] = []
    before, left = len(found.rows.table) - len(items.table), BYTES // len(found.slices)
    for place in worst(found, one).tolist():
        row = items.table.slice(place - before, 1).to_pylist()[0]
        body, note = _panel(items.manifest, row, items.kind)
        if parts and len(body) > left:
            body, note = "", "Not shown: the page would be too large."
        left -= len(body)
        kept = f'<p class="note">{text(note)}</p>' if note else ""
        head = "" if body and items.kind == "audio" else name(row["id"])
        kept = f'<p class="note">{text(note)}</p>' if note else ""
        parts.append(
            f'<li class="card"><figure><div class="frame">{body}</div>'
            f"<figcaption>{head}{_caption(found, one, row, place)}</figcaption></figure>{kept}</li>"
        )
    return f'<ul class="cards">{"".join(parts)}</ul>' if parts else ""


def _caption(found: Found, one: WeakSlice, row: Mapping[str, Any], place: int) -> str:
    label = f' <span class="label">{name(row["label"])}</span>' if row.get("label") else ""
    columns = dict.fromkeys(column for part in conditions(one.where) for column in sorted(part.columns))
    values = {column: row[column] for column in columns if column in row and column != "label"}
    if found.said is not None:
        values = {"model says": found.said[place], **values}
    elif found.kind != DRIFT:
        values = {"loss": float(found.loss[place]), **values}
    units = found.rows.units
    listed = " ".join(
        f"<span>{text(key)} <b>{text(value)}</b>{f' {text(units[key])}' if key in units else ''}</span>"
        for key, value in values.items()
    )
    return f"{label}<small>{listed}</small>"


def _panel(items: Manifest, row: Mapping[str, Any], kind: str) -> tuple[str, str]:
    """(HTML, why it cannot be shown)."""
    try:
        path = items.root / str(row["path"])
        if kind == "image":
            return panels.pictures(items.root, _marked(row), read.read_image(path), None), ""
        start, length = (row.get(part) for part in SPAN)
        span = None if start is None else (float(start), length)
        sound, rate = read.read_audio(path, None, read.declared(row), span=span)
    except InputError as error:
        return "", f"The item cannot be shown: {error.detail or error.reason}."
    longest = min(len(sound), round(SECONDS * rate))
    return panels.player("made", str(row["id"]), sound, rate, longest), ""


def _marked(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row with its boxes as corners, where it has any that can be drawn."""
    marks = {key: row[key] for key in ("id", "label", "mask") if key in row}
    boxes = row.get("boxes")
    if boxes and all(isinstance(one, list) and len(one) == 4 for one in boxes):
        marks |= {"boxes": boxes, "box_labels": row.get("box_labels") or [row.get("label")] * len(boxes)}
    return marks
