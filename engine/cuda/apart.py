"""Steps of the form `Apply` on a device: torch code on a batch of sounds, or on its items one by one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import numpy as np
import torch

from sliceforge.engine.cuda.program import Alone, Program
from sliceforge.engine.errors import InputError
from sliceforge.engine.op import Apply


def ask(part: Alone, audio: torch.Tensor, program: Program) -> torch.Tensor:
    """What the step makes of audio (B, T), zeros behind each clip; an item that it refuses is one of `errors`.

    Lengths, rates and the plan stay on the host, where a step can read them without waiting for the device.
    """
    assert isinstance(part.step.op, Apply)
    if part.step.op.batched_exact:
        with suppress(InputError):
            return _some(part, audio, program, slice(len(audio)))
    out = audio.clone()
    for b, clip in enumerate(program.clips):
        try:
            out[b, : len(clip)] = _some(part, audio[:, : len(clip)], program, slice(b, b + 1))[0]
        except InputError as error:
            if program.table.places[part.column][b] == 0:
                program.errors[b] = error
    return out


def _some(part: Alone, audio: torch.Tensor, program: Program, rows: slice) -> torch.Tensor:
    assert isinstance(part.step.op, Apply)
    lengths = torch.tensor([len(clip) for clip in program.clips[rows]])
    batch = {"audio": audio[rows].contiguous(), "length": lengths, "rate": torch.from_numpy(program.rates[rows])}
    made: torch.Tensor = part.step.op.apply(batch, **_columns(part.draws[rows]))["audio"]
    return made


def _columns(draws: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Plan values as the columns of a batch: tensors on the host, or lists of words."""
    columns: dict[str, Any] = {}
    for name, value in draws[0].items():
        values = [one[name] for one in draws]
        columns[name] = values if isinstance(value, str) or value is None else torch.as_tensor(np.array(values))
    return columns
