"""What a batch brings along, and how it gets to the device: one buffer, one copy."""

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

    def pair(self) -> int:
        """Two new columns of numbers, which together hold doubles; returns the first."""
        self.number()
        return self.number() - 1

    def write(self, column: int, row: int, value: float) -> None:
        """A double into a pair of columns."""
        high = np.float32(value)
        self.numbers[column][row], self.numbers[column + 1][row] = high, value - float(high)

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


def upload(arrays: Mapping[str, np.ndarray | Sequence[np.ndarray]], device: str) -> dict[str, torch.Tensor]:
    """Every array on the device, under its name, as it is: views of one buffer that went there in one copy.

    The copy does not wait: its pinned source stays until it is done, as torch's allocator sees to it.

    Args:
        arrays: float32, int32 or uint8; several of one shape arrive as one, with one dimension more.
        device: as torch names it.
    """
    parts = {name: [one[None]] if isinstance(one, np.ndarray) else list(one) for name, one in arrays.items()}
    bytes_of = {name: sum(part.nbytes for part in some) for name, some in parts.items()}
    pinned = not device.startswith("cpu")
    buffer = torch.empty(sum(-(-size // 4) for size in bytes_of.values()) * 4, dtype=torch.uint8, pin_memory=pinned)
    octets, start, starts = buffer.numpy(), 0, {}
    for name, some in parts.items():
        starts[name] = end = start
        for part in some:
            there = octets[end : (end := end + part.nbytes)].view(part.dtype).reshape(part.shape)
            there[...] = part
        start += -(-bytes_of[name] // 4) * 4
    buffer = buffer.to(device, non_blocking=True)
    found = {}
    for name, some in parts.items():
        shape = some[0].shape[1:] if isinstance(arrays[name], np.ndarray) else (len(some), *some[0].shape)
        flat = buffer[starts[name] : starts[name] + bytes_of[name]].view(TYPES[some[0].dtype])
        found[name] = flat.view(shape)
    return found


TYPES = {
    np.dtype(np.float32): torch.float32,
    np.dtype(np.int32): torch.int32,
    np.dtype(np.uint8): torch.uint8,
}
