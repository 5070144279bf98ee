"""Evaluation rows and production as one table, in which the search of weak slices finds drifted ones."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from sliceforge.engine.loop.find.drift import pairs
from sliceforge.engine.loop.rows.outcomes import PREFIX


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
