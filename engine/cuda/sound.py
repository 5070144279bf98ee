"""A batch of sounds on a CUDA device: one copy up, then kernels and FFTs, and no wait until someone looks.

`engine/sound.py` is the judge, and says what the steps mean. What differs is the order of the work: stems go through
every filter first, are measured where a level is asked for, and only then does one kernel work out the factors.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
import torch

from sliceforge.engine.cpu import sound
from sliceforge.engine.cuda import words
from sliceforge.engine.cuda.asked import Unfit
from sliceforge.engine.cuda.bank import Resident, resident_of
from sliceforge.engine.cuda.device import check
from sliceforge.engine.cuda.run import Running
from sliceforge.engine.cuda.steps import build
from sliceforge.engine.cuda.upload import stacked, upload
from sliceforge.engine.errors import InputError
from sliceforge.engine.fuse import Task
from sliceforge.engine.gates import Later, Made
from sliceforge.engine.op import Gain, Mix, Source
from sliceforge.engine.recipe import Recipe
from sliceforge.engine.supply import Shelf

WRONG = {
    words.SILENT: "nothing of a step's input is left to measure",
    words.NON_FINITE: "a step made a value that is not finite",
}
REASONS = {words.SILENT: "silent", words.NON_FINITE: "non_finite"}


@dataclass(frozen=True)
class Batch:
    """Finished items, on the device.

    Args:
        audio: (B, T) float32 in whole steps of 16 bit, zeros behind each item.
        length: (B,) int64 on the host, samples.
        gain: (B,) float32, the product of all gains.
        status: (B,) int32, 0 for an item that is as it should be, or a key of `REASONS`.
        errors: row → what the host found wrong with it.
    """

    audio: torch.Tensor
    length: np.ndarray
    gain: torch.Tensor
    status: torch.Tensor
    errors: Mapping[int, InputError] = field(default_factory=dict)

    def wrong(self) -> dict[int, InputError]:
        """Row → why it is no item. Waits for the device."""
        found: dict[int, InputError] = {
            b: InputError(REASONS[code], WRONG[code]) for b, code in enumerate(self.status.tolist()) if code
        }
        return found | dict(self.errors)


def make(
    recipe: Recipe,
    clips: Sequence[np.ndarray],
    rates: Sequence[int],
    rows: Sequence[Mapping[str, Any]],
    banks: Resident | Shelf | None = None,
    device: str = "cuda",
) -> Batch:
    """The items of a batch, within one step of 16 bits of what `engine.sound.make` makes of each.

    Where a step of the recipe has no form on a device, the items are made on the CPU and go up finished.

    Args:
        recipe: what to do.
        clips: (T,) float32 each, of any lengths; left as they are.
        rates: hertz of each.
        rows: the plan row of each.
        banks: a `Resident` keeps what went up for the next batch; a shelf alone does not.
        device: as torch names it.

    Raises:
        SettingError: no such device, or a bank is missing.
    """
    check(device)
    resident = resident_of(banks, device)
    try:
        return _launched(recipe, clips, rates, rows, resident)
    except Unfit:
        tasks = [Task(clip, rate, dict(row)) for clip, rate, row in zip(clips, rates, rows, strict=True)]
        return _aboard(clips, [_by_cpu(recipe, task, resident.shelf) for task in tasks], resident.device)


def make_items(
    recipe: Recipe, tasks: Sequence[Task], banks: Resident | Shelf | None = None, device: str = "cuda"
) -> list[Made | InputError]:
    """Finished items, in order, within one step of what the CPU makes; instead of one that cannot be made, why not.

    Stems follow from the item where only gains and one mix touched it; elsewhere the CPU makes them when they are
    asked for.

    Args:
        recipe: what to do.
        tasks: one for each item.
        banks: what a shelf's sounds leave on the device stays there for the next batch.
        device: as torch names it.

    Raises:
        SettingError: no such device, or a bank is missing.
    """
    check(device)
    resident = resident_of(banks, device)
    try:
        clips, rates, rows = ([getattr(task, name) for task in tasks] for name in ("parent", "rate", "row"))
        batch = _launched(recipe, clips, rates, rows, resident)
    except Unfit:
        return [_by_cpu(recipe, task, resident.shelf) for task in tasks]
    wrong, gains, audio = batch.wrong(), batch.gain.tolist(), batch.audio.cpu().numpy()
    made: list[Made | InputError] = []
    for b, task in enumerate(tasks):
        item = audio[b, : batch.length[b]].copy()
        made.append(wrong[b] if b in wrong else _made(recipe, task, item, gains[b], resident.shelf))
    return made


def _launched(
    recipe: Recipe,
    clips: Sequence[np.ndarray],
    rates: Sequence[int],
    rows: Sequence[Mapping[str, Any]],
    resident: Resident,
) -> Batch:
    device = resident.device
    if not len(rows):
        none = torch.empty(0, device=device)
        return Batch(none[:, None][:, :0], np.zeros(0, np.int64), none, none.to(torch.int32))
    resident.begin()
    with torch.no_grad(), nullcontext() if device == "cpu" else torch.cuda.device(device):
        program = build(recipe, clips, rates, rows, resident)
        items, gain, status = Running(program, resident, device).finished()
    lengths = np.array([len(clip) for clip in program.clips], np.int64)
    return Batch(items, lengths, gain, status, program.errors)


def _made(recipe: Recipe, task: Task, item: np.ndarray, gain: float, shelf: Shelf | None) -> Made:
    happening = [step for step in recipe.steps if recipe.active(step, task.row)]
    mixes = [step.name for step in happening if isinstance(step.op, Mix)]
    scaled = proportional(recipe, task.row)
    if scaled and len(mixes) <= 1:

        def parts() -> Mapping[str, np.ndarray]:
            foreground = task.parent * np.float32(gain)
            return {"foreground": foreground, **dict.fromkeys(mixes, item - foreground)}

        return Made(task.parent, item, task.rate, gain, Later(parts))
    again = cache(lambda: sound.make(recipe, task.parent, task.rate, task.row, shelf))
    stems, heard = Later(lambda: again().stems), Later(lambda: again().heard)
    return Made(task.parent, item, task.rate, gain if scaled else math.nan, stems, heard)


def proportional(recipe: Recipe, row: Mapping[str, Any]) -> bool:
    """Whether only gains and mixes touch a plan row's clip, so that its own sound is the parent's times a gain."""
    happening = (step for step in recipe.steps if recipe.active(step, row))
    return all(isinstance(step.op, Gain | Mix | Source) for step in happening)


def _by_cpu(recipe: Recipe, task: Task, shelf: Shelf | None) -> Made | InputError:
    try:
        return sound.make(recipe, task.parent, task.rate, task.row, shelf)
    except InputError as error:
        return error


def _aboard(clips: Sequence[np.ndarray], made: Sequence[Made | InputError], device: str) -> Batch:
    """Items that the CPU made, on the device."""
    items = [clip if isinstance(one, InputError) else one.item for clip, one in zip(clips, made, strict=True)]
    gains = [1.0 if isinstance(one, InputError) else one.gain for one in made]
    arrays = {"audio": stacked(items), "gain": np.array(gains, np.float32), "status": np.zeros(len(items), np.int32)}
    there, errors = upload(arrays, device), {b: one for b, one in enumerate(made) if isinstance(one, InputError)}
    return Batch(there["audio"], np.array([len(item) for item in items]), there["gain"], there["status"], errors)
