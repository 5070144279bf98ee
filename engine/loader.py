"""The training side: a data set of originals and made items, drawn and read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch.utils.data import Dataset

from sliceforge.engine import drafts, making, manifest, naming, plan, regions, stock
from sliceforge.engine.apart import apart
from sliceforge.engine.banks import Shelf
from sliceforge.engine.drafts import Draft
from sliceforge.engine.epoch import Epoch, redraw
from sliceforge.engine.errors import InputError, SettingError
from sliceforge.engine.fit import check, sides
from sliceforge.engine.mixing import mix
from sliceforge.engine.outcome import Outcome, facts
from sliceforge.engine.stock import Share, Stock


class SliceDataset(Dataset[Draft]):
    """Originals and made items, map-style; a made item has the bytes that `generate` writes for its id and variant.

    An epoch has as many positions as there are originals; a share of them are made items instead. Epochs count from
    1, and the variant of epoch e is e (see `mixing.mix` where a parent is needed more than once). Items come out drawn
    and read; `Augment` makes them in the training process, or `ready` makes them in the workers.

    Args:
        data: as `generate` takes it: a folder, a table, a run, or several.
        shares: one or more, all for one kind and rate.
        seed: any whole number from 0.
        items: which items an epoch goes through, an SQL condition; None: every one of split train, or of no split.
        pattern: how names in a flat folder read.
        extend: made items are added to an epoch and displace nothing.
        gates: ask the recipe's gates and draw again, as `generate` does; without, each item is the first draw.
        retries: further draws for an item that a gate turned down.
        ready: make items where they are read.
        size: (height, width) or pixels that a batch's images are brought to; None: the recipe's `size`, or as they are.
        fit: pad, crop or stretch.

    Raises:
        SettingError: one line.
    """

    def __init__(
        self,
        data: str | Sequence[str] | None,
        shares: Sequence[Share],
        seed: int = 0,
        *,
        items: str | None = None,
        pattern: str = "",
        extend: bool = False,
        gates: bool = False,
        retries: int = 6,
        ready: bool = False,
        size: int | Mapping[str, int] | None = None,
        fit: str = "crop",
    ) -> None:
        check(fit)
        stock.check(shares, extend)
        self.shares, self.seed, self.extend = tuple(shares), seed, extend
        self.gates, self.retries, self.ready, self.way = gates, retries, ready, fit
        first = shares[0].recipe
        self.kind, self.rate = first.kind, first.rate
        self._recipe = first.untouched()
        self.size = sides(size if size is not None else first.source.get("size"))
        found = manifest.read(data, self.kind, pattern)
        self.root = found.root
        self.stock = Stock.of(found, shares, items, seed)
        self.rejects = self.stock.rejects
        labels = {label for label in self.stock.items["label"].to_pylist() if label}
        labels |= {label for share in shares for label in share.recipe.labels()}
        self.classes = sorted(labels)
        self._numbers = {label: number for number, label in enumerate(self.classes)}
        self._shelves: list[Shelf] | None = None
        self._banks = [naming.given({"data": data, "pattern": pattern}, s.recipe, found, s.banks) for s in shares]
        kept = [shelf.kept_apart(apart(found, shelf.places())) for shelf in self.shelves]
        self._inventories = [shelf.inventories() for shelf in kept]
        # In shared memory, so that workers that live longer than an epoch see it change.
        self._epoch = torch.ones(1, dtype=torch.int64).share_memory_()
        self._now: Epoch | None = None

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_shelves": None, "_now": None}

    @property
    def shelves(self) -> list[Shelf]:
        """The banks of each share, in this process."""
        if self._shelves is None:
            self._shelves = [Shelf.open(paths, self.kind) for paths in self._banks]
            for share, shelf in zip(self.shares, self._shelves, strict=True):
                plan.check_inventory(share.recipe, shelf.paths)
        return self._shelves

    def set_epoch(self, epoch: int) -> None:
        """Go to an epoch, from 1; workers that run already follow with their next item.

        Raises:
            SettingError: no such epoch.
        """
        if isinstance(epoch, bool) or not isinstance(epoch, int) or epoch < 1:
            raise SettingError(f"epoch: {epoch!r}: epochs count from 1, such as set_epoch(1)")
        self._epoch[0] = epoch

    @property
    def epoch(self) -> int:
        """The epoch that items are drawn for, from 1."""
        return int(self._epoch[0])

    def __len__(self) -> int:
        added = sum(round(share.share * len(self.stock.originals)) for share in self.shares) if self.extend else 0
        return len(self.stock.originals) + added

    def __getitem__(self, index: int) -> Draft:
        """The item at a position of this epoch, drawn and read; where it cannot be read, the next original."""
        if not -len(self) <= index < len(self):
            raise IndexError(index)
        share, row = self._at().row(index % len(self))
        reason = ""
        for turn in range(len(self.stock.originals) + 1):
            try:
                source, rate = making.parent(self._recipe, self.root, row)
                marks = regions.read(self.root, row, source)
            except InputError as error:
                reason = reason or error.reason
                other = self.stock.originals[(index + 1 + turn) % len(self.stock.originals)]
                share, row = self._at().original(other)
                continue
            draft = Draft(share, row, source, rate, marks, reason=reason)
            if self.ready:
                self.make([draft])
            return draft
        raise InputError(reason, "no original can be read")

    def _at(self) -> Epoch:
        if self._now is None or self._now.number != self.epoch:
            shares, known = [share.share for share in self.shares], self.stock
            mixture = mix(self.seed, self.epoch, known.hashes, known.originals, known.pools, shares, self.extend)
            self._now = Epoch(self.epoch, self.seed, mixture, known, self.shares, self._inventories)
        return self._now

    def make(self, some: Sequence[Draft], threads: int = 1, device: str = "cpu") -> None:
        """Give drafts their items; one that cannot be made is its parent as it was, with the reason.

        Args:
            threads: how many items are made at a time; no byte depends on it.
            device: cpu, cuda or cuda:N.
        """
        outcomes = [Outcome(dict(draft.row)) for draft in some]
        left = list(range(len(some)))
        for attempt in range(self.retries + 1 if self.gates else 1):
            for i in left if attempt else []:
                share = some[i].share
                outcomes[i] = Outcome(redraw(self.shares[share], self.seed, outcomes[i].row, self._inventories[share]))
            self._attempt(some, outcomes, left, threads, device)
            left = [i for i in left if outcomes[i].reason and some[i].share >= 0]
            if not left:
                break
        for i in left:
            some[i].reason = outcomes[i].reason
            outcomes[i] = Outcome({**outcomes[i].row, "id": outcomes[i].row["parent"], "variant": 0, "attempt": 0})
        making.make(self._recipe, [outcomes[i] for i in left], [some[i].read() for i in left], None, False, threads)
        for draft, outcome in zip(some, outcomes, strict=True):
            self._finish(draft, outcome)

    def _attempt(
        self, some: Sequence[Draft], outcomes: Sequence[Outcome], left: Sequence[int], threads: int, device: str
    ) -> None:
        for share in sorted({some[i].share for i in left}):
            these = [i for i in left if some[i].share == share]
            recipe, shelf, on = self._recipe, None, "cpu"
            if share >= 0:
                on = device
                recipe, shelf = self.shares[share].recipe, self.shelves[share]
            sources = [some[i].read() for i in these]
            making.make(recipe, [outcomes[i] for i in these], sources, shelf, self.gates, threads, on)

    def _finish(self, draft: Draft, outcome: Outcome) -> None:
        made = outcome.made
        if made is None:
            raise InputError(outcome.reason, outcome.detail)
        whole = draft.share >= 0 and not draft.reason
        recipe = self.shares[draft.share].recipe if whole else self._recipe
        draft.facts = facts(recipe, outcome, self.shares[draft.share].slice if whole else None)
        draft.item = made.item
        if self.kind == "image" and (made.masks or any(share.recipe.paints() for share in self.shares)):
            draft.mask = np.logical_or.reduce([np.zeros(made.item.shape[:2], bool), *made.masks.values()])

    def collate(self, some: Sequence[Draft]) -> Any:
        """What a DataLoader calls: a batch where items are made already, or what `Augment` makes one of."""
        return self.batch(some) if self.ready else drafts.pack(some)

    def batch(self, some: Sequence[Draft]) -> dict[str, Any]:
        """A batch of made drafts; see `drafts.batch`."""
        return drafts.batch(some, self.kind, self._numbers, self.size, self.way)
