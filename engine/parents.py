"""The parents of a plan: which items are enlarged, in which order, and what is known of them before they are read."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from sliceforge.engine import headers, lineage, predicate, regions
from sliceforge.engine.errors import SettingError
from sliceforge.engine.manifest import Manifest
from sliceforge.engine.paths import Fence
from sliceforge.engine.pool import Pool
from sliceforge.engine.read import RATES, Span, declared
from sliceforge.engine.recipe import Recipe
from sliceforge.engine.tables import as_text

OWN = (
    *("id", "path", "label", "split", "group", "slice", "parents"),
    *("parent_path", "variant", "attempt", "sha256", "accepted", "reason", "detail"),
)
"""Columns of a made item that a parent's metadata cannot fill."""

SIZES = ("read.length", "read.rate", "read.height", "read.width")

SPAN = {"clip_start": "start", "clip_seconds": "seconds"}
"""Columns of a manifest of sound that say which part of a recording an item is → what a plan calls them, `read.…`."""


def choose(manifest: Manifest, recipe: Recipe, parents: str | None, slice_: str | None) -> np.ndarray:
    """Which rows of a manifest may be enlarged, (N,) bool.

    With `parents`, those. With `slice` alone: a recipe that sets every column of the slice takes the items outside
    it, one that sets none takes those inside. With neither: every item of the training split, or with no split.

    Raises:
        SettingError: a recipe that sets only a part of the slice's columns.
    """
    table = manifest.table
    training = np.array([split in (None, "", "train") for split in table["split"].to_pylist()], bool)
    if parents:
        return predicate.select(table, parents, "parents")
    if not slice_:
        return training
    named = {name.lower() for name in predicate.columns(slice_, "slice")}  # SQL ignores case
    missing = sorted(named - {name.lower() for name in recipe.sets})
    if not missing:
        known = named & {name.lower() for name in table.column_names}
        return training & ~predicate.select(table, slice_, "slice") if known == named else training
    if len(missing) == len(named):
        return training & predicate.select(table, slice_, "slice")
    raise SettingError(f"slice: the recipe does not set {missing[0]!r}; say which items to take with parents=")


def survey(
    manifest: Manifest, rows: np.ndarray, recipe: Recipe, seed: int, suffix: str = "", pool: Pool | None = None
) -> pa.Table:
    """The chosen parents in plan order, with what their headers say; what cannot be read has a reason instead.

    Args:
        pool: who reads the headers where there are many.

    Raises:
        SettingError: one that files of `suffix` cannot hold.
    """
    table = manifest.table.filter(pa.array(rows))
    names = [name for name in table.column_names if name not in OWN and name != "parent" and not lineage.foreign(name)]
    fields = {"parent": table["id"], "path": table["path"], "label": table["label"]}
    fields |= {"split": table["split"], "group": table["group"]} | {name: table[name] for name in names}
    where: list[str] = []
    if recipe.kind == "image" and (where := regions.present(names)):
        fields = {name: column for name, column in fields.items() if name not in where}
    claims = table.select([name for name in RATES if name in names]).to_pylist() or [{}] * len(table)
    spans = _spans(table)
    if spans:
        fields = {name: column for name, column in fields.items() if name not in SPAN}
        fields |= {f"read.{SPAN[name]}": table[name] for name in SPAN}
    asked = list(zip(table["path"].to_pylist(), map(declared, claims), spans or [None] * len(table), strict=True))
    found = headers.look(manifest.root, recipe.kind, recipe.rate, suffix, asked, pool)
    if where:
        fields |= regions.carried(table, found, Fence(manifest.root))
    if "sha256" in table.column_names:
        fields["read.sha256"] = as_text(table["sha256"], "data: sha256")
    marks = lineage.marks(manifest.table["id"].to_pylist(), table["id"].to_pylist())
    if set(marks) - {"~"}:
        fields["read.mark"] = pa.array(marks, pa.string())
    sizes = {name: pa.array([row.get(name, 0) for row in found], pa.int64()) for name in SIZES}
    reasons = {f"read.{name}": pa.array([row.get(name) for row in found], pa.string()) for name in ("reason", "detail")}
    known = pa.table({**fields, **sizes, **reasons})
    refused = pa.Table.from_pylist(
        [
            {"parent": row.id, "path": row.path, "read.reason": row.reason, "read.detail": row.detail}
            | dict.fromkeys(SIZES, 0)
            for row in manifest.rejects
        ],
        pa.schema(
            [field for field in known.schema if field.name in ("parent", "path", *SIZES) or "read." in field.name]
        ),
    )
    whole = pa.concat_tables([known, refused], promote_options="default").combine_chunks()
    return whole.take(pa.array(_order(whole["parent"].to_pylist(), whole["path"].to_pylist(), seed), pa.int64()))


def _spans(table: pa.Table) -> list[Span | None]:
    """Which part of its recording each row means; nothing where no row says so."""
    if not set(SPAN) <= set(table.column_names):
        return []
    pairs = zip(*(table[name].to_pylist() for name in SPAN), strict=True)
    return [None if start is None else (start, seconds) for start, seconds in pairs]


def _order(ids: Sequence[str], paths: Sequence[str], seed: int) -> list[int]:
    """By keyed hash, so that a shard mixes classes, then by id (and path, where two rows claim one id)."""
    key = hashlib.blake2b(str(seed).encode(), digest_size=32).digest()
    hashes = [hashlib.blake2b(item.encode("utf-8", "surrogatepass"), key=key, digest_size=8).digest() for item in ids]
    return sorted(range(len(ids)), key=lambda i: (hashes[i], ids[i], paths[i] or ""))
