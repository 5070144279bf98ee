"""What an epoch is made of: which positions are made items, of which parents and variants; asked for one at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from sliceforge.engine.errors import SettingError
from sliceforge.engine.shuffle import Shuffle

EPOCHS = 1 << 16
"""Epochs of a training job at most: what an epoch's second use of a parent adds to its variant."""

TURNS = 1 << 15
"""How often an epoch can use one parent."""


class Pick(NamedTuple):
    """One item of an epoch.

    Args:
        share: which share makes it, or −1 for an original.
        row: which item of the stock it is, or is made of.
        variant: of a made item; 0 for an original.
    """

    share: int
    row: int
    variant: int


@dataclass(frozen=True)
class Mixture:
    """The positions of an epoch, a function of (seed, epoch, ids) alone; nothing of its size is stored.

    A share s of n positions is round(s·n) made items. They stand in places that each epoch shuffles anew, or after
    all others with `extend`. Parents come shuffled, each as often as any other to within one. The first use of a
    parent in epoch e has variant e, the next e + 65 536, and so on: no variant comes twice, whatever shares an epoch
    has. Epoch 0, where others count from, has variants 65 536, 131 072, and so on.

    Args:
        seed: any whole number from 0.
        epoch: from 0; the first by itself is 1.
        groups: the originals, rows of the stock, in groups of which each has positions of its own.
        sizes: the positions of each group; a group shorter than that comes in turns, each row as often as any other to
            within one.
        pools: for each share, the rows of its parents.
        shares: of all positions, each from 0 to 1.
        extend: made items are added, and displace nothing.

    Raises:
        SettingError: a parent would be needed too often.
    """

    seed: int
    epoch: int
    groups: Sequence[np.ndarray]
    sizes: Sequence[int]
    pools: Sequence[np.ndarray]
    shares: Sequence[float]
    extend: bool = False

    def __post_init__(self) -> None:
        for number, (pool, count) in enumerate(zip(self.pools, self.counts, strict=True)):
            if count > TURNS * len(pool):
                raise SettingError(
                    f"shares[{number}]: {count} items of {len(pool)} parents; expected at most {TURNS} each"
                )

    @property
    def places(self) -> int:
        """Positions of originals, and of what displaces them."""
        return sum(self.sizes)

    @property
    def counts(self) -> list[int]:
        """Made items of each share."""
        room, found = self.places, []
        for pool, share in zip(self.pools, self.shares, strict=True):
            wanted = round(share * self.places) if len(pool) else 0
            found.append(wanted if self.extend else min(wanted, room))
            room -= found[-1]
        return found

    def __len__(self) -> int:
        return self.places + (sum(self.counts) if self.extend else 0)

    def picks(self, positions: np.ndarray) -> list[Pick]:
        """What stands at some positions, (B,) whole numbers from 0."""
        share, row, variant = self.columns(positions)
        return [Pick(*one) for one in zip(share.tolist(), row.tolist(), variant.tolist(), strict=True)]

    def columns(self, positions: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """What `picks` says, as columns: shares, rows and variants, each (B,) int64."""
        places = np.asarray(positions, np.int64)
        made = places - self.places if self.extend else self._shuffle(self.places, "place").back(places)
        ends = np.cumsum(self.counts)
        share = np.searchsorted(ends, made, side="right")
        share = np.where((made < 0) | (share == len(ends)), -1, share)
        row, variant = np.empty(len(places), np.int64), np.zeros(len(places), np.int64)
        own = share < 0
        row[own] = self._originals(places[own])
        for index, pool in enumerate(self.pools):
            here = np.flatnonzero(share == index)
            if len(here):
                turn, place = np.divmod(made[here] - (ends[index] - self.counts[index]), len(pool))
                row[here] = pool[self._shuffle(len(pool), f"parent {index}").at(place)]
                variant[here] = (self.epoch or EPOCHS) + EPOCHS * turn
        return share, row, variant

    def _originals(self, places: np.ndarray) -> np.ndarray:
        """The rows that stand at some places, made items aside."""
        ends = np.cumsum(self.sizes)
        group = np.searchsorted(ends, places, side="right")
        out = np.empty(len(places), np.int64)
        for number, (rows, size) in enumerate(zip(self.groups, self.sizes, strict=True)):
            here = np.flatnonzero(group == number)
            place = places[here] - (ends[number] - size)
            if size != len(rows):
                place = self._shuffle(len(rows), f"group {number}").at(place % len(rows))
            out[here] = rows[place]
        return out

    def _shuffle(self, count: int, what: str) -> Shuffle:
        return Shuffle(count, f"{self.seed}\0{self.epoch}\0{what}")
