"""What comes in: folders, tables and runs as one table of items, with what cannot be used beside it."""

from __future__ import annotations

import hashlib
import json
import posixpath
import stat
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sliceforge.engine import folders, inputs, lineage, sources, tables
from sliceforge.engine.codecs import audio, image
from sliceforge.engine.errors import SettingError, did_you_mean
from sliceforge.engine.inputs import nemo
from sliceforge.engine.parquet import kept
from sliceforge.engine.paths import Fence, Reject, shown

COLUMNS = ("id", "path", "label", "split", "group")
"""The first columns of every manifest, all text; the last three may be null."""

SUFFIXES = {"audio": audio.SUFFIXES, "image": image.SUFFIXES}
MATERIAL = {"audio": ("speech",), "image": ("strips", "cells", "tiles")}
"""Folders of the material that comes with the package; the first of a kind is the one that no recipe need name."""

MOST_ID = 1024
_PART = 16 << 20
"""Bytes of a table that become Python objects at once."""


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
    a column `id`. Paths are relative to the table's own folder; of several sources to the folder that holds them all.
    Of rows that claim one id the first by path counts.

    Args:
        data: a path, several, or `[train.parquet, RUN]`; None or empty: the material that comes with the package.
        kind: audio or image.
        pattern: for folders: how their file names are made, such as `{label}_{speaker}_{index}`.
        key: the setting that named it, for messages.
        material: which folder of the package's material; None or empty: the kind's first.

    Raises:
        SettingError: there is nothing that can be read.
    """
    if kind not in SUFFIXES:
        raise SettingError(f"kind: {kind!r}: expected audio or image")
    if material and material not in MATERIAL[kind]:
        raise SettingError(f"material: {material}: expected {' or '.join(MATERIAL[kind])}")
    if not data:
        folder = material or MATERIAL[kind][0]
        data = str(Path(str(files("sliceforge.material"))) / folder / "manifest.csv")
    places = sources.split(data, key)
    if len(places) == 1:
        return _one(places[0], kind, pattern, key)
    plain = [bool(pattern) and Path(place).is_dir() and not sources.is_run(Path(place)) for place in places]
    if pattern and not any(plain):
        raise SettingError(f"pattern: {pattern!r}: is for a folder's file names, and no source is a plain folder")
    parts = [_one(place, kind, pattern * use, key) for place, use in zip(places, plain, strict=True)]
    root, table = sources.together([(part.root, part.table) for part in parts], f"{key}: {shown(str(data))}")
    table, again = _unique(table)
    return Manifest(root, table.combine_chunks(), (*(one for part in parts for one in part.rejects), *again))


def _one(data: str, kind: str, pattern: str, key: str) -> Manifest:
    path, where = Path(data), f"{key}: {shown(data)}"
    found = None if sources.is_run(path) else inputs.read(path, kind, where)
    if found and pattern:
        raise SettingError(f"pattern: {pattern!r}: is for a folder's file names, and {shown(data)} says its own labels")
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
        return _manifest(raw, root, rejects, where)
    if not folder and (path.suffix.lower() not in tables.SUFFIXES or not stat.S_ISREG(mode)):
        raise SettingError(f"{where}: expected a folder, or a table in {', '.join(tables.SUFFIXES)}")
    if pattern:
        what = "a run" if folder else "a table"
        raise SettingError(f"pattern: {pattern!r}: is for a folder's file names, and {shown(data)} is {what}")
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
    raw = _named(raw, where)
    table, outside = _placed(raw, root)
    table, again = _unique(table)
    return Manifest(root, table.combine_chunks(), (*rejects, *outside, *again))


def _named(raw: pa.Table, where: str) -> pa.Table:
    """`COLUMNS` as text, nulls where the table has none, then the rest."""
    raw = _undotted(nemo.placed(raw))
    names = raw.column_names
    if "path" not in names:
        near = did_you_mean("path", names) if len(names) < 20 else ""
        raise SettingError(f"{where}: no column 'path'{shown(near, 120)}")
    nulls = pa.nulls(len(raw), pa.string())
    own = {name: tables.as_text(raw[name], f"{where}: {name}") if name in names else nulls for name in COLUMNS}
    return pa.table(own | {name: kept(raw[name]) for name in names if name not in COLUMNS})


def _undotted(raw: pa.Table) -> pa.Table:
    """A table with `speaker_age` for its own `speaker.age`: in a plan a dot is between a step and what it draws."""
    names = raw.column_names
    plain = {name: name.replace(".", "_") for name in names if "." in name and not lineage.foreign(name)}
    return raw.rename_columns([name if plain.get(name, name) in names else plain[name] for name in names])


def _placed(raw: pa.Table, root: Path) -> tuple[pa.Table, list[Reject]]:
    """Rows with a path under the root and an id; the others as rejects."""
    fence = Fence(root)
    given = raw["path"].to_pylist()
    ids = pc.utf8_normalize(raw["id"], form="NFC").to_pylist()
    places = [fence.place(path) for path in given]
    stems = _stems([place for place, reason, _ in places if not reason])
    keep = np.ones(len(given), bool)
    rejects = []
    for row, (place, reason, detail) in enumerate(places):
        name = ids[row]
        if not reason:
            ids[row] = name = name or stems[place]
            size = len(name.encode())
            if size > MOST_ID:
                reason, detail = "too_large", f"an id of {size} bytes, at most {MOST_ID}"
        if reason:
            keep[row] = False
            path = given[row]
            rejects.append(Reject(shown(name or path or f"row {row + 1}"), path and shown(path), reason, detail))
    fields = {name: raw[name] for name in raw.column_names}
    fields |= {"id": pa.array(ids, pa.string()), "path": pa.array([place for place, _, _ in places], pa.string())}
    return pa.table(fields).filter(pa.array(keep)), rejects


def _stems(paths: Sequence[str]) -> dict[str, str]:
    """path → id: NFC without suffix, or with it where two files share a stem."""
    normal = {path: unicodedata.normalize("NFC", path) for path in paths}
    count = Counter(posixpath.splitext(name)[0] for name in set(normal.values()))
    found = {}
    for path, name in normal.items():
        stem = posixpath.splitext(name)[0]
        found[path] = stem if count[stem] == 1 else name
    return found


def _unique(table: pa.Table) -> tuple[pa.Table, list[Reject]]:
    """The rows by id; of those that share one the first by path, then by content, whatever order they came in."""
    ids = table["id"].to_pylist()
    count = Counter(ids)
    doubles = [i for i, item in enumerate(ids) if count[item] > 1]
    text = [""] * len(ids)
    step = _rows(table)
    for start in range(0, len(doubles), step):
        some = doubles[start : start + step]
        for i, row in zip(some, table.take(pa.array(some)).to_pylist(), strict=True):
            text[i] = hashlib.sha256(_canonical(row).encode()).hexdigest()
    keyed = pa.table({"id": table["id"], "path": table["path"], "text": pa.array(text, pa.string())})
    order = pc.sort_indices(keyed, [(name, "ascending") for name in keyed.column_names])
    table = table.take(order)
    sorted_ids = table["id"].to_pylist()
    keep = np.array([i == 0 or item != sorted_ids[i - 1] for i, item in enumerate(sorted_ids)], bool)
    paths = table["path"]
    rejects = [
        Reject(sorted_ids[i], paths[i].as_py(), "duplicate", "another row has this id") for i in np.flatnonzero(~keep)
    ]
    return table.filter(pa.array(keep)), rejects


def _rows(table: pa.Table) -> int:
    return max(1, _PART * len(table) // max(1, table.nbytes))


def _canonical(value: object) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)


def digest(manifest: Manifest) -> str:
    """SHA-256 over the rows and the rejects: of their content, not of their order, their columns' order or the root."""
    whole = hashlib.sha256()
    table = manifest.table.sort_by("id")
    step = _rows(table)
    for name in sorted(table.column_names):
        whole.update(f"{_canonical(name)}:".encode())
        for start in range(0, len(table), step):
            # Without brackets, so that the size of the parts changes nothing.
            whole.update(f"{_canonical(table[name].slice(start, step).to_pylist())[1:-1]}, ".encode())
    for reject in sorted(manifest.rejects, key=lambda reject: (reject.id, reject.path or "", reject.reason)):
        whole.update(_canonical([reject.id, reject.path, reject.reason]).encode())
    return whole.hexdigest()
