"""From many significant slices to the few that say it all: no child without need, no two that say the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from sliceforge.engine.loop.find.counting import member_sums
from sliceforge.engine.loop.find.evidence import Evidence, evidence
from sliceforge.engine.loop.find.levels import Levels
from sliceforge.engine.loop.find.search import Losses

MOST = 10
"""Slices that are reported at most."""

NEEDED = 0.01
"""The p at which a child is worse than the rest of a parent that is no slice itself."""

SIBLINGS = 0.05
"""The p over all siblings together at which a child takes the place of a parent that is a slice itself.

A parent has as many children as there are other levels: some are worse than its rest by chance.
"""

ALIKE = 0.9
"""Share of their union from which on two slices are one, and the one with fewer conditions says it.

A condition that takes off rows on which the model errs less stays: what is made to match the slice is the nearer.
"""

EACH, CANDIDATES = 5, 2000
"""Candidates: the most significant of each set of columns, and of all."""


@dataclass(frozen=True)
class Rows:
    """Rows that slices are judged on.

    Args:
        levels: of all N rows.
        losses: of the same.
        support: rows that a slice needs.
    """

    levels: Levels
    losses: Losses
    support: int

    def part(self, chosen: np.ndarray) -> Rows:
        """Some of the rows, (N,) bool."""
        levels, losses = self.levels, self.losses
        bins = np.ascontiguousarray(levels.bins[:, chosen])
        fewer = Levels(levels.names, bins, levels.sizes, levels.ranges, levels.conditions)
        return Rows(fewer, losses.part(chosen), self.support)

    def sums(self, members: np.ndarray, alive: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
        """(M, 6) sums of slices and (6,) of all, over the rows that are alive, (N,) bool."""
        bins, columns = self.levels.bins, self.losses.columns
        if alive is not None:
            bins, columns = np.ascontiguousarray(bins[:, alive]), columns[alive]
        ranges = np.zeros((len(members), 3, 3), np.int64)
        ranges[:, :, 2] = np.iinfo(np.uint16).max + 1
        used = members >= 0
        ranges[used] = self.levels.ranges[members[used]]
        out = np.empty((len(members), columns.shape[1]))
        member_sums(bins, ranges, columns, out)
        return out[:, self.losses.of], columns.sum(axis=0)[self.losses.of]


def shortlist(levels: Levels, members: np.ndarray, p: np.ndarray) -> np.ndarray:
    """Which slices can come into the cover: the most significant of each set of columns, best first.

    Args:
        levels: of the members.
        members: (M, 3) level numbers.
        p: (M,) of each.
    """
    columns = np.where(members >= 0, levels.ranges[members, 0], -1)
    seen: dict[tuple[int, ...], int] = {}
    chosen = []
    for at in np.lexsort((*members.T[::-1], (members >= 0).sum(axis=1), p)):
        key = tuple(columns[at])
        seen[key] = seen.get(key, 0) + 1
        if seen[key] <= EACH:
            chosen.append(at)
        if len(chosen) == CANDIDATES:
            break
    return np.array(chosen, np.int64)


def cover(
    rows: Rows,
    members: np.ndarray,
    limits: np.ndarray,
    later: np.ndarray,
    holds: Callable[[int, np.ndarray], bool] = lambda at, alive: True,
) -> list[int]:
    """Choose slices one after the other, each the one whose excess errors are least like chance, at most `MOST`.

    Each is judged on the rows that those before it left, by a limit on p and the same least effect: a relative that
    has only their errors is not worse than the rest there. A child whose parent's other rows are as bad is passed
    over.

    Args:
        rows: to judge on.
        members: (M, 3) of the candidates, in the order that breaks ties.
        limits: (M,) the greatest p of each that counts for the first.
        later: (M,) the same for those that follow.
        holds: what else must hold of a slice (its place in `members`) on the rows left, (N,) bool.

    Returns:
        their places in `members`.
    """
    alive = np.ones(rows.levels.bins.shape[1], bool)
    chosen: list[int] = []
    passed = np.zeros(len(members), bool)
    slices = {_key(member) for member in members}
    while len(chosen) < MOST and len(members):
        sums, totals = rows.sums(members, alive)
        found = evidence(sums, totals, rows.losses.binary)
        fit = found.counts & (found.p <= (later if chosen else limits)) & (found.rows >= rows.support) & ~passed
        for at in np.flatnonzero(fit)[np.argsort(found.p[fit], kind="stable")]:
            passed[at] = True
            if needed(rows, members[at], alive, slices) and holds(int(at), alive):
                plain = plainer(rows, members, np.flatnonzero(fit), int(at), alive, found)
                chosen.append(plain if holds(plain, alive) else int(at))
                alive &= ~rows.levels.rows(members[chosen[-1]])
                break
        else:
            break
    return chosen


def plainer(rows: Rows, members: np.ndarray, fit: np.ndarray, at: int, alive: np.ndarray, found: Evidence) -> int:
    """The candidate with fewest conditions, nearly the rows of one and no less loss: its own place where none has.

    Args:
        rows: to judge on.
        members: (M, 3) of the candidates.
        fit: places of those that may be chosen.
        at: the one that chance explains least.
        alive: (N,) bool, the rows left.
        found: of the candidates on these.
    """
    own, count = rows.levels.rows(members[at]) & alive, (members >= 0).sum(axis=1)
    sizes = found.rows[fit]
    near = (count[fit] < count[at]) & (found.error[fit] >= found.error[at])
    near &= np.minimum(sizes, own.sum()) >= ALIKE * np.maximum(sizes, own.sum())
    for other in fit[near][np.lexsort((found.p[fit][near], count[fit][near]))]:
        inside = rows.levels.rows(members[other]) & alive
        if (own & inside).sum() >= ALIKE * (own | inside).sum():
            return int(other)
    return at


def needed(rows: Rows, member: np.ndarray, alive: np.ndarray, slices: set[tuple[int, ...]]) -> bool:
    """Whether a slice is worse than the rest of each of its parents, one condition less.

    Args:
        rows: to judge on.
        member: (3,) level numbers.
        alive: (N,) bool, the rows left.
        slices: the level numbers of the candidates.
    """
    count = int((member >= 0).sum())
    if count == 1:
        return True
    parents = np.repeat(member[None], count, axis=0)
    parents[np.arange(count), np.flatnonzero(member >= 0)] = -1
    sums, _ = rows.sums(np.concatenate([member[None], parents]), alive)
    siblings = len(rows.levels.ranges)
    for parent, whole in zip(parents, sums[1:], strict=True):
        limit = SIBLINGS / siblings if _key(parent) in slices else NEEDED
        if evidence(sums[:1], whole, rows.losses.binary).p[0] > limit:
            return False
    return True


def _key(member: np.ndarray) -> tuple[int, ...]:
    return tuple(int(level) for level in member if level >= 0)
