"""Rows of a table as items: the columns that every manifest has, a path under the root, an id."""

from __future__ import annotations

import posixpath
import unicodedata
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sliceforge.engine import lineage, tables
from sliceforge.engine.errors import SettingError, did_you_mean
from sliceforge.engine.inputs import nemo
from sliceforge.engine.parquet import kept
from sliceforge.engine.paths import Fence, Reject, shown

COLUMNS = ("id", "path", "label", "split", "group")
"""The first columns of every manifest, all text; the last three may be null."""

MOST_ID = 1024
"""UTF-8 bytes of an id."""


def named(raw: pa.Table, where: str) -> pa.Table:
    """`COLUMNS` as text, nulls where the table has none, then the rest."""
    raw = _undotted(nemo.placed(raw))
    names = raw.column_names
    if "path" not in names:
        near = did_you_mean("path", names) if len(names) < 20 else ""
        raise SettingError(f"{where}: no column 'path'{shown(near, 120)}")
    nulls = pa.nulls(len(raw), pa.string())
    own = {name: tables.as_text(raw[name], f"{where}: {name}") if name in names else nulls for name in COLUMNS}
    # Train, TRAIN and train are one part of the data.
    own["split"] = pc.utf8_lower(own["split"])
    return pa.table(own | {name: kept(raw[name]) for name in names if name not in COLUMNS})


def _undotted(raw: pa.Table) -> pa.Table:
    """A table with `speaker_age` for its own `speaker.age`: in a plan a dot is between a step and what it draws."""
    names = raw.column_names
    plain = {name: name.replace(".", "_") for name in names if "." in name and not lineage.foreign(name)}
    return raw.rename_columns([name if plain.get(name, name) in names else plain[name] for name in names])


def placed(raw: pa.Table, root: Path) -> tuple[pa.Table, list[Reject]]:
    """Rows with a path under the root and an id; the others as rejects."""
    fence = Fence(root)
    given = raw["path"].to_pylist()
    ids = pc.utf8_normalize(raw["id"], form="NFC").to_pylist()
    places = [fence.place(path) for path in given]
    stems = _stems([place for place, reason, _ in places if not reason])
    parts = _parts(raw, [place for place, _, _ in places])
    keep = np.ones(len(given), bool)
    rejects = []
    for row, (place, reason, detail) in enumerate(places):
        name = ids[row]
        if not reason:
            ids[row] = name = name or stems[place] + parts[row]
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


def _parts(raw: pa.Table, places: Sequence[str]) -> list[str]:
    """What tells the parts of one recording from each other in an id: `@` and where each begins, in seconds."""
    if "clip_start" not in raw.column_names:
        return [""] * len(places)
    count = Counter(places)
    starts = raw["clip_start"].to_pylist()
    several = [start is not None and count[place] > 1 for start, place in zip(starts, places, strict=True)]
    return [f"@{start:.10g}" if apart else "" for start, apart in zip(starts, several, strict=True)]
