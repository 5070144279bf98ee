"""What each loader worker has in hand, where the training process sees it: a worker that is killed says nothing."""

from __future__ import annotations

import os
from typing import Any

import torch
from torch.utils.data import get_worker_info

MOST = 1024
"""Workers of one data set that are told apart."""


class Hands:
    """Which item of the stock each worker reads, or read last."""

    def __init__(self) -> None:
        self._held = torch.zeros((MOST, 2), dtype=torch.int64).share_memory_()

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._held.share_memory_()  # a copy's is its own alone

    def clear(self) -> None:
        """Forget: an iteration begins."""
        self._held.zero_()

    def take(self, row: int) -> None:
        """Say what this process reads; outside of a worker, nothing."""
        info = get_worker_info()
        if info is not None and info.id < MOST:
            self._held[info.id, 0] = os.getpid()
            self._held[info.id, 1] = row

    def of(self, process: int) -> int | None:
        """The row that a process had in hand, or None."""
        here = (self._held[:, 0] == process).nonzero()
        return int(self._held[here[0, 0], 1]) if len(here) else None
