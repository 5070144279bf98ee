"""Which of the tested slices go on: those that chance does not explain, and whose effect is large enough."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sliceforge.engine.loop.find.clusters import cluster_p
from sliceforge.engine.loop.find.confirm import by_cluster
from sliceforge.engine.loop.find.cover import Rows, shortlist
from sliceforge.engine.loop.find.evidence import evidence
from sliceforge.engine.loop.find.search import Searched
from sliceforge.engine.loop.find.statistics import benjamini_hochberg

SCREEN = 0.001
"""The p that a slice needs on the half it is searched in; the other half decides."""


@dataclass(frozen=True)
class Screened:
    """Slices that go on, most significant first.

    Args:
        members: (M, 3) level numbers.
        limits: (M,) the greatest p of each that counts.
        later: (M,) the same once a slice was chosen and its rows are gone: Bonferroni's. Benjamini–Hochberg's limit
            grows with the relatives of a strong slice, of which the cover keeps one; it says nothing of the others.
        q: (M,) adjusted p; not a number where the other half decides.
    """

    members: np.ndarray
    limits: np.ndarray
    later: np.ndarray
    q: np.ndarray


def strong(rows: Rows, tested: Searched) -> Screened:
    """Slices to be judged on other rows: the effect, and p up to `SCREEN`."""
    found = evidence(tested.sums, tested.totals, tested.binary)
    fit = np.flatnonzero(found.counts & (found.p <= SCREEN))
    fit = fit[shortlist(rows.levels, tested.members[fit], found.p[fit])]
    limits = np.full(len(fit), SCREEN)
    return Screened(tested.members[fit], limits, limits, np.full(len(fit), np.nan))


def significant(rows: Rows, tested: Searched, q: float, depth: int, clusters: np.ndarray | None) -> Screened:
    """Slices with the effect that Benjamini–Hochberg rejects over all tested.

    Each number of conditions is a family of its own at q / depth; the rates of families add up to q at most.

    With clusters their p stands where it is greater than the plain one. It is computed for those alone that are
    rejected without: a p that only grows rejects no slice more, and others count as 1.

    Args:
        rows: what was searched.
        tested: what the search counted.
        q: the false discovery rate.
        depth: of the search.
        clusters: (N,) int64 of each row, or None.
    """
    found = evidence(tested.sums, tested.totals, tested.binary)
    p = found.p
    adjusted, limits = _families(p, tested.depth, tested, q, depth)
    fit = np.flatnonzero(found.counts & (adjusted <= q))
    fit = fit[shortlist(rows.levels, tested.members[fit], p[fit])]
    members, adjusted, limits = tested.members[fit], adjusted[fit], limits[fit]
    if clusters is not None and len(fit):
        whole = np.ones(len(clusters), bool)
        own = np.array([cluster_p(by_cluster(rows, member, whole, clusters)) for member in members])
        p = np.maximum(p[fit], own)
        adjusted, limits = _families(p, tested.depth[fit], tested, q, depth)
        kept = np.flatnonzero(adjusted <= q)
        kept = kept[np.argsort(p[kept], kind="stable")]
        members, adjusted, limits = members[kept], adjusted[kept], limits[kept]
    many = np.maximum(np.array(tested.tested), 1)[(members >= 0).sum(axis=1) - 1]
    return Screened(members, limits, np.minimum(limits, q / depth / many), adjusted)


def _families(
    p: np.ndarray, depths: np.ndarray, tested: Searched, q: float, depth: int
) -> tuple[np.ndarray, np.ndarray]:
    """Adjusted p, to be held against q, and the limit of p of each slice, (M,)."""
    adjusted, limits = np.ones(len(p)), np.zeros(len(p))
    for count, many in enumerate(tested.tested[:depth], 1):
        own = depths == count
        if own.any():
            each, limit = benjamini_hochberg(p[own], q / depth, many)
            adjusted[own], limits[own] = np.minimum(each * depth, 1), limit
    return adjusted, limits
