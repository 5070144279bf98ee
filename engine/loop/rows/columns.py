"""The columns that a slice may be a condition on: metadata that groups rows, and measured attributes."""

from __future__ import annotations

import re

import pyarrow as pa
import pyarrow.compute as pc

from sliceforge.engine import lineage, regions
from sliceforge.engine.errors import SettingError
from sliceforge.engine.loop.rows.predictions import Predictions
from sliceforge.engine.manifest import Manifest
from sliceforge.engine.paths import shown

NAMES = frozenset(
    (
        *("id", "path", "audio_filepath", "mask", "sha256", "parents", "parent", "parent_path", "variant", "attempt"),
        *("clip_start", "clip_seconds", "text", "transcript", "ref", "hyp", "pred", "weight", "loss"),
    )
)
"""Columns that name an item, or say what is in it or what a model said of it."""

RATED = ("label_by_", "transcript_by_", "boxes_by_")
"""Columns of what one of several labellers says, named by what follows: `label_by_ann`."""

WORDS = 3
"""Words that the texts of a column have on the average, from where on it is free text."""

MEASURED = "_measured"
"""What a measured attribute is called by where the metadata have a column of its name."""

_HASH = re.compile(r"[0-9a-f]{16,}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_PATH = re.compile(r".*[/\\].*\.\w{1,5}")
_LOOKED_AT = 1000


def columns(
    predictions: Predictions | pa.Table,
    manifest: Manifest | pa.Table | None = None,
    attributes: pa.Table | None = None,
) -> pa.Table:
    """The columns that a search of weak slices goes through, one row for each prediction, in its order.

    Those of `joined`, without what names an item: hashes, paths, free text, lists, whatever has one value alone, and
    texts and whole numbers with as many values as rows; nor what the model said, which is no property of an item.

    Args:
        predictions, manifest, attributes: as of `joined`.

    Returns:
        N rows; `id` is not among the columns.

    Raises:
        SettingError: as of `joined`.
    """
    table = joined(predictions, manifest, attributes)
    return table.select(searchable(table))


def joined(
    predictions: Predictions | pa.Table,
    manifest: Manifest | pa.Table | None = None,
    attributes: pa.Table | None = None,
) -> pa.Table:
    """All that is known of each row: its own columns, those of the manifest that it does not have, the attributes.

    Args:
        predictions: N rows; or a table of them with `id`, labelled or not, such as production's.
        manifest: what is known of the items, by `id`; rows of no prediction do not count.
        attributes: what `attributes.measured` returned, likewise.

    Returns:
        N rows, `id` first; an attribute whose name is taken has `MEASURED` at its end.

    Raises:
        SettingError: a prediction's id is not in the manifest, or not among the attributes.
    """
    own = predictions if isinstance(predictions, pa.Table) else predictions.labelled()
    found = {name: _plain(own[name]) for name in own.column_names}
    if manifest is not None:
        rest = _found(own["id"], manifest.table if isinstance(manifest, Manifest) else manifest, "data")
        found |= {name: _plain(rest[name]) for name in rest.column_names if name not in found}
    if attributes is not None:
        rest = _found(own["id"], attributes, "attributes").drop_columns("id")
        found |= {name + MEASURED if name in found else name: rest[name] for name in rest.column_names}
    return pa.table(found)


def searchable(table: pa.Table) -> list[str]:
    """The columns of a table of items that a slice may be a condition on."""
    marks = regions.present(table.column_names)
    return [name for name in table.column_names if name not in marks and _groups(name, table[name])]


def _groups(name: str, column: pa.ChunkedArray) -> bool:
    if name.lower() in NAMES or name.startswith(RATED) or lineage.foreign(name) or not _varies(column):
        return False
    kind = column.type
    if pa.types.is_boolean(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return True
    if pa.types.is_integer(kind):
        return not _one_each(column)
    # Classes may have names of many words: "oxide scale of temperature system".
    return bool(pa.types.is_string(kind)) and not _one_each(column) and (name == "label" or not _told(column))


def _found(ids: pa.ChunkedArray, table: pa.Table, where: str) -> pa.Table:
    """The rows of a table that have these ids, in their order."""
    places = pc.index_in(ids, table["id"].combine_chunks())
    if places.null_count:
        one = shown(ids.filter(places.is_null())[0].as_py(), 60)
        raise SettingError(
            f"predictions: {places.null_count} of {len(ids)} ids are not in {where}, such as {one!r}; "
            f"expected ids as {where} has them, such as {shown(str(table['id'][0].as_py()), 60)!r}"
        )
    return table.take(places)


def _varies(column: pa.ChunkedArray) -> bool:
    try:
        return pc.count_distinct(column, mode="all").as_py() > 1
    except pa.ArrowException:  # lists and structs
        return False


def _one_each(column: pa.ChunkedArray) -> bool:
    known = len(column) - column.null_count
    return bool(pc.count_distinct(column).as_py() == known)


def _told(column: pa.ChunkedArray) -> bool:
    """Whether the texts of a column tell one item from another: hashes, paths, sentences."""
    texts = [text for text in pc.unique(column).slice(0, _LOOKED_AT).to_pylist() if text]
    words = sum(len(text.split()) for text in texts) / max(len(texts), 1)
    return words > WORDS or all(_HASH.fullmatch(text) or _PATH.fullmatch(text) for text in texts)


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """A column as the search takes it: texts, whole numbers, floats, truth; without NaN."""
    kind = column.type
    if pa.types.is_decimal(kind):
        return column.cast(pa.float64())
    if pa.types.is_floating(kind):
        wide = column.cast(pa.float64())
        return pc.if_else(pc.is_nan(wide), pa.scalar(None, pa.float64()), wide)
    return column
