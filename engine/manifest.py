"""What comes in: folders, tables and runs as one table of items, with what cannot be used beside it."""

from __future__ import annotations

import hashlib
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from sliceforge.engine import folders, inputs, sources, store, tables
from sliceforge.engine.codecs import audio, image
from sliceforge.engine.doubles import canonical, rows, unique
from sliceforge.engine.errors import SettingError
from sliceforge.engine.paths import Reject, shown
from sliceforge.engine.placing import COLUMNS, named, placed

__all__ = ["COLUMNS", "MATERIAL", "SUFFIXES", "Manifest", "digest", "read"]

SUFFIXES = {"audio": audio.SUFFIXES, "image": image.SUFFIXES}
MATERIAL = {"audio": ("speech",), "image": ("strips", "cells", "tiles")}
"""Folders of the material that comes with the package; the first of a kind is the one that no recipe need name."""


@dataclass(frozen=True)
class Manifest:
    """A table of items.

    Args:
        root: the folder that every path is under.
        table: `COLUMNS`, then metadata; one row for each item, sorted by id; paths are relative, with `/`.
        rejects: what cannot be used.
    """

    root: Path
    table: pa.Table
    rejects: tuple[Reject, ...]


def read(
    data: str | Sequence[str] | None, kind: str, pattern: str = "", key: str = "data", material: str | None = None
) -> Manifest:
    """Folders, Parquet, CSV or JSON lines tables, runs, and the forms of `engine/inputs` as a manifest.

    An id is the path under the root, NFC, without suffix (with it where two files share a stem), unless the table has
    a column `id`; of several parts of one recording it ends in `@` and where they begin. Paths are relative to the
    table's own folder; of several sources to the folder that holds them all. Of rows that claim one id the first by
    path counts.

    Args:
        data: a path or a URL, several, or `[train.parquet, RUN]`; None or empty: the material that comes along.
        kind: audio or image.
        pattern: for folders: how their file names are made, such as `{label}_{speaker}_{index}`.
        key: the setting that named it, for messages.
        material: which folder of the package's material; None or empty: the kind's first.

    Raises:
        SettingError: there is nothing that can be read.
        RunError: a store does not answer.
    """
    if kind not in SUFFIXES:
        raise SettingError(f"kind: {kind!r}: expected audio or image")
    if material and material not in MATERIAL[kind]:
        raise SettingError(f"material: {material}: expected {' or '.join(MATERIAL[kind])}")
    if not data:
        folder = material or MATERIAL[kind][0]
        data = str(Path(str(files("sliceforge.material"))) / folder / "manifest.csv")
    places = sources.split(data, key, fresh=True)
    if len(places) == 1:
        return _one(places[0], kind, pattern, key)
    plain = [bool(pattern) and Path(place).is_dir() and not sources.is_run(Path(place)) for place in places]
    if pattern and not any(plain):
        raise SettingError(f"pattern: {pattern!r}: is for a folder's file names, and no source is a plain folder")
    parts = [_one(place, kind, pattern * use, key) for place, use in zip(places, plain, strict=True)]
    root, table = sources.together([(part.root, part.table) for part in parts], f"{key}: {shown(str(data))}")
    table, again = unique(table)
    return Manifest(root, table.combine_chunks(), (*(one for part in parts for one in part.rejects), *again))


def _one(data: str, kind: str, pattern: str, key: str) -> Manifest:
    path, name = Path(data), shown(store.named(data))
    where = f"{key}: {name}"
    found = None if sources.is_run(path) else inputs.read(path, kind, where)
    if found and pattern:
        raise SettingError(f"pattern: {pattern!r}: is for a folder's file names, and {name} says its own labels")
    if found:
        return _whole(_manifest(found.table, found.root, found.rejects, where), key)
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):
        raise SettingError(f"{where}: no such file or folder") from None
    folder = stat.S_ISDIR(mode)
    if folder and not sources.is_run(path):
        root = path.resolve()
        raw, rejects = folders.read_folder(root, SUFFIXES[kind], pattern, where)
        return _manifest(raw, root, [*rejects, *store.left_out(root, SUFFIXES[kind])], where)
    if not folder and (path.suffix.lower() not in tables.SUFFIXES or not stat.S_ISREG(mode)):
        raise SettingError(f"{where}: expected a folder, or a table in {', '.join(tables.SUFFIXES)}")
    if pattern:
        what = "a run" if folder else "a table"
        raise SettingError(f"pattern: {pattern!r}: is for a folder's file names, and {name} is {what}")
    if folder:
        return _manifest(sources.run_table(path, SUFFIXES[kind], kind, where), path.resolve(), [], where)
    return _whole(_manifest(tables.read_table(path, where), path.parent.resolve(), [], where), key)


def _whole(found: Manifest, key: str) -> Manifest:
    """What a table lists; of a bank without parts of recordings, since a bank's sounds are taken whole."""
    if key == "data" or "clip_start" not in found.table.column_names:
        return found
    parts = pc.is_valid(found.table["clip_start"])
    rejects = [
        Reject(row["id"], row["path"], "unreadable", "a part of a recording; a bank takes whole files")
        for row in found.table.filter(parts).select(["id", "path"]).to_pylist()
    ]
    return Manifest(found.root, found.table.filter(pc.invert(parts)), (*found.rejects, *rejects))


def _manifest(raw: pa.Table, root: Path, rejects: list[Reject], where: str) -> Manifest:
    raw = named(raw, where)
    table, outside = placed(raw, root)
    table, again = unique(table)
    return Manifest(root, table.combine_chunks(), (*rejects, *outside, *again))


def digest(manifest: Manifest) -> str:
    """SHA-256 over the rows and the rejects: of their content, not of their order, their columns' order or the root."""
    whole = hashlib.sha256()
    table = manifest.table.sort_by("id")
    step = rows(table)
    for name in sorted(table.column_names):
        whole.update(f"{canonical(name)}:".encode())
        for start in range(0, len(table), step):
            # Without brackets, so that the size of the parts changes nothing.
            whole.update(f"{canonical(table[name].slice(start, step).to_pylist())[1:-1]}, ".encode())
    for reject in sorted(manifest.rejects, key=lambda reject: (reject.id, reject.path or "", reject.reason)):
        whole.update(canonical([reject.id, reject.path, reject.reason]).encode())
    return whole.hexdigest()
