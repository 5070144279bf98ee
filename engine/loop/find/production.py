"""Evaluation rows and production as one table, in which the search of weak slices finds drifted ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from sliceforge.engine.loop.find.drift import pairs
from sliceforge.engine.loop.rows import predictions
from sliceforge.engine.loop.rows.known import Known, of_rows
from sliceforge.engine.loop.rows.outcomes import PREFIX


def sides(config: Mapping[str, Any]) -> tuple[Known, Known]:
    """The evaluated rows and production's, with what is known of either.

    Args:
        config: of conf/find.yaml. A table with paths is a manifest, whose items are measured and shown; the items of
            evaluated rows may be `data` too.

    Raises:
        SettingError: a table or its items cannot be read.
    """
    data, pattern = config["data"], config["pattern"]
    tables = {key: predictions.read(config[key], key) for key in ("predictions", "production")}
    before, after = (config[key] if "path" in table.column_names else None for key, table in tables.items())
    own = of_rows(tables["predictions"], before or data, None if before else pattern)
    return own, of_rows(tables["production"], after)


def together(columns: pa.Table, ids: np.ndarray, before: Known, after: Known) -> Known:
    """Both sides as one, of the columns and ids of `target`, with those attributes that are among them."""
    attributes = {name: one for name, one in before.attributes.items() if name in columns.column_names}
    return Known(columns.add_column(0, "id", pa.array(ids, pa.string())), attributes)


def target(reference: pa.Table, production: pa.Table) -> tuple[pa.Table, np.ndarray, np.ndarray]:
    """What a search of weak slices takes to find drifted ones: (columns, ids, loss), "is this row from production?".

    Args:
        reference, production: N and M rows, with `id` or without.

    Returns:
        The columns that `drift` tests but for `p_<class>` and `pred`, N + M rows; ids (N + M,) text, all different;
        0 for the reference and 1 for production, (N + M,) float64.

    Raises:
        SettingError: as of `drift`.
    """
    columns = {
        name: pa.chunked_array([*before.chunks, *after.chunks], before.type)
        for name, before, after in pairs(reference, production)
        if name != "pred" and not name.startswith(PREFIX)
    }
    sides = {"reference": reference, "production": production}
    ids = [f"{side}/{item}" for side, table in sides.items() for item in _ids(table)]
    loss = np.repeat([0.0, 1.0], [len(reference), len(production)])
    return pa.table(columns), np.array(ids, object), loss


def _ids(table: pa.Table) -> list[str]:
    return table["id"].to_pylist() if "id" in table.column_names else [str(row) for row in range(len(table))]
