"""What an epoch is made of: which positions are made items, of which parents and variants."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sliceforge.engine.keys import Keys


@dataclass(frozen=True)
class Mixture:
    """An epoch's positions, each column (L,).

    Args:
        share: which share a position's item is made by, or −1 for an original.
        row: which item it is, or is made of.
        variant: of a made item; 0 for an original.
    """

    share: np.ndarray
    row: np.ndarray
    variant: np.ndarray

    def __len__(self) -> int:
        return len(self.row)


def mix(
    seed: int,
    epoch: int,
    hashes: np.ndarray,
    originals: np.ndarray,
    pools: Sequence[np.ndarray],
    shares: Sequence[float],
    extend: bool = False,
) -> Mixture:
    """The positions of an epoch, a function of (seed, epoch, ids) alone.

    A share s of n originals is round(s·n) made items. They stand in the places of the originals whose keyed hash is
    least in that epoch, or after them all with `extend`. Parents come in the order of a hash of their own, each as
    often as any other to within one; where an epoch needs a parent R times, its variants are (e−1)·R + 1 … e·R.

    Args:
        seed: any whole number from 0.
        epoch: from 1.
        hashes: `item_hash` of every item, (N,) uint64.
        originals: the rows that an epoch goes through, (n,) whole numbers.
        pools: for each share, the rows of its parents.
        shares: of the originals, each from 0 to 1.
        extend: made items are added, and displace nothing.
    """
    count = len(originals)
    ranks = np.argsort(_uniform(seed, epoch, hashes[originals], "place"), kind="stable")
    share, row, variant = np.full(count, -1), originals.astype(np.int64), np.zeros(count, np.int64)
    begin = 0
    for index, (pool, part) in enumerate(zip(pools, shares, strict=True)):
        size = min(round(part * count), count - begin if not extend else round(part * count))
        if not size or not len(pool):
            continue
        often = -(-size // len(pool))
        order = pool[np.argsort(_uniform(seed, epoch, hashes[pool], f"parent {index}"), kind="stable")]
        parents = np.resize(order, size)
        variants = (epoch - 1) * often + 1 + np.arange(size) // len(pool)
        if extend:
            share = np.concatenate([share, np.full(size, index)])
            row, variant = np.concatenate([row, parents]), np.concatenate([variant, variants])
        else:
            places = ranks[begin : begin + size]
            share[places], row[places], variant[places] = index, parents, variants
            begin += size
    return Mixture(share, row, variant)


def _uniform(seed: int, epoch: int, hashes: np.ndarray, draw: str) -> np.ndarray:
    spread = np.full(len(hashes), epoch, np.uint32)
    return Keys(seed, hashes, spread, np.zeros(len(hashes), np.uint16), "epoch").uniform(draw)[:, 0]
