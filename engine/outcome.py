"""What became of a plan row, as a row of a receipt and of the manifest."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from sliceforge.engine import picture
from sliceforge.engine.gates import Made, Verdict
from sliceforge.engine.recipe import Recipe
from sliceforge.engine.scene import BROUGHT


@dataclass
class Outcome:
    """What became of one plan row.

    Args:
        row: the plan row, of the last attempt.
        reason: why it was rejected, or empty.
        detail: in a few words.
        made: the item.
        verdicts: what the gates found.
    """

    row: dict[str, Any]
    reason: str = ""
    detail: str = ""
    made: Made | None = None
    verdicts: dict[str, Verdict] = field(default_factory=dict)


def facts(recipe: Recipe, outcome: Outcome, slice_: str | None) -> dict[str, Any]:
    """The manifest row of an outcome, but for its path and hash."""
    row, made = outcome.row, outcome.made
    own = ("id", "parent", "path", "label", "split", "group", "variant", "attempt")
    known = {
        "id": row["id"],
        "label": row["label"],
        "split": row["split"],
        "group": row["group"],
        "slice": slice_,
        "parents": [row["parent"]],
        "variant": row["variant"],
        "attempt": row["attempt"],
        "parent_path": row["path"],
    }
    known |= {name: value for name, value in row.items() if name not in own and "." not in name}
    known |= recipe.facts(row)
    if outcome.reason or made is None:
        return known
    painted = _painted(recipe, outcome)
    if painted:
        known["label"] = "+".join(dict.fromkeys(label for label, _ in painted))
    if recipe.kind == "image":
        known["boxes"] = [box for _, box in painted]
        known["box_labels"] = [label for label, _ in painted]
    else:
        known["got.gain"] = made.gain
    for name, verdict in outcome.verdicts.items():
        known |= {f"asked.{name}": float(verdict.asked), f"got.{name}": float(verdict.got)}
        known |= {f"got.{name}_{more}": float(value) for more, value in verdict.more.items()}
        known[f"gate.{name}"] = verdict.ok
    return known


def _painted(recipe: Recipe, outcome: Outcome) -> list[tuple[str, list[int]]]:
    """(label, tight box) of every painted mask that is not empty."""
    found = []
    for name, mask in outcome.made.masks.items() if outcome.made else ():
        box = picture.tight_box(mask)
        if name != BROUGHT and box:
            label = outcome.row.get(f"{name}.label") or recipe.step(name).op.label  # type: ignore[attr-defined]
            found.append((label, list(box)))
    return found


def tabulate(lines: list[dict[str, Any]], planned: pa.Schema, recipe: Recipe) -> pa.Table:
    """Receipt lines as a table whose columns and types depend on the plan and the recipe, not on the lines' values."""
    text, whole = pa.string(), pa.int32()
    types = {"accepted": pa.bool_(), "reason": text, "detail": text, "id": text, "path": text, "label": text}
    types |= {"split": text, "group": text, "slice": text, "parents": pa.list_(text), "variant": whole}
    types |= {"attempt": whole, "parent_path": text}
    own = {*types, "parent"}
    types |= {f.name: f.type for f in planned if f.name not in own and "." not in f.name}
    types |= {name: _type(value, planned) for name, value in recipe.sets.items()}
    if recipe.kind == "image":
        types |= {"boxes": pa.list_(pa.list_(whole)), "box_labels": pa.list_(text)}
    measured = {name for line in lines for name in line} - set(types) - {"sha256"}
    types |= {name: pa.bool_() if name.startswith("gate.") else pa.float64() for name in sorted(measured)}
    types["sha256"] = text
    return pa.table({name: pa.array([line.get(name) for line in lines], kind) for name, kind in types.items()})


def _type(value: Any, planned: pa.Schema) -> pa.DataType:
    if isinstance(value, str) and value in planned.names:
        return planned.field(value).type
    return pa.scalar(value).type
