"""A row's place in the run, which decides what it gets of a bank with quotas, whoever draws it and when.

Quotas are the one thing in a plan that depends on more than a row's own key: on the ids that are enlarged, of which the
plan's order is made, and on the bank's contents; never on batches, order, workers or how often a run was resumed. A
variant that is added later begins where the one before ended, so that no item is used more often than its cap allows.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from sliceforge.engine.manifest import Manifest

SLOT = "read.slot"
"""The plan's column of places, where a step has a quota."""


def slots(rows: pa.Table, variant: int | np.ndarray) -> np.ndarray:
    """(B,) int64, the place of each row in the run: (variant − 1) · rows of a plan + row of the plan.

    Args:
        rows: all the parents of a variant in plan order; or rows of its plan that a gate draws again, which keep their
            places.
        variant: from 1; (B,) where each row has its own.
    """
    if SLOT in rows.column_names and (rows["variant"].to_numpy() == variant).all():
        kept: np.ndarray = rows[SLOT].to_numpy()
        return kept
    return (variant - 1) * len(rows) + np.arange(len(rows))


def ranks(known: pa.Table, found: Manifest, chosen: np.ndarray) -> tuple[np.ndarray, int]:
    """Where each surveyed row stands in the plan of a run of some of them, (N,) int64, and the rows of that plan.

    Args:
        known: what a survey of those rows, and of others, says.
        found: the manifest; what it refuses stands in every plan.
        chosen: which of its rows the run is of.
    """
    refused = {(one.id, one.path, one.reason) for one in found.rejects}
    claims = zip(*(known[name].to_pylist() for name in ("parent", "path", "read.reason")), strict=True)
    ids = set(found.table["id"].filter(pa.array(chosen)).to_pylist())
    inside = np.array([claim in refused or claim[0] in ids for claim in claims], bool)
    return np.cumsum(inside) - 1, int(inside.sum())
