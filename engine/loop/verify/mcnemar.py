"""Who gained against who lost: McNemar's exact test, with one vote for each independent unit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import binom

from sliceforge.engine.loop.verify.pairs import Pairs


@dataclass(frozen=True)
class McNemar:
    """The exact test of who changed sides: those that gained against those that lost are throws of a coin.

    Args:
        gained, lost: units whose loss fell or rose.
        p: two-sided, exact.
        mid_p: the same counting half of what was seen: less cautious, and nearer to its level (Fagerland et al., 2013).
    """

    gained: int
    lost: int
    p: float
    mid_p: float


def mcnemar(pairs: Pairs, member: np.ndarray) -> McNemar:
    """McNemar's exact test in one slice; each independent unit has one vote, whatever the seeds.

    A row's votes under several seeds are not independent, nor are rows of one cluster: a row (or a cluster) votes by
    the sign of its loss summed over rows and seeds, and does not where that is 0. With one seed, 0/1 losses and no
    clusters that is McNemar's own test. It says nothing of what other seeds would have given.

    Args:
        pairs: the losses.
        member: (N,) bool, the slice's rows.
    """
    # Sums times the other side's seeds are exact for whole losses, where means are not.
    seeds, others = len(pairs.before), len(pairs.after)
    fall = (pairs.before.sum(axis=0) * others - pairs.after.sum(axis=0) * seeds) * pairs.weights
    votes = np.bincount(pairs.units[member], fall[member])
    least = 1e-12 * max(1.0, float(np.abs(fall).max(initial=0)))
    gained, lost = int((votes > least).sum()), int((votes < -least).sum())
    few, count = min(gained, lost), gained + lost
    below, here = float(binom.cdf(few, count, 0.5)), float(binom.pmf(few, count, 0.5))
    mid = 1 - here / 2 if gained == lost else 2 * below - here
    return McNemar(gained, lost, min(1.0, 2 * below), mid)
