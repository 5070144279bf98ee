"""Contenders take turns on the same batches, each in worker processes of its own that are started and warmed first."""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.peers.chain import BATCH, Chain, Contender

WARM_UP = 2
PROBE = 16
"""Items of the round that shows whether a whole batch would take too long."""

SLOW = 4.0
"""Seconds of a round from which on only PROBE items of each batch are made, and their time is multiplied."""

LONGEST = 600.0
"""Seconds after which a worker that does not answer is lost."""


def _serve(contender: Contender, place: tuple[int, int, int], gate: Any, pipe: Any) -> None:
    """A worker: its share of every batch, each round from when all workers of its crew are ready."""
    share, shares, threads = place
    batches, work = np.zeros(0), None
    while (order := pipe.recv()) is not None:
        if isinstance(order, tuple):
            chain, folder, items = order
            batches = np.ascontiguousarray(np.load(folder / "batches.npy", mmap_mode="r")[:, share:items:shares])
            work = contender.prepare(chain, folder, threads)
            pipe.send("ready")
            continue
        assert work is not None
        batch = batches[order % len(batches)]
        gate.wait()
        began = time.perf_counter()
        made = work(batch, order)
        ended = time.perf_counter()
        del made
        pipe.send((began, ended))


class Crew:
    """The worker processes of one contender in one layout.

    Args:
        contender: who.
        layout: `processes` or `threads`.
        cores: n.
    """

    def __init__(self, contender: Contender, layout: str, cores: int) -> None:
        # Spawned: a forked child would inherit the threads of OpenMP and die of it.
        context = multiprocessing.get_context("spawn")
        shares, threads = (cores, 1) if layout == "processes" else (1, cores)
        self.contender, self.layout, self.items = contender, layout, BATCH
        # Kept: a barrier that nobody here holds is gone before the workers have found it.
        self.gate, self.pipes, self.workers = context.Barrier(shares), [], []
        for share in range(shares):
            here, there = context.Pipe()
            worker = context.Process(
                target=_serve, args=(contender, (share, shares, threads), self.gate, there), daemon=True
            )
            worker.start()
            there.close()
            self.pipes.append(here)
            self.workers.append(worker)

    def take(self, chain: Chain, folder: Path, items: int = BATCH) -> None:
        """Another chain: material into memory, everything set up, and a round that does not count."""
        self.items = items
        self._all((chain, folder, items))
        self.round(0)

    def round(self, number: int) -> float:
        """Seconds from the first worker's beginning to the last one's end, for a whole batch.

        Their clock is the machine's, so that nothing of sending an order or an answer counts.
        """
        time.sleep(PAUSE)
        times = self._all(number)
        return (max(ended for _, ended in times) - min(began for began, _ in times)) * BATCH / self.items

    def close(self) -> None:
        """Let the workers end."""
        for pipe in self.pipes:
            pipe.send(None)
        for worker in self.workers:
            worker.join()

    def _all(self, order: Any) -> list[Any]:
        for pipe in self.pipes:
            pipe.send(order)
        return [_heard(pipe, self.contender.name) for pipe in self.pipes]


def _heard(pipe: Connection, name: str) -> Any:
    try:
        if pipe.poll(LONGEST):
            return pipe.recv()
    except EOFError:
        pass
    raise RuntimeError(f"{name}: a worker was lost; what it said is above")


PAUSE = 0.3
"""Seconds before a round: threads of the one before go on spinning for a while, on the cores of the next."""

TRIED = 5
"""Rounds of ours in each layout before a race, the first of which does not count."""


def quicker(crews: Sequence[Crew], chain: Chain, folder: Path) -> Crew:
    """Ours in the layout that takes this chain in less time, ready for it; the others wait."""
    taken = {}
    for number, crew in enumerate(crews):
        crew.take(chain, folder)
        taken[number] = min([crew.round(one) for one in range(TRIED)][1:])
    return crews[min(taken, key=lambda number: taken[number])]


def race(chain: Chain, folder: Path, ours: Crew, layouts: Sequence[Crew], rounds: int) -> dict[str, Any]:
    """How many times as long as ours a peer takes, in the layout in which that is less.

    Args:
        chain, folder: what, and where its material lies.
        ours: has taken the chain already.
        layouts: one crew of the peer for each layout.
        rounds: after WARM_UP that do not count; ours and the peer take turns in each.

    Returns:
        `peer layout items ours_s peer_s ratio`: medians, and the quartiles of the ratio over the rounds.
    """
    # All of them whole: a short trial on a busy machine has chosen a layout that took thirty times as long.
    found = [_against(chain, folder, ours, crew, rounds) for crew in layouts]
    return min(found, key=lambda one: one["ratio"][1])


def _against(chain: Chain, folder: Path, ours: Crew, other: Crew, rounds: int) -> dict[str, Any]:
    other.take(chain, folder, PROBE)
    if min(other.round(0), other.round(1)) < SLOW:
        other.take(chain, folder)
    pairs = np.array([(ours.round(number), other.round(number)) for number in range(WARM_UP + rounds)])[WARM_UP:]
    ours_s, peer_s = np.median(pairs, axis=0)
    return {
        "peer": other.contender.name,
        "layout": other.layout,
        "items": other.items,
        "ours_s": float(ours_s),
        "peer_s": float(peer_s),
        "ratio": [float(value) for value in np.quantile(pairs[:, 1] / pairs[:, 0], (0.25, 0.5, 0.75))],
    }


def usable() -> int:
    """Cores of this process."""
    return len(os.sched_getaffinity(0))
