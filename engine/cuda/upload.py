"""What a batch brings along, and how it gets to the device: one buffer of 32-bit words, one copy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch


@dataclass
class Table:
    """The plan's numbers of a batch, a row for each item, column after column.

    Args:
        rows: items.
    """

    rows: int
    numbers: list[np.ndarray] = field(default_factory=list)
    """(B,) each: levels, factors, what points read."""
    places: list[np.ndarray] = field(default_factory=list)
    """(B,) each: lengths, offsets, whether a step happens."""

    def number(self, fill: float = 0.0) -> int:
        """A new column of numbers; returns which."""
        self.numbers.append(np.full(self.rows, fill, np.float32))
        return len(self.numbers) - 1

    def place(self, fill: int = 0) -> int:
        """A new column of whole numbers; returns which."""
        self.places.append(np.full(self.rows, fill, np.int32))
        return len(self.places) - 1


def stacked(waves: Sequence[np.ndarray]) -> np.ndarray:
    """Sounds of any lengths as (N, T) float32, zeros behind each; at least one row and one sample."""
    out = np.zeros((max(len(waves), 1), max(map(len, waves), default=1) or 1), np.float32)
    for row, wave in zip(out, waves, strict=False):
        row[: len(wave)] = wave
    return out


def upload(arrays: Mapping[str, np.ndarray], device: str) -> dict[str, torch.Tensor]:
    """Every array on the device, under its name, as it is: views of one buffer that went there in one copy.

    The copy does not wait: its pinned source stays until it is done, as torch's allocator sees to it.

    Args:
        arrays: float32 or int32.
        device: as torch names it.
    """
    pinned = not device.startswith("cpu")
    buffer = torch.empty(sum(one.size for one in arrays.values()), dtype=torch.int32, pin_memory=pinned)
    words, end = buffer.numpy(), 0
    spans = {}
    for name, one in arrays.items():
        spans[name] = slice(end, end := end + one.size)
        words[spans[name]] = np.ascontiguousarray(one).reshape(-1).view(np.int32)
    there = buffer.to(device, non_blocking=True)
    types = {np.dtype(np.float32): torch.float32, np.dtype(np.int32): torch.int32}
    return {name: there[spans[name]].view(types[one.dtype]).view(one.shape) for name, one in arrays.items()}
