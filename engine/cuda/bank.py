"""Bank sounds and transfer functions that stay on a device, within a bound; what was used longest ago goes first."""

from __future__ import annotations

from collections import OrderedDict, deque
from typing import Any

import numpy as np
import torch

from sliceforge.engine.supply import Shelf

MOST_BYTES = 1 << 30
"""Of sounds, and as much again of transfer functions; impulse responses take a quarter of it."""

FIRST_BYTES = 1 << 24
"""What the pool has before it grows."""

Key = tuple[str, str, int]


class Tensors:
    """Tensors by key, up to a number of bytes.

    Args:
        most: bytes.
    """

    def __init__(self, most: int) -> None:
        self.most, self.size = most, 0
        self._kept: OrderedDict[Any, torch.Tensor] = OrderedDict()

    def get(self, key: Any) -> torch.Tensor | None:
        """What is kept, or None."""
        if key in self._kept:
            self._kept.move_to_end(key)
        return self._kept.get(key)

    def keep(self, key: Any, tensor: torch.Tensor) -> None:
        """Keep one more; what was used longest ago goes."""
        if key in self._kept or tensor.nbytes > self.most:
            return
        self._kept[key] = tensor
        self.size += tensor.nbytes
        while self.size > self.most:
            self.size -= self._kept.popitem(last=False)[1].nbytes


class Resident:
    """A shelf's sounds on one device, in one pool that kernels read from by offset. For one stream at a time.

    A sound is uploaded whole when a plan first names it. Where a batch needs more than the pool may hold, `place` says
    None of what is too much, and the batch brings that along itself.

    Args:
        shelf: where sounds come from, or None.
        device: as torch names it.
        most: bytes of the pool at most.
    """

    def __init__(self, shelf: Shelf | None, device: str, most: int = MOST_BYTES) -> None:
        self.shelf, self.device, self.most = shelf, device, most
        self.pool = torch.empty(min(most, FIRST_BYTES) // 4, dtype=torch.float32, device=device)
        self.responses = Tensors(most // 4)
        """Impulse responses, (N,) float32."""
        self.transfers = Tensors(most)
        """(key of the response, points) → transfer function, (points // 2 + 1, 2) float32."""
        self._spans: OrderedDict[Key, tuple[int, int]] = OrderedDict()
        self._batch: set[Key] = set()

    def begin(self) -> None:
        """A new batch: what the last one read may go."""
        self._batch.clear()

    def place(self, bank: str, item: str, rate: int) -> tuple[int, int] | None:
        """Where a sound is in the pool, (first, samples), or None where there is no room for it.

        Args:
            rate: hertz that it is brought to.

        Raises:
            InputError: it cannot be used.
            SettingError: no such bank.
        """
        key = (bank, item, rate)
        if key not in self._spans:
            if self.shelf is None:
                return None
            wave = self.shelf.sound(bank, item, rate)
            first = self._room(len(wave))
            if first is None:
                return None
            self.pool[first : first + len(wave)] = torch.from_numpy(np.array(wave, np.float32))
            self._spans[key] = first, len(wave)
        self._spans.move_to_end(key)
        self._batch.add(key)
        return self._spans[key]

    def _room(self, count: int) -> int | None:
        """The first of `count` free samples; room is made where there is none."""
        while True:
            end = 0
            for first, samples in sorted(self._spans.values()):
                if first - end >= count:
                    return end
                end = first + samples
            if end + count <= len(self.pool):
                return end
            if not (self._grow(end + count) or self._drop()):
                return None

    def _grow(self, count: int) -> bool:
        if 4 * count > self.most:
            return False
        larger = min(max(2 * len(self.pool), count), self.most // 4)
        pool = torch.empty(larger, dtype=torch.float32, device=self.device)
        pool[: len(self.pool)] = self.pool
        self.pool = pool
        return True

    def _drop(self) -> bool:
        key = next((key for key in self._spans if key not in self._batch), None)
        if key is not None:
            del self._spans[key]
        return key is not None


_latest: deque[Resident] = deque(maxlen=8)
"""The shelves of a few shares, for training and for validation, take turns; what is used no more does not hold a
device's memory."""


def resident_of(banks: Resident | Shelf | None, device: str) -> Resident:
    """What is on the device of a shelf, or a new one where it is not among the latest."""
    if isinstance(banks, Resident):
        return banks
    for one in _latest:
        if one.shelf is banks and one.device == device:
            return one
    resident = Resident(banks, device)
    if banks is not None:
        _latest.append(resident)
    return resident
