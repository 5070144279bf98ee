"""What was made of what: the ids of made items beside those in use, and the originals of a run."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
import pyarrow as pa


def made_ids(parents: pa.Table, variant: int | np.ndarray) -> list[str]:
    """`{parent}~{variant}` for each row of a plan, with the row's own mark where it has one."""
    ids = parents["parent"].to_pylist()
    known = parents["read.mark"].to_pylist() if "read.mark" in parents.column_names else [None] * len(ids)
    variants = np.full(len(ids), variant).tolist()
    return [f"{item}{mark or '~'}{own}" for item, mark, own in zip(ids, known, variants, strict=True)]


def foreign(name: str) -> bool:
    """Whether a column says what another run asked for and measured."""
    return name.partition(".")[0] in ("asked", "got", "gate", "near", "read") and "." in name


def marks(taken: Sequence[str], ids: Sequence[str]) -> list[str]:
    """What stands between each parent's id and a variant, so that no id in use is given again.

    It is `~`, or one more than in what was made of that parent before.

    >>> marks(["a", "a~1", "b"], ["a", "a~1", "b"])
    ['~~', '~', '~']
    """
    most: dict[str, int] = {}
    for item in taken:
        head, mark, variant = item.rpartition("~")
        if mark and variant.isdecimal():
            parent = head.rstrip("~")
            most[parent] = max(most.get(parent, 0), len(head) + 1 - len(parent))
    return ["~" * (most.get(item, 0) + 1) for item in ids]


def originals(planned: pa.Table, carried: Collection[str]) -> pa.Table:
    """The plan of variant 0, the parents as they are: that of another variant with nothing drawn.

    Args:
        planned: the plan of a variant.
        carried: the columns that it has from its parents.
    """
    fields = {field.name: planned[field.name] for field in planned.schema}
    fields = {
        name: column if name in carried else pa.nulls(len(column), column.type) for name, column in fields.items()
    }
    nought = pa.array(np.zeros(len(planned), np.int32))
    return pa.table({**fields, "id": planned["parent"], "variant": nought, "attempt": nought})
