"""The training side: a data set of originals and made items, drawn and read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from torch.utils.data import Dataset

from sliceforge.engine import balance, collate, drafts, maker, manifest, naming, picked, plan, stock
from sliceforge.engine.apart import apart
from sliceforge.engine.banks import Shelf
from sliceforge.engine.collate import Form
from sliceforge.engine.drafts import Draft
from sliceforge.engine.errors import SettingError
from sliceforge.engine.hands import Hands
from sliceforge.engine.hardness import Hardness
from sliceforge.engine.mixing import Mixture, Pick
from sliceforge.engine.present import Present
from sliceforge.engine.stock import Share, Stock
from sliceforge.engine.stowed import Stowed


class SliceDataset(Dataset[Draft]):
    """Originals and made items, map-style; a made item has the bytes that `generate` writes for its id and variant.

    An epoch has as many positions as there are originals; a share of them are made items instead. Epochs count from
    1, and the variant of epoch e is e (see `mixing.Mixture` where a parent is needed more than once). Items come out
    drawn and read; `Augment` makes them in the training process, or `ready` makes them in the workers.

    Args:
        data: as `generate` takes it: a folder, a table, a run, or several.
        shares: one or more, all for one kind and rate.
        seed: any whole number from 0.
        items: which items an epoch goes through, an SQL condition; None: every one of split train, or of no split.
        pattern: how names in a flat folder read.
        extend: made items are added to an epoch and displace nothing.
        clean_share: of an epoch, what stays with originals at least, 0 to 1.
        sampling: item: each original has one position; class: each label as many; effective: each label as its
            effective number of items says. See `balance.positions`.
        beta: of `effective`.
        fixed: every epoch has the items of the first; only their order changes.
        gates: ask the recipe's gates and draw again, as `generate` does; without, each item is the first draw.
        retries: further draws for an item that a gate turned down.
        ready: make items where they are read.
        size: pixels, or (height, width), of a batch's images; None: the recipe's `size`, or as they are.
        fit: pad, crop or stretch.
        seconds: what clips are cut or filled to at their end; None: a batch is as long as its longest.
        tv_tensors: images, masks and boxes as `torchvision.tv_tensors`.

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
        clean_share: float = 0.0,
        sampling: str = "item",
        beta: float = 0.999,
        fixed: bool = False,
        gates: bool = False,
        retries: int = 6,
        ready: bool = False,
        size: int | Sequence[int] | Mapping[str, int] | None = None,
        fit: str = "crop",
        seconds: float | None = None,
        tv_tensors: bool = False,
    ) -> None:
        stock.check(shares, extend, clean_share)
        balance.check(sampling, beta)
        for name, whole in (("seed", seed), ("retries", retries)):
            if isinstance(whole, bool) or not isinstance(whole, int) or whole < 0:
                raise SettingError(f"{name}: {whole!r}: expected a whole number from 0, such as {name}=7")
        self.shares, self.seed = tuple(shares), seed
        self.gates, self.retries, self.ready = gates, retries, ready
        first = shares[0].recipe
        self.kind, self.rate = first.kind, first.rate
        self.untouched = first.untouched()
        found = manifest.read(data, self.kind, pattern)
        self.root = found.root
        self.stock = Stock.of(found, shares, items, seed)
        self.rejects = self.stock.rejects
        size = size if size is not None else first.source.get("size")
        plain = Form.of(self.kind, self.rate, size, fit, seconds, tv_tensors)
        self.form = replace(plain, masked=self.stock.masked or any(share.recipe.paints() for share in shares))
        labels = {label for label in self.stock.items["label"].to_pylist() if label}
        labels |= {label for share in shares for label in share.recipe.labels()}
        self.classes = sorted(labels)
        self._numbers = {label: number for number, label in enumerate(self.classes)}
        self._shelves: list[Shelf] | None = None
        self._banks = [naming.given({"data": data, "pattern": pattern}, s.recipe, found, s.banks) for s in shares]
        kept = [shelf.kept_apart(apart(found, shelf.places())) for shelf in self.shelves]
        self.inventories = [shelf.inventories() for shelf in kept]
        parts = [share.share for share in shares]
        self.present = Present(self.stock, seed, parts, extend, clean_share, sampling, beta, fixed)
        self.hands = Hands()

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_shelves": None}

    @property
    def shelves(self) -> list[Shelf]:
        """The banks of each share, in this process."""
        if self._shelves is None:
            # Shares that have the same banks keep what they read of them once.
            keys = [tuple(sorted(paths.items())) for paths in self._banks]
            opened = {key: Shelf.open(dict(key), self.kind) for key in dict.fromkeys(keys)}
            self._shelves = [opened[key] for key in keys]
            for share, shelf in zip(self.shares, self._shelves, strict=True):
                plan.check_inventory(share.recipe, shelf.paths)
        return self._shelves

    def set_epoch(self, epoch: int, shares: Sequence[float] | None = None, hard: Hardness | None = None) -> None:
        """Go to an epoch; workers that run already follow with the first item of their next iteration.

        Args:
            epoch: from 0; an iteration that was told none begins with 1.
            shares: of this epoch and those that follow, one number for each share; None: as they are.
            hard: which items this epoch and those that follow keep; None: as it is.

        Raises:
            SettingError: no such epoch, shares that leave too little to originals, or nothing is left to take.
        """
        self.present.go(epoch, shares, hard)

    @property
    def epoch(self) -> int:
        """The epoch that items are drawn for, from 1."""
        return self.present.epoch

    @property
    def mixture(self) -> Mixture:
        """What stands at which position of this epoch."""
        return self.present.mixture

    def identity(self) -> dict[str, Any]:
        """What two data sets have in common that give the same items in the same order, under 500 bytes of JSON."""
        now = self.present
        recipes = [share.recipe.digest[:8] for share in self.shares]
        sampling = now.sampling + (f" {now.beta:g}" if now.sampling == "effective" else "")
        mixing = f"{sampling}{', extend' * now.extend}{', fixed' * now.fixed}"
        said = {"seed": self.seed, "data": self.stock.digest, "recipes": ",".join(recipes)}
        return {**said, "mixing": mixing, "shares": now.shares, "hard": now.left_out}

    def __len__(self) -> int:
        return len(self.mixture)

    def __getitem__(self, index: int | Pick) -> Draft:
        """The item at a position of this epoch, drawn and read; where it cannot be read, the next original."""
        return self.__getitems__([index])[0]

    def __getitems__(self, indices: Sequence[int | Pick]) -> list[Draft]:
        """Several items at once, which is faster: a DataLoader's workers ask so."""
        picks = [one if isinstance(one, Pick) else self._pick(one) for one in indices]
        found = picked.read(self, picks)
        if self.ready:
            self.make(found)
        return found

    def _pick(self, position: int) -> Pick:
        if not -len(self) <= position < len(self):
            raise IndexError(position)
        return self.mixture.picks(np.array([position % len(self)]))[0]

    def again(self, item: str, share: int | None = None) -> Draft:
        """One item by its id, as a batch has it, whichever epoch it was of: drawn, read and made.

        Args:
            item: its id.
            share: the share that made it, as the batch says; None where only one has such a parent.

        Raises:
            SettingError: no parent has such items, or several shares have.
        """
        for pick in picked.named(self, item, share):
            (draft,) = picked.read(self, [pick])
            if draft.row["id"] == item:
                self.make([draft])
                return draft
        raise SettingError(f"id: {item!r}: is none of this data set's")

    def make(self, some: Sequence[Draft], threads: int = 1, device: str = "cpu") -> None:
        """Give drafts their items; one that cannot be made is its parent as it was, with the reason.

        Args:
            threads: how many items are made at a time; no byte depends on it.
            device: cpu, cuda or cuda:N.
        """
        maker.make(self, some, threads, device)

    def collate(self, some: Sequence[Draft]) -> Any:
        """What a DataLoader calls: a batch where items are made already, or what `Augment` makes one of."""
        return self.batch(some) if self.ready else drafts.pack(some)

    def finish(self, some: Sequence[Draft] | drafts.Packed) -> Stowed:
        """A batch, made where it is asked for, to be sent: what a feed on the CPU has its workers call."""
        given = drafts.unpack(some) if isinstance(some, drafts.Packed) else some
        self.make(given)
        return Stowed.of(collate.batch(given, self._numbers, replace(self.form, tv=False)))

    def arrived(self, sent: Stowed) -> dict[str, Any]:
        """The batch that a worker has finished."""
        return collate.wrapped(sent.batch()) if self.form.tv and self.kind == "image" else sent.batch()

    def batch(self, some: Sequence[Draft]) -> dict[str, Any]:
        """A batch of made drafts; see `collate.batch`."""
        return collate.batch(some, self._numbers, self.form)

    def aboard(self, some: Sequence[Draft], device: str) -> dict[str, Any]:
        """A batch of drafts that are not made, made on a CUDA device and left there; no gate is asked."""
        from sliceforge.engine.cuda import batch

        return batch.batch(self.shares, self.shelves, some, self._numbers, device, self.form)
