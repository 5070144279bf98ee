"""What became of a plan row, as a row of a receipt and of the manifest."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import pyarrow as pa

from sliceforge.engine import moments, objects, receipts
from sliceforge.engine.gates import Made, Mark, Verdict, hashed
from sliceforge.engine.read import RATES, declared
from sliceforge.engine.recipe import Recipe
from sliceforge.engine.scene import BROUGHT

OWN = frozenset(("id", "parent", "path", "label", "split", "group", "variant", "attempt"))
"""Columns of a plan that a manifest has in its own words."""


@dataclass
class Outcome:
    """What became of one plan row.

    Args:
        row: the plan row, of the last attempt.
        reason: why it was rejected, or empty.
        detail: in a few words.
        made: the item.
        verdicts: what the gates found.
        redraws: how often it was drawn again.
        brought: what its parent brought along, once `objects.brought` was asked for it.
    """

    row: dict[str, Any]
    reason: str = ""
    detail: str = ""
    made: Made | None = None
    verdicts: dict[str, Verdict] = field(default_factory=dict)
    redraws: int = 0
    brought: list[objects.Thing] | None = None

    @cached_property
    def hash(self) -> int:
        """64 bits of its item; see `kernels/hashes.py`."""
        assert self.made is not None
        return hashed(self.made)

    @cached_property
    def mark(self) -> Mark:
        """What is remembered of its item."""
        assert self.made is not None
        return Mark.of(self.made, BROUGHT, self.hash)


def facts(recipe: Recipe, outcome: Outcome, slice_: str | None) -> dict[str, Any]:
    """The manifest row of an outcome, but for its path and hash."""
    row, made = outcome.row, outcome.made
    known = {
        "id": row["id"],
        "label": row["label"],
        "split": row["split"],
        "group": row["group"],
        "slice": slice_,
        "parents": [row["parent"]] if row["variant"] else [],
        "variant": row["variant"],
        "attempt": row["attempt"],
        "parent_path": row["path"],
    }
    known |= {name: value for name, value in row.items() if "." not in name and name not in OWN}
    known |= recipe.facts(row)
    if outcome.reason or made is None:
        return known
    if recipe.kind == "image":
        painted, there = objects.painted(recipe, outcome), objects.brought(recipe, outcome)
        if painted or objects.named(row):
            # What is painted takes the place of an image's own label; one that its objects gave is theirs still.
            named = (*(there if objects.named(row) else ()), *painted)
            known["label"] = "+".join(dict.fromkeys(str(one.label) for one in named)) or None
        marked = [*there, *painted]
        known["boxes"] = [one.box for one in marked]
        known["box_labels"] = [one.label for one in marked]
    else:
        seconds = len(made.item) / made.rate
        known |= {"got.gain": made.gain, "got.seconds": seconds} | moments.moved(recipe, row, seconds)
        known |= {
            name: type(known[name])(made.rate) for name in RATES if known.get(name) and declared({name: known[name]})
        }
    for name, verdict in outcome.verdicts.items():
        known |= {f"asked.{name}": float(verdict.asked), f"got.{name}": float(verdict.got)}
        known |= {f"got.{name}_{more}": float(value) for more, value in verdict.more.items()}
        known[f"gate.{name}"] = verdict.ok
    return known


def tabulate(lines: list[dict[str, Any]], planned: pa.Schema, recipe: Recipe) -> pa.Table:
    """Receipt lines as a table whose columns and types depend on the plan and the recipe, not on the lines' values."""
    text, whole = pa.string(), pa.int32()
    types = {"accepted": pa.bool_(), "reason": text, "detail": text, "id": text, "path": text, "label": text}
    types |= {"split": text, "group": text, "slice": text, "parents": pa.list_(text), "variant": whole}
    types |= {"attempt": whole, "parent_path": text}
    own = {*types, "parent"}
    types |= {f.name: f.type for f in planned if f.name not in own and "." not in f.name}
    types |= moments.types(planned) if recipe.kind == "audio" else {}
    types |= {name: _type(recipe, value, planned) for name, value in recipe.sets.items()}
    if recipe.kind == "image":
        edge = pa.float64() if "read.boxes" in planned.names else whole
        types |= {"boxes": pa.list_(pa.list_(edge)), "box_labels": pa.list_(text)}
        types |= {"mask": text} if recipe.paints() or "read.mask" in planned.names else {}
    types[receipts.HASH] = text
    measured = {name for line in lines for name in line} - set(types) - {"sha256"}
    types |= {name: pa.bool_() if name.startswith("gate.") else pa.float64() for name in sorted(measured)}
    types["sha256"] = text
    return pa.table({name: _column([line.get(name) for line in lines], kind) for name, kind in types.items()})


def _column(values: list[Any], kind: pa.DataType) -> pa.Array:
    """An original has its own value of a column that a recipe sets: null where that is of another type."""
    try:
        return pa.array(values, kind)
    except pa.ArrowException:
        return pa.array([value if _fits(value, kind) else None for value in values], kind)


def _fits(value: Any, kind: pa.DataType) -> bool:
    try:
        pa.scalar(value, kind)
    except pa.ArrowException:
        return False
    return True


def _type(recipe: Recipe, value: Any, planned: pa.Schema) -> pa.DataType:
    if recipe.drawn(value) and value in planned.names:
        return planned.field(value).type
    return pa.scalar(value).type
