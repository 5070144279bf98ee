"""A batch of sounds on a CUDA device: one copy up, then kernels and FFTs, and no wait until someone looks.

`engine/sound.py` is the judge, and says what the steps mean. What differs is the order of the work: stems go through
every filter first, are measured where a level is asked for, and only then does one kernel work out the factors.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from sliceforge.engine import sound
from sliceforge.engine.cuda import words
from sliceforge.engine.cuda.asked import Unfit
from sliceforge.engine.cuda.bank import Resident
from sliceforge.engine.cuda.device import check
from sliceforge.engine.cuda.run import Running
from sliceforge.engine.cuda.steps import build
from sliceforge.engine.cuda.upload import stacked, upload
from sliceforge.engine.errors import InputError
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
    resident = banks if isinstance(banks, Resident) else Resident(banks, device)
    if not len(rows):
        none = torch.empty(0, device=device)
        return Batch(none[:, None][:, :0], np.zeros(0, np.int64), none, none.to(torch.int32))
    resident.begin()
    with torch.no_grad(), nullcontext() if device == "cpu" else torch.cuda.device(device):
        try:
            program = build(recipe, clips, rates, rows, resident)
        except Unfit:
            return _by_cpu(recipe, clips, rates, rows, resident)
        items, gain, status = Running(program, resident, device).finished()
    lengths = np.array([len(clip) for clip in program.clips], np.int64)
    return Batch(items, lengths, gain, status, program.errors)


def _by_cpu(
    recipe: Recipe,
    clips: Sequence[np.ndarray],
    rates: Sequence[int],
    rows: Sequence[Mapping[str, Any]],
    resident: Resident,
) -> Batch:
    items, errors = [], {}
    gains = np.ones(len(clips), np.float32)
    for b, (clip, rate, row) in enumerate(zip(clips, rates, rows, strict=True)):
        try:
            made = sound.make(recipe, clip, rate, row, resident.shelf)
            gains[b] = made.gain
            items.append(made.item)
        except InputError as error:
            errors[b] = error
            items.append(clip)
    arrays = {"audio": stacked(items), "gain": gains, "status": np.zeros(len(items), np.int32)}
    there = upload(arrays, resident.device)
    return Batch(there["audio"], np.array([len(item) for item in items]), there["gain"], there["status"], errors)
