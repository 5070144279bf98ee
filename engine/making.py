"""One item from one plan row: its parent read, the steps applied, the gates asked; for a run and a loader alike."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from sliceforge.engine import read, regions, stepwise
from sliceforge.engine.errors import InputError
from sliceforge.engine.outcome import Outcome
from sliceforge.engine.recipe import Recipe


def parent(recipe: Recipe, root: Path, row: Mapping[str, Any]) -> tuple[np.ndarray, int]:
    """The parent of a plan row, as it was when it was planned, and its rate: 0 for images.

    Args:
        recipe: says the kind and the rate.
        root: the folder that the row's path is under.
        row: the plan row.

    Raises:
        InputError: why it cannot be used.
    """
    if row["read.reason"]:
        raise InputError(row["read.reason"], row["read.detail"] or "")
    path = root / row["path"]
    if row.get("read.sha256"):
        read.check_digest(path, row["read.sha256"])
    if recipe.kind == "image":
        pixels = read.read_image(path)
        if pixels.shape[:2] != (row["read.height"], row["read.width"]):
            raise InputError("unreadable", f"{pixels.shape[1]} × {pixels.shape[0]}, not the size in its header")
        return pixels, 0
    sound, rate = read.read_audio(path, recipe.rate, read.declared(row))
    if (len(sound), rate) != (row["read.length"], row["read.rate"]):
        raise InputError("unreadable", f"{len(sound)} samples at {rate} Hz, not what its header said")
    return sound, rate


def make(
    recipe: Recipe,
    outcome: Outcome,
    source: np.ndarray,
    rate: int,
    banks: Any,
    gates: bool = True,
    marks: regions.Marks = (None, None),
) -> None:
    """Make the item of an outcome's row and ask the gates; what went wrong is the outcome's reason.

    Args:
        marks: the mask and the boxes of an image, as `regions.read` returns them.
    """
    try:
        outcome.made = stepwise.make(recipe, source, rate, outcome.row, banks, *marks)
        outcome.verdicts = stepwise.measure(recipe, outcome.made, outcome.row) if gates else {}
    except InputError as error:
        outcome.reason, outcome.detail = error.reason, error.detail
        return
    for name, verdict in outcome.verdicts.items():
        if not verdict.ok:
            outcome.reason = f"gate.{name}"
            outcome.detail = f"asked {verdict.asked:.4g}, got {verdict.got:.4g}"
            return
