"""What a form of input gives: rows under a folder, and what cannot be used."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from sliceforge.engine.errors import SettingError
from sliceforge.engine.fetch import here
from sliceforge.engine.paths import Reject, shown

MOST_BYTES = 1 << 30
"""Bytes of an annotation file."""


@dataclass(frozen=True)
class Listing:
    """Rows with at least a `path`, under a folder.

    Args:
        root: the folder.
        table: the rows.
        rejects: what cannot be used.
    """

    root: Path
    table: pa.Table
    rejects: list[Reject] = field(default_factory=list)


def text(path: Path, where: str) -> str:
    """A text file whole.

    Raises:
        SettingError: it is no text, or too large.
    """
    try:
        if here(path).stat().st_size > MOST_BYTES:
            raise SettingError(f"{where}: {shown(path.name, 80)}: more than {MOST_BYTES >> 20} MiB")
        return path.read_text("utf-8-sig")
    except OSError as error:
        raise SettingError(f"{where}: {shown(path.name, 80)}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise SettingError(f"{where}: {shown(path.name, 80)}: is not UTF-8 text") from None


def marked(objects: Sequence[tuple[str | None, Sequence[float], Any]]) -> dict[str, Any]:
    """The columns that an image's objects give: its label, all of theirs, with boxes and segmentations.

    Args:
        objects: (label, x0, y0, x1, y1 in pixel edges, segmentation or None) of each.
    """
    labels = [label for label, _, _ in objects]
    outlines = [outline for _, _, outline in objects]
    return {
        "label": "+".join(dict.fromkeys(label for label in labels if label)) or None,
        "boxes": json.dumps([list(box) for _, box, _ in objects]),
        "box_labels": json.dumps(labels, ensure_ascii=False),
        "segmentations": json.dumps(outlines) if any(outlines) else None,
    }


def table(rows: Iterable[Mapping[str, Any]], where: str) -> pa.Table:
    """Rows as a table; a value that does not go with the others of its column makes all of them text.

    Raises:
        SettingError: no rows.
    """
    listed = list(rows)
    if not listed:
        raise SettingError(f"{where}: lists nothing")
    names = dict.fromkeys(name for row in listed for name in row)
    return pa.table({name: _column([row.get(name) for row in listed]) for name in names})


def _column(values: list[Any]) -> pa.Array:
    try:
        return pa.array(values)
    except (pa.ArrowException, OverflowError, UnicodeError):
        said = [None if value is None else value if isinstance(value, str) else json.dumps(value) for value in values]
        return pa.array([one and one.encode("utf-8", "replace").decode() for one in said], pa.string())
