"""A class that a recipe paints or pastes: which recipe makes it, under which label, on which parents."""

from __future__ import annotations

import re

from sliceforge.engine.loop.rows.known import Known
from sliceforge.engine.recipe import Recipe
from sliceforge.engine.step import Step

BARE = ("clean", "ok", "good", "normal", "none", "background", "defect_free", "no_defect", "plain")
"""Classes of images with nothing on them, on which anything may be painted."""

_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_./-]*( [A-Za-z0-9_./-]+)*")


def place(step: Step) -> str:
    """Where a step's settings stand: `steps.mix`, or `steps.soft.one_of.blur` of a branch."""
    return (
        f"steps.{step.group}.one_of.{step.name.removeprefix(step.group + '.')}" if step.group else f"steps.{step.name}"
    )


def operator(step: Step) -> str:
    """The name of a step's operator, such as `audio/mix`."""
    return "/".join(type(step.op).__module__.split(".")[-2:])


def painted(recipe: Recipe, label: str, residual: bool = False) -> tuple[str, ...] | None:
    """Overrides by which a recipe makes things of a class; None where it makes none of it.

    Args:
        recipe: what paints.
        label: the class.
        residual: whether donors have neither mask nor box, so that what stands out in them is taken.
    """
    paints = [step for step in recipe.steps if step.op.paints]
    if not paints:
        return None
    if label in recipe.labels():
        return ()
    donors = next((step for step in paints if operator(step) == "image/paste"), None)
    if donors:
        # Hydra's grammar has no quotes around a key.
        more = (f"{place(donors)}.residual=true",) if residual else ()
        return (f"{place(donors)}.quota={{{label}: 1}}", *more) if _KEY.fullmatch(label) else None
    alike = [one for one in recipe.labels() if _same(one, label)]
    if not alike:
        return None
    return tuple(f"{place(step)}.label={_quoted(label)}" for step in paints)


def _same(one: str, other: str) -> bool:
    """Whether two classes have a word in common, but for its ending: `scratches` and `surface scratch`."""
    stems = [{word[:6] for word in re.split(r"[^a-z0-9]+", text.lower()) if word} for text in (one, other)]
    return bool(stems[0] & stems[1])


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def background(label: str, train: Known) -> str:
    """Parents on which a thing of a class may be painted, so the label is true: bare ones, else the class's own."""
    if "label" not in train.table.column_names:
        return "TRUE"
    known = {str(one) for one in train.table["label"].drop_null().unique().to_pylist()}
    bare = [one for one in sorted(known) if one.lower().replace(" ", "_") in BARE]
    words = ", ".join("'" + one.replace("'", "''") + "'" for one in (bare or [label]))
    return f"label IN ({words})"
