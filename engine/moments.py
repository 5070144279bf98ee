"""What an item says of moments (a word's beginning and end, its own duration) after the steps that moved them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pyarrow as pa

from sliceforge.engine.recipe import Recipe

MOMENTS = ("start", "end")
"""Columns, and keys within `ALIGNMENTS`, that are seconds from the beginning of the clip."""

DURATION = "duration"
"""A column, the clip's own seconds; within `ALIGNMENTS`, the seconds from `start` on."""

ALIGNMENTS = ("words", "phones", "segments", "alignment", "alignments")
"""Columns that hold `{start, end, …}` or `{start, duration, …}`, in seconds, or lists of such, at any depth."""


def moved(recipe: Recipe, row: Mapping[str, Any], seconds: float) -> dict[str, Any]:
    """The columns of a plan row that speak of moments, as they are in the made clip.

    Args:
        recipe: whose steps move them.
        row: the plan row.
        seconds: the made clip's length; no moment lies outside it.
    """
    steps = [(step.op.moment, recipe.draws(step, row)) for step in recipe.steps if recipe.active(step, row)]

    def at(moment: float) -> float:
        for move, draws in steps:
            moment = move(moment, **draws)
        return min(max(moment, 0.0), seconds)

    found: dict[str, Any] = {name: at(row[name]) for name in MOMENTS if _number(row.get(name))}
    if _number(row.get(DURATION)):
        found[DURATION] = seconds
    for name in ALIGNMENTS:
        if isinstance(row.get(name), list | Mapping):
            found[name] = _within(row[name], at)
    return found


def _within(part: Any, at: Callable[[float], float]) -> Any:
    """A part of an alignment, and what it holds, with its moments moved."""
    if isinstance(part, list):
        return [_within(one, at) for one in part]
    if not isinstance(part, Mapping):
        return part
    made = {key: _each(value, at) if key in MOMENTS else _within(value, at) for key, value in part.items()}
    if DURATION in part and "start" in part:
        made[DURATION] = _lasting(part["start"], part[DURATION], at)
    return made


def _each(value: Any, at: Callable[[float], float]) -> Any:
    """A moment, or each of a list of them."""
    if isinstance(value, list):
        return [_each(one, at) for one in value]
    return at(value) if _number(value) else value


def _lasting(start: Any, duration: Any, at: Callable[[float], float]) -> Any:
    if isinstance(start, list) and isinstance(duration, list) and len(start) == len(duration):
        return [_lasting(one, other, at) for one, other in zip(start, duration, strict=True)]
    return at(start + duration) - at(start) if _number(start) and _number(duration) else duration


def types(planned: pa.Schema) -> dict[str, pa.DataType]:
    """The types of columns that speak of moments and hold whole seconds, which a step makes fractions of."""
    wide = {name: _wide(planned.field(name).type, True) for name in (*MOMENTS, DURATION) if name in planned.names}
    wide |= {name: _wide(planned.field(name).type, False) for name in ALIGNMENTS if name in planned.names}
    return {name: kind for name, kind in sorted(wide.items()) if kind != planned.field(name).type}


def _wide(kind: pa.DataType, moment: bool) -> pa.DataType:
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return pa.list_(_wide(kind.value_type, moment))
    if pa.types.is_struct(kind):
        fields = [kind.field(i) for i in range(kind.num_fields)]
        return pa.struct([one.with_type(_wide(one.type, one.name in (*MOMENTS, DURATION))) for one in fields])
    return pa.float64() if moment and pa.types.is_integer(kind) else kind


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value == value
