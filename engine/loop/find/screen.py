"""Which of the tested slices go on: those that chance does not explain, and whose effect is large enough."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sliceforge.engine.loop.find.chance import chance, scaled
from sliceforge.engine.loop.find.clusters import cluster_p
from sliceforge.engine.loop.find.confirm import by_cluster
from sliceforge.engine.loop.find.cover import Rows, shortlist
from sliceforge.engine.loop.find.evidence import evidence
from sliceforge.engine.loop.find.search import Searched
from sliceforge.engine.loop.find.statistics import benjamini_hochberg

DEALT = 0.8
"""The share of the false discovery rate that goes to what deals of the losses allow."""

SCREEN = 0.001
"""The p that a slice needs on the half it is searched in; the other half decides."""


@dataclass(frozen=True)
class Screened:
    """Slices that go on, most significant first.

    Args:
        members: (M, 3) level numbers.
        limits: (M,) the greatest p of each that counts.
        later: (M,) the same once a slice was chosen and its rows are gone. Benjamini–Hochberg's limit grows with the
            relatives of a strong slice, of which the cover keeps one; it says nothing of the others: Bonferroni's.
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


def significant(
    rows: Rows, tested: Searched, q: float, depth: int, clusters: np.ndarray | None = None, seed: int = 0
) -> Screened:
    """Slices with the effect that chance does not explain, among all tested.

    Where losses can be dealt out anew (`chance`), `DEALT` of q is for slices that the strongest of a deal is as strong
    as in so small a share of deals, and the rest for those that Benjamini–Hochberg rejects; elsewhere all is for the
    latter. There each number of conditions is a family at an even share of the rate; the rates add up to q at most.

    Args:
        rows: what was searched.
        tested: what the search counted.
        q: the false discovery rate.
        depth: of the search.
        clusters: (N,) int64 of each row, or None: losses of rows that belong together are not dealt.
        seed: of the deals.
    """
    found = evidence(tested.sums, tested.totals, tested.binary)
    p, many = found.p, np.maximum(np.array(tested.tested), 1)[tested.depth - 1]
    strength = scaled(found, tested)
    dealt = chance(rows, tested, strength.min(initial=np.inf), DEALT * q, seed) if clusters is None else None
    rest = 1.0 if dealt is None else 1 - DEALT
    adjusted, limits = _families(p, tested.depth, tested, rest * q, depth)
    adjusted, later = adjusted / rest, np.minimum(limits, rest * q / depth / many)
    if dealt is not None:
        allowed = dealt.limit(DEALT * q) / many
        adjusted = np.minimum(adjusted, dealt.adjusted(strength) / DEALT)
        limits, later = np.maximum(limits, allowed), np.maximum(later, allowed)
    fit = np.flatnonzero(found.counts & (adjusted <= q))
    fit = fit[shortlist(rows.levels, tested.members[fit], p[fit])]
    if clusters is not None and len(fit):
        return _clustered(rows, tested, fit, p[fit], q, depth, clusters)
    return Screened(tested.members[fit], limits[fit], later[fit], adjusted[fit])


def _clustered(
    rows: Rows, tested: Searched, fit: np.ndarray, p: np.ndarray, q: float, depth: int, clusters: np.ndarray
) -> Screened:
    """The clusters' p stands where it is greater than the plain one.

    It is computed for those alone that are rejected without: a p that only grows rejects no slice more, and others
    count as 1.
    """
    whole, members, depths = np.ones(len(clusters), bool), tested.members[fit], tested.depth[fit]
    own = np.array([cluster_p(by_cluster(rows, member, whole, clusters)) for member in members])
    p = np.maximum(p, own)
    adjusted, limits = _families(p, depths, tested, q, depth)
    later = np.minimum(limits, q / depth / np.array(tested.tested)[depths - 1])
    kept = np.flatnonzero(adjusted <= q)
    kept = kept[np.argsort(p[kept], kind="stable")]
    return Screened(members[kept], limits[kept], later[kept], adjusted[kept])


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
