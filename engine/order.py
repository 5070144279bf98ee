"""The order of an epoch as rounds of batches, one for each rank, from any place in it on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from sliceforge.engine.cuts import cut, divided
from sliceforge.engine.mixing import Mixture
from sliceforge.engine.shuffle import Shuffle

AHEAD = 50
"""Batches whose items are sorted by length together: what Hugging Face's and fairseq's samplers take."""


@dataclass(frozen=True)
class Order:
    """How an epoch is cut into batches.

    Args:
        seed: of the order.
        seconds: (N,) of each item of the stock, what `max_seconds` and `grouped` go by.
        mean: of them, that of an item that an epoch goes through.
        batch_size, max_seconds, grouped, shuffle, drop_last: see `Batches`.
        world: ranks.
    """

    seed: int
    seconds: np.ndarray
    mean: float
    batch_size: int | None
    max_seconds: float | None = None
    grouped: bool = False
    shuffle: bool = True
    drop_last: bool = False
    world: int = 1

    @property
    def plain(self) -> bool:
        """Whether batches are no more than so many items, the next ones."""
        return self.max_seconds is None and not self.grouped

    @property
    def window(self) -> int:
        """Items that are cut into batches together."""
        if self.max_seconds is None:
            return (self.batch_size or 1) * (1 if self.plain else AHEAD)
        size = max(1, int(self.max_seconds / max(self.mean, 1e-9)))
        return AHEAD * min(size, self.batch_size or size)

    def steps(self, mixture: Mixture, epoch: int, rank: int) -> int:
        """Batches of a rank in an epoch."""
        before = 0
        if self.max_seconds is None and self.batch_size:
            # Rounds that are whole need not be looked at.
            before = max(0, len(mixture) // (self.batch_size * self.world) - 2)
        done = before * (self.batch_size or 1) * self.world
        return before + sum(rank < len(batches) for batches, _ in self.rounds(mixture, epoch, done))

    def rounds(self, mixture: Mixture, epoch: int, done: int = 0) -> Iterator[tuple[list[np.ndarray], int]]:
        """Positions of the mixture, batch by batch for each rank, and how many items have been given out by then.

        Args:
            mixture: of the epoch.
            epoch: from 1.
            done: items of the order that were given out before.
        """
        waiting: list[np.ndarray] = []
        for batch in self._batches(mixture, epoch, done):
            waiting.append(batch)
            # One round stays behind: the last may have to be divided with it.
            if len(waiting) == 2 * self.world:
                done += sum(map(len, waiting[: self.world]))
                yield waiting[: self.world], done
                del waiting[: self.world]
        for batches in self._last(waiting):
            done += sum(map(len, batches))
            yield batches, done

    def _last(self, waiting: list[np.ndarray]) -> list[list[np.ndarray]]:
        """What is left of an epoch, fewer than two rounds, as rounds in which each rank has a batch if that can be."""
        whole = len(waiting) // self.world * self.world
        full, rest = waiting[:whole], waiting[whole:]
        if self.drop_last:
            return [full] if full and not self._short(full) else []
        left = sum(map(len, rest))
        if rest and full and left < self.world and left + sum(map(len, full)) >= 2 * self.world:
            both = divided(waiting, 2 * self.world)
            return [both[: self.world], both[self.world :]]
        return ([full] if full else []) + ([divided(rest, min(self.world, left))] if rest else [])

    def _short(self, batches: list[np.ndarray]) -> bool:
        return self.max_seconds is None and any(len(batch) != self.batch_size for batch in batches)

    def _batches(self, mixture: Mixture, epoch: int, done: int) -> Iterator[np.ndarray]:
        """All ranks' batches, from the item on that comes after `done` others."""
        label = f"{self.seed}\0{epoch}\0order"
        order, window = Shuffle(len(mixture), label), self.window
        first = done if self.plain else done // window * window
        for begin in range(first, len(mixture), window):
            places = np.arange(begin, min(begin + window, len(mixture)))
            positions = order.at(places) if self.shuffle else places
            if self.plain:
                yield positions
                continue
            lengths = self.seconds[mixture.columns(positions)[1]]
            turned = f"{label} {begin}" if self.shuffle else None
            skip = max(0, done - begin)
            for batch in cut(lengths, self.batch_size, self.max_seconds, self.grouped, turned):
                if len(batch) > skip:
                    yield positions[batch[skip:]]
                skip = max(0, skip - len(batch))
