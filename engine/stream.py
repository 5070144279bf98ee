"""The iterable form of a data set: workers go through the order by themselves, nobody asks them by index."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from torch.utils.data import IterableDataset, get_worker_info

from sliceforge.engine.batches import Batches


class Stream(IterableDataset[Any]):
    """Batches of a data set, in the order of `Batches` for any number of workers: each takes every W-th of its rank.

    `DataLoader(Stream(Batches(dataset, 32)), batch_size=None, num_workers=2)`.

    Args:
        batches: the order.
    """

    def __init__(self, batches: Batches) -> None:
        self.batches = batches

    def __len__(self) -> int:
        """Batches of this rank in the epoch that the data set is at."""
        return len(self.batches)

    def __iter__(self) -> Iterator[Any]:
        info = get_worker_info()
        worker, workers = (info.id, info.num_workers) if info else (0, 1)
        dataset = self.batches.dataset
        for number, (picks, _) in enumerate(self.batches.steps(self.batches.begun())):
            if number % workers == worker:
                yield dataset.collate(dataset.__getitems__(picks))
