"""The plan: for each made item its parent and every drawn number, as a table that needs nothing else to be read.

Columns: `id parent path label split group` and the parent's metadata; `variant attempt`; what is known of the parent
before it is read (`read.length`, `read.rate`, `read.height`, `read.width`, of a part of a recording `read.start` and
`read.seconds`, of an image where its label is, `read.mask`, `read.boxes`, `read.box_labels`, `read.segmentations`, or
why it cannot be read: `read.reason`, `read.detail`); then `<step>.<draw>`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from sliceforge.engine import groups, headers, lineage, predicate, quotas, regions
from sliceforge.engine.errors import SettingError, did_you_mean
from sliceforge.engine.keys import Keys
from sliceforge.engine.manifest import Manifest
from sliceforge.engine.op import Columns, Inventory, Shapes
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

DRAWS = 64
"""Attempts at a row that keeps the promise of `slice` before the setting is called wrong."""


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


def draw(
    recipe: Recipe,
    parents: pa.Table,
    seed: int,
    variant: int,
    banks: Mapping[str, Inventory],
    slice_: str | None = None,
    attempt: int | np.ndarray = 0,
) -> pa.Table:
    """The plan of one variant for parents that `survey` returned (or for some rows of an earlier plan).

    Args:
        attempt: where to begin, one for all or (B,); with a slice, the first from there whose row keeps its promise.

    Raises:
        SettingError: a slice that the recipe's numbers cannot reach.
    """
    slots = quotas.slots(parents, variant)
    parents = parents.select(carried(parents, recipe))
    ids = parents["parent"].to_pylist()
    length, rate, height, width = (parents[name].to_numpy() for name in SIZES)
    shapes = Shapes(length, rate, height, width, banks, *groups.of_parents(parents), slots)
    attempts = np.full(len(ids), attempt, np.int64)
    columns = recipe.draw(Keys.of(seed, ids, variant, attempts), shapes)
    if slice_:
        readable = parents["read.reason"].is_null().to_numpy(zero_copy_only=False)
        _promise(recipe, parents, seed, variant, shapes, slice_, attempts, columns, readable)
    made = pa.array(lineage.made_ids(parents, variant), pa.string())
    numbers = {"variant": pa.array(np.full(len(ids), variant, np.int32)), "attempt": pa.array(attempts, pa.int32())}
    numbers |= {quotas.SLOT: pa.array(slots)} if recipe.by_slot() else {}
    return pa.table(
        {"id": made, **dict(zip(parents.column_names, parents.columns, strict=True)), **numbers}
        | nulled(recipe, columns)
    )


def carried(table: pa.Table, recipe: Recipe) -> list[str]:
    """The columns that a plan takes from an earlier one: all but those that it draws."""
    steps = {step.name for step in recipe.steps} | {choice.name for choice in recipe.choices}
    drawn = {name for name in table.column_names if name.rpartition(".")[0] in steps}
    return [name for name in table.column_names if name not in drawn | {"id", "variant", "attempt"}]


def nulled(recipe: Recipe, columns: Columns) -> dict[str, pa.Array]:
    """Plan columns for Arrow: null where the step does not happen."""
    arrays = {}
    happens = {step.name: recipe.active(step, columns) for step in recipe.steps}
    idle = {name: ~one for name, one in happens.items() if isinstance(one, np.ndarray)}
    idle |= {one.name: ~columns[f"{one.name}.on"] for one in recipe.choices if f"{one.name}.on" in columns}
    for name, column in columns.items():
        step, _, own = name.rpartition(".")
        mask = None if own == "on" else idle.get(step)
        # A column of words is one though no item of this variant has any.
        words = column.dtype == object and all(issubclass(kind, str) for kind in set(map(type, column.tolist())))
        arrays[name] = pa.array(column, pa.string() if words else None, mask=mask, from_pandas=False)
    return arrays


def _promise(
    recipe: Recipe,
    parents: pa.Table,
    seed: int,
    variant: int,
    shapes: Shapes,
    slice_: str,
    attempts: np.ndarray,
    columns: Columns,
    readable: np.ndarray,
) -> None:
    """Draw the rows that are outside the slice again, in place, until every row is inside."""
    left = np.flatnonzero(readable)
    ids = parents["parent"].to_pylist()
    for _ in range(DRAWS):
        facts = _facts(recipe, parents.take(pa.array(left)), {n: column[left] for n, column in columns.items()})
        left = left[~predicate.select(facts, slice_, "slice")]
        if not len(left):
            return
        attempts[left] += 1
        keys = Keys.of(seed, [ids[i] for i in left], variant, attempts[left])
        for name, column in recipe.draw(keys, shapes.take(left)).items():
            columns[name][left] = column
    raise SettingError(
        f"slice: {DRAWS} draws for {ids[left[0]]!r} and none is inside {slice_!r}; narrow the recipe's settings to it"
    )


def _facts(recipe: Recipe, parents: pa.Table, columns: Columns) -> pa.Table:
    """The manifest rows that the items will have, as far as a plan knows them."""
    fields = {name: parents[name] for name in parents.column_names if "." not in name}
    drawn = nulled(recipe, columns)
    for name, value in recipe.sets.items():
        fields[name] = drawn[value] if value in drawn else pa.array([value] * len(parents))
    return pa.table(fields)


def check_inventory(recipe: Recipe, banks: Mapping[str, Any], own: bool = False) -> None:
    """Refuse a recipe whose banks are not given.

    Args:
        own: also those that a run's own data would serve as.

    Raises:
        SettingError: naming the bank.
    """
    for name in sorted((recipe.banks() | (recipe.own_banks() if own else set())) - set(banks)):
        near = did_you_mean(name, banks) if banks else ""
        raise SettingError(f"banks.{name}: is needed by this recipe, such as banks.{name}=FOLDER{near}")
