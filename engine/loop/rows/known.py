"""All that is known of rows: their own columns, the manifest's, and what is measured of the items."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sliceforge.engine import manifest
from sliceforge.engine.errors import SettingError
from sliceforge.engine.loop.rows.attribute import Attribute
from sliceforge.engine.loop.rows.attributes import known, measured
from sliceforge.engine.loop.rows.columns import MEASURED, joined
from sliceforge.engine.loop.rows.predictions import Predictions
from sliceforge.engine.manifest import Manifest


@dataclass(frozen=True)
class Known:
    """Rows with everything that a slice may be a condition on.

    Args:
        table: N rows, `id` first.
        attributes: the columns that are measured, each with its attribute.
        manifest: of the items, where they are known.
        kind: audio, image, or empty without items.
    """

    table: pa.Table
    attributes: Mapping[str, Attribute]
    manifest: Manifest | None = None
    kind: str = ""

    @property
    def units(self) -> dict[str, str]:
        """Column → unit, of those that have one."""
        return {name: one.unit for name, one in self.attributes.items() if one.unit}

    def numbers(self, column: str, rows: np.ndarray) -> np.ndarray:
        """The values of a column in some rows, (N,) bool, those that are there, float64."""
        return values(self.table[column].filter(pa.array(rows)))

    def take(self, rows: np.ndarray) -> Known:
        """Some rows, (N,) bool."""
        return Known(self.table.filter(pa.array(rows)), self.attributes, self.manifest, self.kind)


def values(column: pa.ChunkedArray) -> np.ndarray:
    """Those numbers of a column that are there, float64."""
    found: np.ndarray = pc.drop_null(column.cast(pa.float64())).to_numpy()
    return found[~np.isnan(found)]


def of_rows(rows: Predictions | pa.Table, data: str | None, pattern: str | None = None) -> Known:
    """Rows of a table, with what the items' manifest and the items themselves tell where there are any.

    Args:
        rows: predictions, or a table with `id`.
        data: the items, as `generate` takes them; None: the rows' own columns are all there is.
        pattern: how names of files in a flat folder read.

    Raises:
        SettingError: the items cannot be read, or lack the id of a row.
        RunError: a store does not answer.
    """
    if not data:
        return Known(joined(rows), {})
    found, kind = opened(data, pattern, "data")
    ids = (rows.table if isinstance(rows, Predictions) else rows)["id"]
    used = pc.is_in(found.table["id"], value_set=ids.combine_chunks())
    # Only what was evaluated is measured: a manifest may list much more.
    found = Manifest(found.root, found.table.filter(used) if pc.any(used).as_py() else found.table, found.rejects)
    return _with_attributes(rows, found, kind)


def of_items(data: str, pattern: str | None = None, key: str = "train") -> Known:
    """The items of a training set: those of its split train, or without a split.

    Raises:
        SettingError: there is nothing that can be read, or nothing to train on.
        RunError: a store does not answer.
    """
    found, kind = opened(data, pattern, key)
    training = pc.is_in(found.table["split"], value_set=pa.array([None, "", "train"], pa.string()))
    if not pc.any(training).as_py():
        raise SettingError(f"{key}: {data}: no item of split train; expected some, or none with a split")
    return _with_attributes(None, Manifest(found.root, found.table.filter(training), found.rejects), kind)


def opened(data: str, pattern: str | None, key: str) -> tuple[Manifest, str]:
    """The manifest of some items, and which kind their files are."""
    problem: SettingError | None = None
    for kind, suffixes in manifest.SUFFIXES.items():
        try:
            found = manifest.read(data, kind, pattern or "", key)
        except SettingError as error:
            problem = problem or error
            continue
        if len(found.table) and found.table["path"][0].as_py().lower().endswith(tuple(suffixes)):
            return found, kind
        if found.rejects and not len(found.table):
            one, many = found.rejects[0], len(found.rejects)
            problem = SettingError(f"{key}: {data}: none of its {many} items can be used: {one.reason}: {one.detail}")
    raise problem or SettingError(f"{key}: {data}: no clip and no image in it; expected a folder or a table of items")


def _with_attributes(rows: Predictions | pa.Table | None, found: Manifest, kind: str) -> Known:
    table = measured(found, kind)
    own = found.table.column_names if rows is None else joined(rows, found).column_names
    attributes = {name + MEASURED if name in own else name: one for name, one in known(kind).items()}
    whole = joined(found.table, None, table) if rows is None else joined(rows, found, table)
    return Known(whole, attributes, found, kind)
