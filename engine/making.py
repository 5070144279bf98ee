"""Items from plan rows: parents read, the steps applied, the gates asked; for a run and a loader alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sliceforge.engine import fuse, read, stepwise
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


@dataclass(frozen=True)
class Source:
    """What was read of one item: its parent and rate, and of an image the mask and the boxes, or None."""

    parent: np.ndarray
    rate: int
    mask: np.ndarray | None = None
    boxes: np.ndarray | None = None


def make(
    recipe: Recipe,
    outcomes: Sequence[Outcome],
    sources: Sequence[Source],
    banks: Any,
    gates: bool = True,
    threads: int = 1,
    device: str = "cpu",
) -> None:
    """Make the items of some outcomes' rows and ask the gates; what went wrong with one is its outcome's reason.

    Args:
        threads: how many items are made at a time on the CPU.
        device: cpu, cuda or cuda:N.
    """
    pairs = zip(outcomes, sources, strict=True)
    tasks = [fuse.Task(one.parent, one.rate, outcome.row, one.mask, one.boxes) for outcome, one in pairs]
    for outcome, made in zip(outcomes, fuse.make(recipe, tasks, banks, threads, device), strict=True):
        if isinstance(made, InputError):
            outcome.reason, outcome.detail = made.reason, made.detail
            continue
        outcome.made = made
        try:
            outcome.verdicts = stepwise.measure(recipe, made, outcome.row) if gates else {}
        except InputError as error:
            outcome.reason, outcome.detail = error.reason, error.detail
            continue
        for name, verdict in outcome.verdicts.items():
            if not verdict.ok:
                outcome.reason = f"gate.{name}"
                outcome.detail = f"asked {verdict.asked:.4g}, got {verdict.got:.4g}"
                break
