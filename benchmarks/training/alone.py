"""Parts of a step with nothing else running: the stages of a batch on one thread, and the model's own work."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.training.turns import Step, quartiles
from sliceforge.engine import SliceDataset, drafts, epoch

STAGES = ("draw", "read", "pack", "unpack", "make", "batch")


def _timed(found: dict[str, list[float]], name: str, work: Callable[[], Any]) -> Any:
    began = time.perf_counter()
    out = work()
    found.setdefault(name, []).append(time.perf_counter() - began)
    return out


def stages(dataset: SliceDataset, batch_size: int, batches: int) -> dict[str, list[float]]:
    """Quartiles of the seconds of a batch in each of STAGES, each batch on one thread.

    Draw and read are what workers do; they are told apart by drawing once more, alone.
    """
    found: dict[str, list[float]] = {}
    order = np.random.default_rng(0).permutation(len(dataset))
    for number in range(batches + 1):
        places = np.resize(order, (batches + 1) * batch_size)[number * batch_size :][:batch_size]
        one: dict[str, list[float]] = {}
        picks = dataset.mixture.picks(places)
        args = (dataset.seed, dataset.stock, dataset.shares, dataset.inventories)
        _timed(one, "draw", lambda p=picks, a=args: epoch.rows(p, *a))
        some = _timed(one, "read", lambda p=picks: dataset.__getitems__(p))
        one["read"][0] -= one["draw"][0]
        packed = _timed(one, "pack", lambda s=some: drafts.pack(s))
        some = _timed(one, "unpack", lambda p=packed: drafts.unpack(p))
        _timed(one, "make", lambda s=some: dataset.make(s, 1))
        _timed(one, "batch", lambda s=some: dataset.batch(s))
        for name, times in one.items() if number else ():  # the first compiles
            found.setdefault(name, []).extend(times)
    return {name: quartiles(times) for name, times in found.items()}


def model(step: Step, batch: Any, times: int = 20) -> list[float]:
    """Quartiles of the seconds of a training step on a batch that is there."""
    found: dict[str, list[float]] = {}
    for _ in range(times + 3):
        _timed(found, "step", lambda: step(batch))
    return quartiles(found["step"][3:])
