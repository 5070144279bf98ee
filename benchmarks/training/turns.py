"""Feeds take turns in one process: a round of each, so that a busy minute is everybody's."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

AHEAD = 8
"""Batches at each end of an epoch that are not timed: workers begin, or have nothing left to do."""

Step = Callable[[Any], None]


@dataclass(frozen=True)
class Fed:
    """Who feeds a training.

    Args:
        batches: each iteration is an epoch.
        made: what the training process itself does with each batch before it trains, if anything.
        how: what it is, in words.
    """

    batches: Iterable[Any]
    made: Callable[[Any], Any] | None = None
    how: str = ""


def epoch(fed: Fed, step: Step) -> tuple[float, float]:
    """(seconds of a step, seconds of it until the batch was there): means over the middle of one epoch.

    Raises:
        ValueError: an epoch too short to have a middle.
    """
    times, batches = [], iter(fed.batches)
    while True:
        began = time.perf_counter()
        batch = next(batches, None)
        if batch is None:
            break
        if fed.made:
            batch = fed.made(batch)
        had = time.perf_counter()
        step(batch)
        times.append((time.perf_counter() - began, had - began))
    if len(times) <= 2 * AHEAD:
        raise ValueError(f"an epoch of {len(times)} batches: expected more than {2 * AHEAD}, such as items=1024")
    whole, waiting = np.mean(times[AHEAD:-AHEAD], axis=0)
    return float(whole), float(waiting)


def turns(feeds: Mapping[str, Fed], step: Step, rounds: int) -> dict[str, np.ndarray]:
    """Name → (rounds, 2): what `epoch` says, after a round that does not count."""
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in feeds}
    for number in range(rounds + 1):
        # The one that was first is last the next time.
        order = list(feeds)[number % len(feeds) :] + list(feeds)[: number % len(feeds)]
        for name in order:
            one = epoch(feeds[name], step)
            if number:
                found[name].append(one)
    return {name: np.array(times) for name, times in found.items()}


def quartiles(values: Any) -> list[float]:
    """Lower quartile, median, upper quartile."""
    return [float(one) for one in np.quantile(values, (0.25, 0.5, 0.75))]
