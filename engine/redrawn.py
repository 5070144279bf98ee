"""A finished run's plans, drawn once more: every number in them, and what the manifest says of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sliceforge.engine import commit, plan
from sliceforge.engine.work import Workshop

SHOWN = 10
"""Rows of one column that are told one by one."""


def variant(path: Path) -> int:
    """Of a plan's file."""
    return int(path.stem.removeprefix("plan-v"))


def altered(workshop: Workshop, path: Path) -> Iterator[str]:
    """One line for each number of a plan that is not the one which is drawn for that row.

    Args:
        workshop: of the run.
        path: the plan's file.
    """
    said = commit.read_table(path)
    if not variant(path) or not len(said):
        return
    spec, inventories = workshop.spec, workshop.banks.inventories()
    meant = plan.draw(workshop.recipe, said, spec.seed, variant(path), inventories, spec.slice)
    for name in dict.fromkeys([*said.column_names, *meant.column_names]):
        if name not in said.column_names or name not in meant.column_names:
            yield f"{path.name}: {name}: is {'missing' if name in meant.column_names else 'not drawn by the recipe'}"
            continue
        one, other = (table[name].combine_chunks() for table in (said, meant))
        if one.equals(other):
            continue
        pairs = list(zip(said["id"].to_pylist(), one.to_pylist(), other.to_pylist(), strict=True))
        wrong = [(item, a, b) for item, a, b in pairs if not (a == b or (a != a and b != b))]
        for item, a, b in wrong[:SHOWN]:
            yield f"{path.name}: {item}: {name} is {a!r}, and {b!r} is drawn"
        if len(wrong) > SHOWN:
            yield f"{path.name}: {name}: differs in {len(wrong) - SHOWN} more rows"


def rows(workshop: Workshop, path: Path, lines: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """id → the plan row of the attempt that was accepted.

    Args:
        workshop: of the run.
        path: the plan's file.
        lines: rows of the manifest, of that variant.
    """
    wanted = {line["id"]: line["attempt"] for line in lines}
    planned = commit.read_table(path)
    if not len(planned):
        return {}
    readable = planned.filter(pc.is_null(planned["read.reason"]))
    readable = readable.filter(pc.is_in(readable["id"], pa.array(list(wanted), pa.string())))
    attempts = np.array([wanted[item] for item in readable["id"].to_pylist()], np.int64)
    later = np.asarray(attempts != readable["attempt"].to_numpy())
    found = {row["id"]: row for row in readable.filter(pa.array(~later, pa.bool_())).to_pylist()}
    if later.any():
        again = workshop.drawn(readable.filter(pa.array(later)), variant(path), attempts[later])
        found |= {row["id"]: row for row in again.to_pylist()}
    return found


def promised(
    workshop: Workshop, lines: Sequence[Mapping[str, Any]], planned: Mapping[str, Mapping[str, Any]]
) -> Iterator[str]:
    """One line for each number that the manifest says the plan asked for and it did not."""
    for line in lines:
        row = planned.get(line["id"])
        if row is None:
            yield f"{line['id']}: is not in the plan"
            continue
        for name, value in workshop.recipe_of(row).facts(row).items():
            if value != line.get(name) and not (value != value and line.get(name) is None):
                yield f"{line['id']}: {name} is {line.get(name)!r}, and the plan says {value!r}"
