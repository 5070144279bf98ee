"""Whose an item is, and which split it belongs to: what must not meet itself, or cross from one split to another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from sliceforge.engine.shapes import TRAIN

GROUPS = ("speaker", "group", "recording")
"""Columns that say whose an item is; the first that says anything counts."""

TAGS = ("tag", "label")

SAME = {"val": "dev", "valid": "dev", "validation": "dev", "eval": "test"}
"""Other names of splits."""


def split_of(name: Any) -> str:
    """A split's name, the same for all who mean the same; that of an item which says none is `train`.

    >>> split_of("Validation"), split_of(None)
    ('dev', 'train')
    """
    word = str(name or TRAIN).lower()
    return SAME.get(word, word)


def group_of(row: Mapping[str, Any], own: str = "") -> str:
    """Whose an item is; of one that belongs to nobody, a name that no other has.

    Args:
        row: a manifest's row.
        own: the item's id.
    """
    for name in GROUPS:
        if row.get(name) not in (None, ""):
            return str(row[name])
    return f"={own}"


def tag_of(row: Mapping[str, Any]) -> str | None:
    """What a bank's table says that an item is."""
    return next((str(row[name]) for name in TAGS if row.get(name) not in (None, "")), None)


def of_parents(table: pa.Table) -> tuple[np.ndarray, np.ndarray]:
    """Groups and splits of a plan's rows, (B,) each, of objects."""
    names = [name for name in GROUPS if name in table.column_names]
    columns: Sequence[list[Any]] = [table[name].to_pylist() for name in names]
    rows = (dict(zip(names, values, strict=True)) for values in zip(*columns, strict=True)) if names else ()
    ids = table["parent"].to_pylist()
    groups = [group_of(row, item) for row, item in zip(rows, ids, strict=True)] if names else [f"={one}" for one in ids]
    return np.array(groups, object), np.array([split_of(one) for one in table["split"].to_pylist()], object)
