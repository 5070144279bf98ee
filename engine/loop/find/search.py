"""The exact search: every conjunction of levels of up to three different columns, by counting."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from sliceforge.engine.errors import SettingError
from sliceforge.engine.loop.find.counting import HALF, accumulate, conjunctions, count_sums, count_wrong
from sliceforge.engine.loop.find.levels import Levels

DEPTHS = (1, 2, 3)
STRONG = 1.0
"""Slices less strong than this many standard errors are counted, and not written down: their p is above 0.1."""


@dataclass
class Searched:
    """What a search counted.

    Args:
        members: (M, 3) int32 of each strong slice: level numbers, −1 for none.
        sums: (M, 6) float64: rows, Σw, Σwl, Σw², Σw²l, Σw²l².
        totals: (6,) of all rows.
        tested: slices with the support, of 1, 2 and 3 conditions.
        binary: whether the loss is 0 or 1 and unweighted.
    """

    members: np.ndarray
    sums: np.ndarray
    totals: np.ndarray
    tested: tuple[int, int, int]
    binary: bool

    @property
    def depth(self) -> np.ndarray:
        """Conditions of each slice, (M,)."""
        return (self.members >= 0).sum(axis=1)


class Losses:
    """The loss of each row in the form that is summed.

    Args:
        loss: (N,) float64, finite.
        weight: (N,) above 0, or None for 1.
        device: of the counting: "cpu" is our own loop, anything else a torch device.

    Raises:
        SettingError: a loss or a weight that cannot be summed.
    """

    def __init__(self, loss: np.ndarray, weight: np.ndarray | None = None, device: str = "cpu") -> None:
        loss = np.ascontiguousarray(loss, np.float64)
        self._loss, self._weight = loss, weight
        weights = None if weight is None else np.ascontiguousarray(weight, np.float64)
        if not np.isfinite(loss).all():
            raise SettingError("loss: not finite in some row: expected numbers, such as 0 for right and 1 for wrong")
        if weights is not None and not (np.isfinite(weights).all() and (weights > 0).all()):
            raise SettingError("weight: not above 0 in some row: expected such as the words of a transcript")
        self.binary = weights is None and bool(np.isin(loss, (0, 1)).all())
        self.device = device
        if self.binary:
            self.columns, self.of = np.stack([np.ones(len(loss)), loss], 1), np.array([0, 0, 1, 0, 1, 1])
        elif weights is None:
            self.columns = np.stack([np.ones(len(loss)), loss, loss**2], 1)
            self.of = np.array([0, 0, 1, 0, 1, 2])
        else:
            squared = weights**2
            parts = [np.ones(len(loss)), weights, weights * loss, squared, squared * loss, squared * loss**2]
            self.columns, self.of = np.stack(parts, 1), np.arange(6)
        self._totals: np.ndarray = self.columns.sum(axis=0)
        self.packed = HALF + loss.astype(np.int64) if self.binary else np.zeros(0, np.int64)

    def part(self, chosen: np.ndarray) -> Losses:
        """Those of some rows, (N,) bool, or of rows in another order, (M,) int64."""
        weight = None if self._weight is None else self._weight[chosen]
        return Losses(self._loss[chosen], weight, self.device)

    @property
    def totals(self) -> np.ndarray:
        """(K,) sums of all rows."""
        return self._totals

    def table(self, pair: np.ndarray, sizes: tuple[int, int, int], bins: np.ndarray) -> np.ndarray:
        """Accumulated sums over the cells of three columns, (A + 1, B + 1, C + 1, K); pair is a · B + b of each row."""
        many = self.columns.shape[1]
        flat = np.empty((sizes[0] * sizes[1] * sizes[2], many))
        if self.device != "cpu":
            flat[:] = self._counted(pair, bins, sizes[2], len(flat))
        elif self.binary:
            count_wrong(pair, bins, sizes[2], self.packed, flat)
        else:
            count_sums(pair, bins, sizes[2], self.columns, flat)
        table = np.zeros((sizes[0] + 1, sizes[1] + 1, sizes[2] + 1, many))
        table[1:, 1:, 1:] = flat.reshape(*sizes, many)
        accumulate(table)
        return table

    def _counted(self, pair: np.ndarray, bins: np.ndarray, size: int, cells: int) -> np.ndarray:
        import torch

        device = torch.device(self.device.removeprefix("torch:"))
        place = torch.from_numpy(pair).to(device) * size + torch.from_numpy(bins.astype(np.int64)).to(device)
        if self.binary:
            wrong = torch.from_numpy(self.packed - HALF).to(device)
            both = torch.bincount(2 * place + wrong, minlength=2 * cells).reshape(cells, 2)
            return torch.stack([both.sum(1), both[:, 1]], 1).double().cpu().numpy()
        columns = torch.from_numpy(self.columns).to(device)
        sums = torch.zeros(cells, columns.shape[1], dtype=torch.float64, device=device)
        return sums.index_add_(0, place, columns).cpu().numpy()


def search(levels: Levels, losses: Losses, depth: int = 2, support: int = 30, least: float = STRONG) -> Searched:
    """Count every conjunction of levels of up to `depth` different columns that has the support.

    A slice of all rows is never strong. Conjunctions without the support are left out exactly: one cannot have more
    rows than its parts. Ranges are sums of the bins' sums; no row is looked at twice for one tuple of columns.

    Args:
        levels: of N rows.
        losses: of the same rows.
        depth: 1, 2 or 3.
        support: rows that a slice needs.
        least: the strength (z of a 0/1 loss, Welch's t of others) of slices that are written down.

    Raises:
        SettingError: another depth.
    """
    if depth not in DEPTHS:
        raise SettingError(f"depth: {depth!r}: expected 1, 2 or 3, such as depth=2")
    search = _Search(levels, losses, support, least)
    for count in range(1, depth + 1):
        for head in combinations(search.used, min(count, 2)):
            search.visit(head, count)
    members = np.concatenate([np.zeros((0, 3), np.int32), *search.members])
    sums = np.concatenate([np.zeros((0, losses.columns.shape[1])), *search.sums])[:, losses.of]
    one, two, three = search.tested
    return Searched(members, sums, losses.totals[losses.of], (one, two, three), losses.binary)


class _Search:
    """The state of one search."""

    def __init__(self, levels: Levels, losses: Losses, support: int, least: float) -> None:
        self.levels, self.losses, self.support, self.least = levels, losses, support, least
        numbered = np.column_stack([np.arange(len(levels.ranges)), levels.ranges[:, 1:]])
        self.ranges = [numbered[levels.ranges[:, 0] == column] for column in range(len(levels.names))]
        self.used = [column for column, own in enumerate(self.ranges) if len(own)]
        self.whole = np.array([[-1, 0, 1]])
        self.nothing = np.zeros(levels.bins.shape[1], np.uint16)
        self.tested = [0, 0, 0]
        self.members: list[np.ndarray] = []
        self.sums: list[np.ndarray] = []

    def visit(self, head: tuple[int, ...], count: int) -> None:
        """All slices of `count` conditions whose first columns are those."""
        bins, sizes = self.levels.bins, self.levels.sizes
        pair = bins[head[0]].astype(np.int64)
        ranges, shape = [self.ranges[head[0]], self.whole], [int(sizes[head[0]]), 1]
        if count > 1:
            shape[1], ranges[1] = int(sizes[head[1]]), self.ranges[head[1]]
            pair = pair * shape[1] + bins[head[1]]
        if count < 3:
            self._tally(pair, (shape[0], shape[1], 1), self.nothing, (ranges[0], ranges[1], self.whole), count)
            return
        for last in self.used[self.used.index(head[1]) + 1 :]:
            triple = (shape[0], shape[1], int(sizes[last]))
            self._tally(pair, triple, bins[last], (ranges[0], ranges[1], self.ranges[last]), count)

    def _tally(
        self,
        pair: np.ndarray,
        sizes: tuple[int, int, int],
        bins: np.ndarray,
        ranges: tuple[np.ndarray, ...],
        count: int,
    ) -> None:
        losses = self.losses
        table = losses.table(pair, sizes, bins)
        most = len(ranges[0]) * len(ranges[1]) * len(ranges[2])
        members, sums = np.empty((most, 3), np.int32), np.empty((most, losses.columns.shape[1]))
        tested, kept = conjunctions(table, *ranges, self.support, self.least, losses.totals, losses.of, members, sums)
        self.tested[count - 1] += tested
        if kept:
            self.members.append(members[:kept].copy())
            self.sums.append(sums[:kept].copy())
