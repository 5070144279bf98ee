"""What to do with what was found, said before anything else."""

from __future__ import annotations

from sliceforge.engine.loop.find.found import DRIFT, Found
from sliceforge.engine.report.markup import count
from sliceforge.engine.report.shell import Todo

DEEDS = {
    "labels": "fix the labels of",
    "nuisance": "make items for",
    "scarcity": "make items for",
    "neither": "collect items, or label again, for",
}
"""Cause → what is done to a slice; in the order in which it is."""


def advice(found: Found, out: str) -> Todo:
    """The next step of whoever reads it.

    Args:
        found: slices or none.
        out: slices.yaml as a command names it.
    """
    if found.kind == DRIFT:
        return _drifted(found)
    whole = found.doubts.whole
    if whole and whole.fix and found.queue is not None:
        many = count(len(found.queue), "item")
        return Todo(f"Fix the labels first: {many} to look at in {found.queued.name}; then find again.")
    if not found.slices:
        return Todo("Nothing to do for a slice: none is shown to be worse than the rest.")
    if not any(one.cause for one in found.slices):
        return Todo(
            "Say what the model was trained on, and each slice is told why it is weak:",
            f"sliceforge find predictions=P data=EVAL train=TRAIN out={out}",
        )
    causes = [one.cause for one in found.slices]
    deeds: dict[str, list[int]] = {deed: [] for deed in dict.fromkeys(DEEDS.values())}
    for at, cause in enumerate(causes, 1):
        if cause:
            deeds[DEEDS[cause]].append(at)
    said = "; ".join(f"{deed} {_numbered(places)}" for deed, places in deeds.items() if places)
    sentence = f"{said[:1].upper()}{said[1:]}"
    if not deeds[DEEDS["nuisance"]]:
        return Todo(f"{sentence}.")
    return Todo(f"{sentence}:", f"sliceforge allocate slices={out} train=TRAIN budget=1000 recipes=[RECIPE]")


def _numbered(places: list[int]) -> str:
    listed = ", ".join(map(str, places[:-1]))
    return f"slice{'s' * (len(places) > 1)} {listed}{' and ' if listed else ''}{places[-1]}"


def _drifted(found: Found) -> Todo:
    if found.slices:
        shown = "Look at" if found.production and found.production.manifest else "Collect"
        return Todo(
            f"{shown} items of production in {_numbered([*range(1, len(found.slices) + 1)])}, label some, and find on "
            "them: only labels tell whether the model is weak there."
        )
    alarms = found.drift.alarms if found.drift else ()
    if alarms:
        return Todo(
            f"No slice stands out, but {', '.join(one.column for one in alarms[:5])} drifted: see what changed."
        )
    return Todo("Nothing to do: production looks like the evaluated rows.")
