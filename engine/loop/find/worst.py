"""The items of a slice that the model gets most wrong, to look at or to hear."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from sliceforge.engine import read
from sliceforge.engine.errors import InputError
from sliceforge.engine.keys import Keys
from sliceforge.engine.loop.find.found import Found
from sliceforge.engine.loop.rows.conditions import conditions
from sliceforge.engine.loop.rows.slices import WeakSlice
from sliceforge.engine.manifest import Manifest
from sliceforge.engine.parents import SPAN
from sliceforge.engine.report import panels
from sliceforge.engine.report.markup import name, number, text
from sliceforge.engine.report.panels import _clip as clip

MOST = 8
BYTES = 24 << 20
"""Of HTML with items in it on one page; what is beyond is named and not shown."""


def worst(found: Found, one: WeakSlice) -> np.ndarray:
    """Places of the slice's rows with the greatest loss, at most `MOST`; by a keyed hash where losses are the same."""
    places = np.flatnonzero(found.inside(one) & (found.loss > 0))
    ids = found.rows.table["id"].take(places).to_pylist()
    key = Keys.of(0, ids).field("worst") if ids else np.zeros(0)
    order = np.lexsort((key, -found.finer[places], -found.loss[places]))
    return places[order][:MOST]


def cards(found: Found, one: WeakSlice, spent: int) -> str:
    """The worst items of a slice as list items of HTML; none without the items' manifest.

    Args:
        found: with or without items.
        one: the slice.
        spent: bytes that are on the page already.
    """
    if found.rows.manifest is None:
        return ""
    parts = []
    for place in worst(found, one).tolist():
        row = found.rows.table.slice(place, 1).to_pylist()[0]
        body, note = (
            _panel(found.rows.manifest, row, found.rows.kind) if spent < BYTES else ("", "Not shown: the page is full.")
        )
        spent += len(body)
        kept = f'<p class="note">{text(note)}</p>' if note else ""
        parts.append(
            f'<li class="card"><figure><div class="frame">{body}</div>'
            f"<figcaption>{_caption(found, one, row, place)}</figcaption></figure>{kept}</li>"
        )
    return f'<ul class="cards">{"".join(parts)}</ul>' if parts else ""


def _caption(found: Found, one: WeakSlice, row: Mapping[str, Any], place: int) -> str:
    label = f' <span class="label">{name(row["label"])}</span>' if row.get("label") else ""
    columns = dict.fromkeys(column for part in conditions(one.where) for column in sorted(part.columns))
    values = {column: row[column] for column in columns if column in row and column != "label"}
    values = (
        {"said": found.said[place], **values}
        if found.said is not None
        else {"loss": float(found.loss[place]), **values}
    )
    listed = " ".join(f"<span>{text(key)} <b>{text(value)}</b></span>" for key, value in values.items())
    return f"{name(row['id'])}{label}<small>{listed}</small>"


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
    longest = min(len(sound), round(panels.SECONDS * rate))
    return clip("made", f"{number(rate / 1000)} kHz", sound, rate, longest), ""


def _marked(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row with its boxes as corners, where it has any that can be drawn."""
    marks = {key: row[key] for key in ("id", "label", "mask") if key in row}
    boxes = row.get("boxes")
    if boxes and all(isinstance(one, list) and len(one) == 4 for one in boxes):
        marks |= {"boxes": boxes, "box_labels": row.get("box_labels") or [row.get("label")] * len(boxes)}
    return marks
