"""The sounds of a bank: where each lies, and which of them can be used."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from sliceforge.engine import groups
from sliceforge.engine.codecs import files
from sliceforge.engine.codecs.audio import probe
from sliceforge.engine.donors import Place
from sliceforge.engine.errors import InputError
from sliceforge.engine.manifest import Manifest
from sliceforge.engine.op import Inventory
from sliceforge.engine.paths import Reject
from sliceforge.engine.read import read_audio


def places(found: Manifest) -> dict[str, Place]:
    """Where the sounds of a table lie, and whose they are."""
    return {row["id"]: _place(found.root, row) for row in found.table.to_pylist()}


def _place(root: Path, row: Mapping[str, Any]) -> Place:
    split = groups.split_of(row["split"]) if row["split"] else ""
    return Place(root / row["path"], label=groups.tag_of(row), group=groups.group_of(row, row["id"]), split=split)


def vetted(places: Mapping[str, Place]) -> tuple[Inventory, list[Reject], str]:
    """Those that are not unreadable, not finite or silent; what cannot be used; a SHA-256 over ids and contents."""
    seconds: dict[str, float] = {}
    rejects = []
    whole = hashlib.sha256()
    for item, place in sorted(places.items()):
        try:
            seen = probe(place.path)
            read_audio(place.path)
            content = files.sha256(place.path)
        except InputError as error:
            rejects.append(Reject(item, place.path.name, error.reason, error.detail))
            continue
        seconds[item] = seen.length / seen.rate
        whole.update(f"{item}\0{content}\n".encode())
    good = [places[item] for item in seconds]
    tags, whose, splits = ([getattr(one, name) for one in good] for name in ("label", "group", "split"))
    if any([*tags, *splits]):
        whole.update(repr((tags, splits)).encode())
    known = np.array(list(seconds.values()), np.float64)
    return Inventory(tuple(seconds), known, tags, (), whose, splits), rejects, whole.hexdigest()
