"""What a draw may know: of its items sizes, groups, splits and places in a run; of a bank what it holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

TRAIN = "train"
"""The split of what names none."""


@dataclass(frozen=True)
class Inventory:
    """What a draw may know of a bank: its items in a fixed order.

    Args:
        ids: sorted ids.
        seconds: length of each, (N,) float64; empty for images.
        labels: the class of each donor or the tag of each sound, or None.
        marks: of donors: what says where each is: `mask`, `box`, or empty: what stands out; `plain` where nothing does.
        groups: whose each is: a speaker, a recording; one that belongs to nobody has a name of its own. Empty where
            the bank says nothing of it.
        splits: the split that each belongs to, or empty for one that serves every split; empty where all do.
    """

    ids: Sequence[str]
    seconds: np.ndarray
    labels: Sequence[str | None] = ()
    marks: Sequence[str] = ()
    groups: Sequence[str] = ()
    splits: Sequence[str] = ()
    _pools: dict[str, np.ndarray] = field(default_factory=dict, compare=False, repr=False)

    def pool(self, split: str = TRAIN) -> np.ndarray:
        """(M,) int64, the places of the items that parents of a split may have: those of its own and those of none."""
        if split not in self._pools:
            own = [not one or one == split for one in self.splits] or [True] * len(self.ids)
            self._pools[split] = np.flatnonzero(own)
        return self._pools[split]


@dataclass(frozen=True)
class Shapes:
    """What a draw may know of its items: sizes, never contents. Every column is (B,).

    Args:
        length: int64, samples of each clip at `rate`; zeros for images.
        rate: int64, hertz; zeros for images.
        height, width: int64, pixels; zeros for audio.
        banks: the inventory of each bank of the run, by name.
        groups: of objects, whose each parent is, in the words of the banks' `groups`; None where nobody says.
        splits: of objects, the split of each parent; None: all of them train.
        slots: int64, the place of each row in the run: (variant − 1) · rows of a plan + row of the plan; None where
            there is no run.
    """

    length: np.ndarray
    rate: np.ndarray
    height: np.ndarray
    width: np.ndarray
    banks: Mapping[str, Inventory] = field(default_factory=lambda: MappingProxyType({}))
    groups: np.ndarray | None = None
    splits: np.ndarray | None = None
    slots: np.ndarray | None = None

    def take(self, rows: np.ndarray) -> Shapes:
        """The shapes of some rows (indices or a boolean mask)."""
        length, rate, height, width = (one[rows] for one in (self.length, self.rate, self.height, self.width))
        groups, splits, slots = (_some(one, rows) for one in (self.groups, self.splits, self.slots))
        return Shapes(length, rate, height, width, self.banks, groups, splits, slots)

    def by_split(self) -> list[tuple[str, np.ndarray]]:
        """(split, its rows) of each split among the items."""
        if self.splits is None:
            return [(TRAIN, np.arange(len(self.length)))]
        return [(str(one), np.flatnonzero(self.splits == one)) for one in sorted(set(self.splits.tolist()))]


def _some(column: np.ndarray | None, rows: np.ndarray) -> Any:
    return None if column is None else column[rows]
