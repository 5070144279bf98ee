"""Which bank item each row gets, and from where: drawn freely, or dealt over a run in rounds, by tag, up to a cap.

Dealing depends on a row's place in the run alone, and on what the bank holds: never on batches, order, workers or how
often the run was resumed. A variant that is added later begins where the one before ended.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sliceforge.engine.errors import SettingError, did_you_mean
from sliceforge.engine.keys import Keys, item_hash
from sliceforge.engine.shapes import Inventory, Shapes
from sliceforge.engine.shares import FREE, Shares

MOST = 1 << 20
"""Numbers that are drawn at once."""


def rounds(seed: int, step: str, draw: str, names: Sequence[str], slots: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Which of the names each slot gets, (B,), and in which round, (B,): in a round comes every name once, in an order
    of its own.

    Args:
        seed: the run's.
        step, draw: what it is for.
        names: of what is dealt.
        slots: (B,) int64, from 0.
    """
    count = len(names)
    turn, place = slots // count, slots % count
    distinct, which = np.unique(turn, return_inverse=True)
    hashes = np.fromiter(map(item_hash, names), np.uint64, count)
    picked = np.zeros(len(slots), np.int64)
    some = max(1, MOST // count)
    for start in range(0, len(distinct), some):
        part = distinct[start : start + some]
        keys = Keys(
            seed, np.tile(hashes, len(part)), np.repeat(part, count).astype(np.uint32), _none(len(part) * count)
        )
        order = np.argsort(keys.at(step).uniform(draw)[:, 0].reshape(len(part), count), axis=1, kind="stable")
        rows = np.flatnonzero((which >= start) & (which < start + some))
        picked[rows] = order[which[rows] - start, place[rows]]
    return picked, turn


def halves(seed: int, step: str, slots: np.ndarray) -> np.ndarray:
    """(B,) bool, true for one of the slots 0 and 1, one of 2 and 3, and so on."""
    pairs = slots // 2
    keys = Keys(seed, pairs.astype(np.uint64), _none(len(slots), np.uint32), _none(len(slots)), step)
    taken: np.ndarray = (keys.uniform("half")[:, 0] < 0.5) ^ (slots % 2 == 1)
    return taken


def offsets(keys: Keys, shapes: Shapes, seconds: np.ndarray, draw: str = "offset") -> np.ndarray:
    """(B,) int64, where an excerpt begins, in samples at the clip's rate: anywhere that it fits, or in an item shorter
    than the clip, anywhere.

    Args:
        seconds: (B,), of each item.
    """
    samples = np.floor(seconds * shapes.rate).astype(np.int64)
    room = np.where(samples > shapes.length, samples - shapes.length + 1, np.maximum(samples, 1))
    words = keys.bits(draw, 2).astype(np.uint64)
    offset: np.ndarray = ((words[:, 0] << np.uint64(32) | words[:, 1]) % room.astype(np.uint64)).astype(np.int64)
    return offset


def _none(count: int, kind: type = np.uint16) -> np.ndarray:
    return np.zeros(count, kind)


@dataclass(frozen=True)
class Deal:
    """The rules by which a step takes the items of a bank.

    Args:
        bank: its name.
        cap: how often an item is used in a run, at most; 0: no limit.
        in_turn: no item comes again before all have come. With a cap that is always so.
        quota: shares of tags; items of other tags are not used.
    """

    bank: str
    cap: int = 0
    in_turn: bool = False
    quota: Shares = FREE

    def by_slot(self) -> bool:
        """Whether a row's place in the run decides anything."""
        return bool(self.cap or self.in_turn or self.quota.tags)

    def taken(self, keys: Keys, shapes: Shapes, source: str, found: bool) -> tuple[np.ndarray, np.ndarray | None]:
        """Which rows take an item, (B,) bool, and where that decides anything the place of each among those that do.

        Args:
            source: `bank`: all do; `either`: half of them; anything else: none.
            found: whether the run has the bank.
        """
        slots = shapes.slots if self.by_slot() else None
        if source != "either" or not found:
            return np.full(len(keys), source == "bank"), slots
        if slots is None:
            return keys.uniform("source")[:, 0] < 0.5, None
        return halves(keys.seed, keys.step, slots), slots // 2

    def items(
        self,
        keys: Keys,
        shapes: Shapes,
        inventory: Inventory,
        slots: np.ndarray | None,
        usable: np.ndarray | None = None,
    ) -> np.ndarray:
        """(B,) int64, the place in the inventory of each row's item; −1 where none is left for it.

        Args:
            slots: (B,), the place of each row among those that take an item; None: freely drawn, by shares of tags.
            usable: (N,) bool, which items count at all; None: all.

        Raises:
            SettingError: no item for a split or a tag.
        """
        out = np.full(len(keys), -1, np.int64)
        for split, rows in shapes.by_split():
            pool = inventory.pool(split)
            pool = pool if usable is None else pool[usable[pool]]
            if not len(pool):
                raise SettingError(f"banks.{self.bank}: no item of it may serve the split {split}")
            some, places = keys.take(rows), None if slots is None else slots[rows]
            if not self.quota.tags:
                out[rows] = self._from(pool, some, inventory, places, "round")
                continue
            pools, tag, places = self._tagged(pool, inventory, some, places)
            for number, own in enumerate(pools):
                these = np.flatnonzero(tag == number)
                there = None if places is None else places[these]
                name = f"round {self.quota.tags[number]}"
                out[rows[these]] = self._from(own, some.take(these), inventory, there, name)
        return out

    def _tagged(
        self, pool: np.ndarray, inventory: Inventory, keys: Keys, slots: np.ndarray | None
    ) -> tuple[list[np.ndarray], np.ndarray, np.ndarray | None]:
        """The items of each tag, the tag of each row, and each row's place among those of its tag."""
        labels = np.array([*inventory.labels] or [None] * len(inventory.ids), object)
        pools = [pool[labels[pool] == tag] for tag in self.quota.tags]
        for tag, own in zip(self.quota.tags, pools, strict=True):
            if not len(own):
                known = did_you_mean(tag, {str(one) for one in labels[pool] if one})
                raise SettingError(f"banks.{self.bank}: no item of it has the tag {tag} (a column tag or label){known}")
        if slots is None:
            edges = np.cumsum(self.quota.weights)[:-1]
            return pools, np.searchsorted(edges, keys.uniform("tag")[:, 0], side="right"), None
        return pools, *self.quota.at(slots)

    def _from(
        self, pool: np.ndarray, keys: Keys, inventory: Inventory, slots: np.ndarray | None, name: str
    ) -> np.ndarray:
        if slots is None or not (self.cap or self.in_turn):
            return pool[(keys.uniform("item")[:, 0] * len(pool)).astype(np.int64)]
        picked, turn = rounds(keys.seed, keys.step, name, [inventory.ids[i] for i in pool], slots)
        return np.where((turn < self.cap) | (not self.cap), pool[picked], -1)
