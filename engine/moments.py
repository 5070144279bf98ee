"""What an item says of moments (a word's beginning and end, its own duration) after the steps that moved them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sliceforge.engine.recipe import Recipe

MOMENTS = ("start", "end")
"""Columns, and keys within `ALIGNMENTS`, that are seconds from the beginning of the clip."""

ALIGNMENTS = ("words", "alignment", "alignments")
"""Columns that are lists of `{start, end, …}`, in seconds."""


def moved(recipe: Recipe, row: Mapping[str, Any], seconds: float) -> dict[str, Any]:
    """The columns of a plan row that speak of moments, as they are in the made clip.

    Args:
        recipe: whose steps move them.
        row: the plan row.
        seconds: the made clip's length; no moment lies outside it.
    """

    def at(moment: float) -> float:
        for step in recipe.steps:
            if recipe.active(step, row):
                moment = step.op.moment(moment, **recipe.draws(step, row))
        return min(max(moment, 0.0), seconds)

    def within(part: Any) -> Any:
        if not isinstance(part, Mapping):
            return part
        return {key: at(value) if key in MOMENTS and _number(value) else value for key, value in part.items()}

    found: dict[str, Any] = {name: at(row[name]) for name in MOMENTS if _number(row.get(name))}
    if _number(row.get("duration")):
        found["duration"] = seconds
    for name in ALIGNMENTS:
        if isinstance(row.get(name), list):
            found[name] = [within(part) for part in row[name]]
    return found


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value == value
