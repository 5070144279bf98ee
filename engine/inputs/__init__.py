"""What comes in beside folders, tables and runs: one form, one file, which tells its own and reads it."""

from __future__ import annotations

from pathlib import Path

from sliceforge.engine.inputs import coco, lhotse, voc, webdataset, yolo
from sliceforge.engine.inputs.listing import Listing

FORMS = (coco, yolo, voc, webdataset, lhotse)
"""Asked in this order."""

__all__ = ["FORMS", "Listing", "read"]


def read(path: Path, kind: str, where: str) -> Listing | None:
    """What a path lists, or None where it is in none of these forms.

    Args:
        path: a file or a folder, or a pattern of tars such as `shards/*.tar`.
        kind: audio or image.
        where: how messages name it, such as `data: clips`.

    Raises:
        SettingError: it is in one of them, and cannot be read.
    """
    try:
        form = next((form for form in FORMS if form.fits(path, kind)), None)
    except (OSError, ValueError):  # what cannot be looked at is for the readers of folders and tables to name
        return None
    return form.read(path, kind, where) if form else None
