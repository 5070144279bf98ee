"""The epoch that a data set is at: told once in the training process, seen by workers that run already."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import torch

from sliceforge.engine import balance
from sliceforge.engine.errors import SettingError
from sliceforge.engine.hardness import Hardness
from sliceforge.engine.mixing import EPOCHS, Mixture
from sliceforge.engine.stock import Stock, check_parts

PARENT, ORIGINAL = 1, 2
"""What an item is left out of."""


class Present:
    """An epoch's number, its shares, and what is left out of it, in memory that workers share.

    Args:
        stock: the items.
        seed: the run's.
        shares: of an epoch's positions.
        extend, clean_share: see `SliceDataset`.
        sampling, beta: see `balance.positions`.
        fixed: every epoch is made of what the first is made of.
    """

    def __init__(
        self,
        stock: Stock,
        seed: int,
        shares: Sequence[float],
        extend: bool,
        clean_share: float,
        sampling: str,
        beta: float,
        fixed: bool,
    ) -> None:
        self.stock, self.seed, self.extend, self.clean_share = stock, seed, extend, clean_share
        self.sampling, self.beta, self.fixed = sampling, beta, fixed
        # The epoch, and how often what it is made of was told anew.
        self._now = torch.tensor([1, 0]).share_memory_()
        self._shares = torch.tensor(list(shares), dtype=torch.float64).share_memory_()
        self._left_out = torch.zeros(len(stock.hashes), dtype=torch.uint8).share_memory_()
        self._begun = False
        self._kept: tuple[tuple[int, int], Mixture] | None = None

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_kept": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        for told in (self._now, self._shares, self._left_out):
            told.share_memory_()  # a copy's is its own alone

    @property
    def epoch(self) -> int:
        """From 1."""
        return int(self._now[0])

    @property
    def coming(self) -> int:
        """The epoch that the next iteration has: the one that was gone to, or the next."""
        return self.epoch + self._begun

    @property
    def shares(self) -> list[float]:
        """Of this epoch."""
        return [float(share) for share in self._shares]

    def go(self, epoch: int, shares: Sequence[float] | None = None, hard: Hardness | None = None) -> None:
        """See `SliceDataset.set_epoch`."""
        if isinstance(epoch, bool) or not isinstance(epoch, int) or not 0 <= epoch < EPOCHS:
            raise SettingError(f"epoch: {epoch!r}: expected a whole number from 0, such as set_epoch(1)")
        if not isinstance(hard, Hardness | None):
            raise SettingError(f"hard: {type(hard).__name__}: expected a band, such as hard=Hardness(losses, 0.1, 3.0)")
        if not isinstance(shares, Iterable | None):
            raise SettingError(f"shares: {shares!r}: expected one number for each share, such as shares=[0.3]")
        parts, left_out = self.shares if shares is None else list(shares), self._left_out.numpy()
        if shares is not None:
            if len(parts) != len(self._shares):
                raise SettingError(
                    f"shares: {len(parts)} numbers for {len(self._shares)} shares; expected one for each"
                )
            check_parts(parts, self.extend, self.clean_share)
        if hard is not None:
            ids = self.stock.items["parent"].to_pylist()
            if hard.losses and hard.losses.keys().isdisjoint(ids):
                known = f"hard: knows {next(iter(hard.losses))!r} and no item of this data set"
                raise SettingError(f"{known}; expected losses by batch['parent']")
            kept = hard.keeps(ids)
            left_out = np.where(kept, 0, PARENT | (ORIGINAL if hard.originals else 0)).astype(np.uint8)
        if shares is not None or hard is not None:
            # Before anything is told: what cannot be mixed is refused.
            self._mixture(epoch, parts, left_out)
            self._shares[:] = torch.tensor(parts, dtype=torch.float64)
            self._left_out[:] = torch.from_numpy(left_out)
            self._now[1] += 1
        self._now[0] = epoch
        self._begun = False

    def advance(self) -> int:
        """The epoch that an iteration begins: the one that was gone to, or the next."""
        if self._begun:
            self.go(self.epoch + 1)
        self._begun = True
        return self.epoch

    @property
    def left_out(self) -> str | None:
        """What says that two epochs leave out the same items; None where they leave out none."""
        told: np.ndarray = self._left_out.numpy()
        return hashlib.blake2b(told.tobytes(), digest_size=8).hexdigest() if told.any() else None

    @property
    def mixture(self) -> Mixture:
        """What stands where in this epoch."""
        now = (self.epoch, int(self._now[1]))
        if self._kept is None or self._kept[0] != now:
            self._kept = now, self._mixture(now[0], self.shares, self._left_out.numpy())
        return self._kept[1]

    def of(self, epoch: int) -> Mixture:
        """What stands where in an epoch, with shares as they are."""
        return self.mixture if epoch == self.epoch else self._mixture(epoch, self.shares, self._left_out.numpy())

    def _mixture(self, epoch: int, shares: Sequence[float], left_out: np.ndarray) -> Mixture:
        stock = self.stock
        originals, pools = stock.originals, list(stock.pools)
        if left_out.any():
            originals = originals[left_out[originals] & ORIGINAL == 0]
            pools = [pool[left_out[pool] & PARENT == 0] for pool in pools]
            if not len(originals):
                raise SettingError("hard: no original has a loss in the band; expected a wider one")
            for number, (pool, share) in enumerate(zip(pools, shares, strict=True)):
                if share and not len(pool):
                    raise SettingError(
                        f"hard: no parent of shares[{number}] has a loss in the band; expected a wider one"
                    )
        groups = [originals]
        if self.sampling != "item":
            groups = stock.groups(originals)
        sizes = balance.positions([len(group) for group in groups], self.sampling, self.beta)
        return Mixture(self.seed, 1 if self.fixed else epoch, groups, sizes, pools, shares, self.extend)
