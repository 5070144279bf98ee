"""What a row of a manifest says of where its label is: a mask's file, or boxes, each with an outline or without."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from sliceforge.engine.codecs import image, polygon, rle
from sliceforge.engine.errors import InputError
from sliceforge.engine.paths import Fence, shown

COLUMNS = ("mask", "boxes", "box_labels", "segmentations", "x0", "y0", "x1", "y1")
"""Columns of a table of images that are marks, the last four where all of them are there."""

EDGES = ("x0", "y0", "x1", "y1")
Marks = tuple[np.ndarray | None, np.ndarray | None]
"""An image's mask (H, W) bool and its boxes (N, 4), each None where its row says nothing of it."""

MOST = 10_000
"""Boxes of one image."""


def present(names: list[str]) -> list[str]:
    """Those of a table's columns that say where a label is."""
    whole = set(EDGES) <= set(names)
    return [name for name in names if name in COLUMNS and (whole or name not in EDGES)]


def mask_path(row: Mapping[str, Any], fence: Fence) -> str | None:
    """The path of a row's mask under its root, or None.

    Raises:
        InputError: it leads elsewhere.
    """
    if not row.get("mask"):
        return None
    place, reason, detail = fence.place(str(row["mask"]))
    if reason:
        raise InputError(reason, f"mask: {detail}")
    return place


def boxes(row: Mapping[str, Any]) -> list[list[float]] | None:
    """A row's boxes, x0, y0, x1, y1 in pixel edges, or None where it says nothing of them.

    They come from `boxes`, a list of lists or its JSON text, or from `x0 y0 x1 y1`.

    Raises:
        InputError: they are no boxes.
    """
    value = row.get("boxes")
    if value is None or value == "":
        edges = [row.get(name) for name in EDGES]
        if any(edge is None for edge in edges):
            return None
        value = [edges]
    try:
        found = np.array(json.loads(value) if isinstance(value, str) else value, np.float64)
        found = found.reshape(-1, 4) if found.ndim != 2 and found.size in (0, 4) else found
    except (ValueError, TypeError, RecursionError):
        raise InputError("unreadable", f"boxes: {shown(str(value), 60)}: expected [[x0, y0, x1, y1]]") from None
    fits = found.ndim == 2 and found.shape[1] == 4 and len(found) <= MOST and np.isfinite(found).all()
    if not fits or (found[:, :2] >= found[:, 2:]).any():
        raise InputError("unreadable", f"boxes: {shown(str(value), 60)}: expected [[x0, y0, x1, y1]], x0 < x1, y0 < y1")
    return [[float(edge) for edge in box] for box in found]


def box_labels(row: Mapping[str, Any], count: int) -> list[str | None]:
    """The class of each of a row's boxes: `box_labels`, a list or its JSON text, or the row's own for all.

    Raises:
        InputError: another number of them than of boxes.
    """
    value = row.get("box_labels")
    if value is None or value == "":
        return [row.get("label")] * count
    try:
        found = json.loads(value) if isinstance(value, str) else list(value)
    except (ValueError, TypeError, RecursionError):
        found = None
    if not isinstance(found, list) or len(found) != count:
        raise InputError("unreadable", f"box_labels: {shown(str(value), 60)}: expected {count}, one for each box")
    return [None if label is None else str(label) for label in found]


def segmentations(row: Mapping[str, Any], count: int) -> list[Any] | None:
    """The outline of each of a row's boxes, or None where it says nothing of them.

    They come from `segmentations`, JSON text of a list with one of COCO's segmentations for each box: a list of
    polygons, `{"counts": …, "size": [height, width]}`, or null where a box is all that is known.

    Raises:
        InputError: another number of them than of boxes.
    """
    value = row.get("segmentations")
    if value is None or value == "":
        return None
    try:
        found = json.loads(value)
    except (ValueError, TypeError, RecursionError):
        found = None
    if not isinstance(found, list) or len(found) != count:
        raise InputError("unreadable", f"segmentations: {shown(str(value), 60)}: expected {count}, one for each box")
    return found


def outlined(segmentation: Any, height: int, width: int) -> np.ndarray:
    """The mask of one of COCO's segmentations, (H, W) bool.

    Raises:
        InputError: it is none of an image of this size.
    """
    if isinstance(segmentation, list):
        return polygon.fill(segmentation, height, width)
    if not isinstance(segmentation, dict) or "counts" not in segmentation:
        raise InputError("unreadable", f"segmentation: {shown(str(segmentation), 60)}: expected polygons or counts")
    if segmentation.get("size", [height, width]) != [height, width]:
        found = shown(str(segmentation["size"]), 30)
        raise InputError("unreadable", f"segmentation: of the size {found}, and its image is {width} × {height}")
    return rle.mask(rle.parsed(segmentation["counts"]), height, width)


def carried(table: pa.Table, found: Sequence[dict[str, Any]], fence: Fence) -> dict[str, pa.Array]:
    """The plan's columns `read.mask`, `read.boxes`, `read.box_labels` and, where a table has any, `read.segmentations`.

    The last three are JSON text.

    Args:
        table: as it came in.
        found: what is known of each row's image; a row whose marks are wrong gets its `reason` and `detail` here.
        fence: around the folder of the paths.
    """
    rows = table.select([name for name in table.column_names if name in (*COLUMNS, "label")]).to_pylist()
    masks, places, labels, outlines = [], [], [], []
    for row, known in zip(rows, found, strict=True):
        mask = place = label = outline = None
        try:
            mask, given = mask_path(row, fence), boxes(row)
            if given is not None:
                drawn = segmentations(row, len(given)) or []
                place, label = json.dumps(given), json.dumps(box_labels(row, len(given)), ensure_ascii=False)
                outline = json.dumps(drawn) if any(drawn) else None
        except InputError as error:
            known.setdefault("reason", error.reason)
            known.setdefault("detail", error.detail)
        masks.append(mask)
        places.append(place)
        labels.append(label)
        outlines.append(outline)
    lists = {"read.mask": masks, "read.boxes": places, "read.box_labels": labels}
    lists |= {"read.segmentations": outlines} if "segmentations" in table.column_names else {}
    return {name: pa.array(values, pa.string()) for name, values in lists.items()}


def read(root: Path, row: Mapping[str, Any], source: np.ndarray) -> Marks:
    """What a plan's row says its parent has; boxes are cut to the image.

    Args:
        root: the folder that the mask's path is under.
        row: the plan row.
        source: the parent; of a clip there is nothing to say.

    Raises:
        InputError: the mask or an outline cannot be read, or is of another size.
    """
    path, text, outlines = (row.get(f"read.{name}") for name in ("mask", "boxes", "segmentations"))
    if not path and text is None:
        return None, None
    height, width = source.shape[:2]
    mask = read_mask(root / path, height, width) if path else None
    for one in json.loads(outlines) if outlines and not path else ():
        if one:
            mask = outlined(one, height, width) if mask is None else mask | outlined(one, height, width)
    if text is None:
        return mask, None
    found = np.array(json.loads(text), np.float64).reshape(-1, 4)
    return mask, np.clip(found, 0, [width, height, width, height])


def read_mask(path: Path, height: int, width: int) -> np.ndarray:
    """A mask's file as (H, W) bool: what is not 0 in a PNG, BMP or TIFF.

    Raises:
        InputError: it cannot be read, or is not the size of its image.
    """
    try:
        if path.suffix.lower() in (".jpg", ".jpeg"):
            raise InputError("unreadable", "a JPEG blurs a mask; expected a PNG")
        values = image.decode(path)
    except InputError as error:
        raise InputError(error.reason, f"mask: {error.detail}") from None
    if values.shape[:2] != (height, width):
        found = f"{values.shape[1]} × {values.shape[0]}"
        raise InputError("unreadable", f"mask: {found}, and its image is {width} × {height}")
    return np.asarray(values[..., :3].any(axis=2), bool)
