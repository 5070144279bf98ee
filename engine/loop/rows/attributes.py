"""Measured attributes of every item of a data set: each is decoded once, in several processes, and kept."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from sliceforge.engine import commit, operators, progress, read, regions
from sliceforge.engine.cache import KERNELS, cache_folder, source_stamp
from sliceforge.engine.codecs.members import archive
from sliceforge.engine.errors import InputError, SettingError, did_you_mean
from sliceforge.engine.fetch import here
from sliceforge.engine.loop.rows.attribute import Attribute
from sliceforge.engine.manifest import Manifest
from sliceforge.engine.parents import SPAN
from sliceforge.engine.paths import Fence
from sliceforge.engine.pool import Pool, crew, result

LONG = 4.0
"""Seconds that the rest must take, by what the first items took, for workers to be started: they take some, too."""

PART = 64
"""Items that a worker measures at a time."""

Row = dict[str, Any]


@lru_cache
def known(kind: str) -> dict[str, Attribute]:
    """Name → attribute, of all that there are of a kind: audio or image; sorted."""
    names = sorted(path.stem for path in (KERNELS / "attribute").glob("[a-z]*.py"))
    every = {name: operators.find(f"attribute/{name}", family="attribute")() for name in names}
    return {name: one for name, one in every.items() if one.kind == kind}


def measured(
    manifest: Manifest, kind: str, names: Sequence[str] = (), workers: int | None = None, folder: Path | None = None
) -> pa.Table:
    """What is measured of every item, in the manifest's order.

    The table is kept in the user's cache, under the files' paths, sizes and times and the sources of the attributes,
    so that it is measured anew when any of these changes.

    Args:
        manifest: N items.
        kind: audio or image.
        names: which attributes; empty: all of the kind.
        workers: processes; None: one for each core.
        folder: where tables are kept; None: the user's cache.

    Returns:
        `id`, then float64 or int64 columns; null where an item has no such number or cannot be read.

    Raises:
        SettingError: no attribute of that name.
        RunError: a worker died.
    """
    chosen = _chosen(kind, names)
    rows = _rows(manifest, kind)
    place = (folder or cache_folder().parent / "attributes") / f"{_stamp(manifest.root, rows, chosen)}.parquet"
    if place.is_file():
        try:
            return pq.read_table(place)
        except (pa.ArrowException, OSError):
            pass  # damaged: it is measured and written again
    values = _values(manifest.root, kind, chosen, rows, crew(workers))
    columns: dict[str, Any] = {"id": manifest.table["id"].combine_chunks()}
    for name, column in zip(chosen, zip(*values, strict=True) if values else [()] * len(chosen), strict=True):
        columns[name] = pa.array(column, pa.int64() if known(kind)[name].whole else pa.float64())
    table = pa.table(columns)
    commit.write_table(place, table)
    return table


def of_item(kind: str, item: Any, names: Sequence[str]) -> list[float | None]:
    """Some attributes of one item: a `Heard` or a `Seen`."""
    return [known(kind)[name].measure(item) for name in names]


def _chosen(kind: str, names: Sequence[str]) -> tuple[str, ...]:
    every = known(kind)
    for name in names:
        if name not in every:
            raise SettingError(f"attributes: {name}: no such attribute of {kind}{did_you_mean(name, every)}")
    return tuple(names or every)


def _rows(manifest: Manifest, kind: str) -> list[Row]:
    """What each item's worker needs to know: its path, and which part, what rate or which marks its row names."""
    table = manifest.table
    wanted = ("path", *(read.RATES if kind == "audio" else ("label",)))
    rows: list[Row] = table.select([name for name in wanted if name in table.column_names]).to_pylist()
    if kind == "audio" and set(SPAN) <= set(table.column_names):
        for row, start, length in zip(rows, *(table[name].to_pylist() for name in SPAN), strict=True):
            row["span"] = None if start is None else (start, length)
    if kind == "image" and regions.present(table.column_names):
        refused: list[Row] = [{} for _ in rows]
        marks = regions.carried(table, refused, Fence(manifest.root))
        for name in ("read.mask", "read.boxes", "read.segmentations"):
            for row, value in zip(rows, marks[name].to_pylist() if name in marks else [None] * len(rows), strict=True):
                row[name] = value
    return rows


def _stamp(root: Path, rows: Sequence[Row], names: Sequence[str]) -> str:
    whole = hashlib.sha256(json.dumps([str(root), source_stamp(), *names]).encode())
    for row in rows:
        seen = [_version(root / row[name]) for name in ("path", "read.mask") if row.get(name)]
        whole.update(json.dumps([row, seen], sort_keys=True, default=str).encode())
    return whole.hexdigest()[:32]


def _version(path: Path) -> tuple[int, int]:
    """A file's size in bytes and when it was last written, in nanoseconds; zeros where it cannot be asked."""
    try:
        status = here(archive(path) or path).stat()
    except (OSError, ValueError):
        return 0, 0
    return status.st_size, status.st_mtime_ns


def _values(root: Path, kind: str, names: tuple[str, ...], rows: list[Row], size: int) -> list[list[float | None]]:
    """For each row the attributes' values."""
    parts = [rows[first : first + PART] for first in range(0, len(rows), PART)]
    values: list[list[float | None]] = []
    with progress.shown("measured") as told:
        began = time.perf_counter()
        for at, part in enumerate(parts):
            if at == 1 and size > 1 and (time.perf_counter() - began) * (len(parts) - 1) > LONG:
                return values + _together(root, kind, names, rows[PART:], size, told)
            values += _part(root, kind, names, part)
            told(len(values), len(rows))
    return values


def _together(
    root: Path, kind: str, names: tuple[str, ...], rows: Sequence[Row], size: int, told: Callable[[int, int], None]
) -> list[list[float | None]]:
    """The same in several processes."""
    values: list[list[float | None]] = []
    with Pool(size) as pool:
        parts = [rows[first : first + PART] for first in range(0, len(rows), PART)]
        for future in [pool.submit(_part, root, kind, names, part) for part in parts]:
            values += result(future)
            told(PART + len(values), PART + len(rows))
    return values


def _part(root: Path, kind: str, names: tuple[str, ...], rows: Sequence[Row]) -> list[list[float | None]]:
    return [_item(root, kind, names, row) for row in rows]


def _item(root: Path, kind: str, names: tuple[str, ...], row: Mapping[str, Any]) -> list[float | None]:
    try:
        item = _heard(root, row) if kind == "audio" else _seen(root, row)
    except InputError:
        return [None] * len(names)
    return of_item(kind, item, names)


def _heard(root: Path, row: Mapping[str, Any]) -> Any:
    from sliceforge.kernels.heard import Heard

    return Heard(*read.read_audio(root / row["path"], None, read.declared(row), span=row.get("span")))


def _seen(root: Path, row: Mapping[str, Any]) -> Any:
    from sliceforge.kernels.seen import Seen

    pixels = read.read_image(root / row["path"])
    try:
        mask, boxes = regions.read(root, row, pixels)
    except InputError:
        return Seen(pixels)
    return Seen(pixels, mask if mask is not None or boxes is None else _filled(boxes, *pixels.shape[:2]))


def _filled(boxes: np.ndarray, height: int, width: int) -> np.ndarray:
    """(H, W) bool, the pixels in any of some boxes (N, 4)."""
    mask = np.zeros((height, width), bool)
    for x0, y0, x1, y1 in boxes:
        mask[round(y0) : round(y1), round(x0) : round(x1)] = True
    return mask
