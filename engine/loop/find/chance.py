"""How strong the strongest slice is where there is none: the same search on losses that are dealt out anew."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sliceforge.engine.loop.find.cover import Rows
from sliceforge.engine.loop.find.evidence import Evidence, evidence
from sliceforge.engine.loop.find.search import Searched, search

DEALS = 99
"""Times that the losses are dealt out."""

MOST_ROWS, MOST_TESTED = 10_000, 200_000
"""Rows and slices up to which that is done: beyond, slices that matter are seen without."""

LIKELY, LIKELY_P = 2.0, 0.01
"""Slices of dealt losses less strong than so many standard errors have a greater p than this and are not looked at."""


@dataclass(frozen=True)
class Chance:
    """Of each deal the least p of a slice with the effect, times the slices tested of as many conditions.

    Levels of a column lie within each other, and so do their conjunctions: thousands of tests say no more than some
    hundreds would. Deals know, whatever depends on what, because losses that have nothing to do with the columns are as
    likely in any order (Westfall, Young, Resampling-Based Multiple Testing, 1993).

    Args:
        least: (D,) sorted; 0 where the slice that was asked for is known not to be stronger than chance.
    """

    least: np.ndarray

    def adjusted(self, strength: np.ndarray) -> np.ndarray:
        """Share of the deals, the given one among them, whose strongest slice is as strong, (M,)."""
        found: np.ndarray = (1 + np.searchsorted(self.least, strength, "right")) / (1 + len(self.least))
        return found

    def limit(self, q: float) -> float:
        """Slices below it have an adjusted p of at most q."""
        return float(np.nextafter(self.least[_allowed(q) - 1], 0))


def _allowed(q: float) -> int:
    # With a little more than nothing for a product such as 0.29 · 100.
    return int(q * (1 + DEALS) + 1e-9)


def scaled(found: Evidence, tested: Searched) -> np.ndarray:
    """p times the slices tested of as many conditions, (M,); infinite where the effect does not count."""
    many = np.array(tested.tested)[tested.depth - 1]
    return np.where(found.counts, found.p * many, np.inf)


def chance(rows: Rows, tested: Searched, best: float, q: float, seed: int) -> Chance | None:
    """Deal the losses out and search again, until it is known whether the best slice is stronger than chance.

    Args:
        rows: that were searched; their losses are independent of each other.
        tested: what the search counted.
        best: the least scaled p of it.
        q: the rate at which slices are to be rejected.
        seed: of the deals.

    Returns:
        None where there is too much to search that often, or where so many deals are too few for q.
    """
    count, allowed = rows.levels.bins.shape[1], _allowed(q)
    if count > MOST_ROWS or sum(tested.tested) > MOST_TESTED or not allowed:
        return None
    generator, depth = np.random.default_rng([seed, DEALS]), sum(many > 0 for many in tested.tested)
    bound = LIKELY_P * min((many for many in tested.tested if many), default=0)
    least: list[float] = []
    as_strong = 0
    while len(least) < DEALS and as_strong < allowed and best < np.inf:
        dealt = search(rows.levels, rows.losses.part(generator.permutation(count)), depth, rows.support, LIKELY)
        own = scaled(evidence(dealt.sums, dealt.totals, dealt.binary), dealt)
        least.append(min(float(own.min(initial=np.inf)), bound))
        as_strong += least[-1] <= best
    return Chance(np.sort(least) if len(least) == DEALS else np.zeros(DEALS))
