"""Items from plan rows: parents read, the steps applied, the gates asked; for a run and a loader alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from sliceforge.engine import fuse, read, regions, stepwise
from sliceforge.engine.errors import InputError
from sliceforge.engine.outcome import Outcome
from sliceforge.engine.paths import Fence
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
    sound, rate = read.read_audio(path, recipe.rate, read.declared(row), span=_span(row))
    if (len(sound), rate) != (row["read.length"], row["read.rate"]):
        raise InputError("unreadable", f"{len(sound)} samples at {rate} Hz, not what its header said")
    return sound, rate


def _span(row: Mapping[str, Any]) -> read.Span | None:
    """Which part of its recording a plan row means."""
    if row.get("read.start") is None:
        return None
    return row["read.start"], row["read.seconds"]


@dataclass(frozen=True)
class Source:
    """What was read of one item: its parent and rate, and of an image the mask and the boxes, or None.

    `regions` are the masks that the gates ask for, by the name of the column that says where each lies.
    """

    parent: np.ndarray
    rate: int
    mask: np.ndarray | None = None
    boxes: np.ndarray | None = None
    regions: Mapping[str, np.ndarray] = field(default_factory=dict)


def asked_for(recipe: Recipe, root: Path, row: Mapping[str, Any], source: np.ndarray) -> dict[str, np.ndarray]:
    """The masks that the recipe's gates ask for and the row names, each (H, W) bool.

    Args:
        recipe: whose gates.
        root: the folder that their paths are under.
        row: the plan row.
        source: the parent.

    Raises:
        InputError: one lies elsewhere, cannot be read, or is of another size.
    """
    names = {name for gate in recipe.gates.values() for name in gate.columns() if row.get(name)}
    found = {}
    for name in sorted(names):
        place, reason, detail = Fence(root).place(str(row[name]))
        if reason:
            raise InputError(reason, f"{name}: {detail}")
        found[name] = regions.read_mask(root / place, *source.shape[:2])
    return found


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
    found = fuse.make(recipe, tasks, banks, threads, device)
    for outcome, source, made in zip(outcomes, sources, found, strict=True):
        if isinstance(made, InputError):
            outcome.reason, outcome.detail = made.reason, made.detail
            continue
        outcome.made = replace(made, regions=source.regions) if source.regions else made
        made = outcome.made
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
