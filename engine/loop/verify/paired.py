"""By how much each slice's mean loss fell from one training to another, and how surely: a paired bootstrap."""

from __future__ import annotations

import math

import numpy as np

from sliceforge.engine.errors import SettingError
from sliceforge.engine.loop.verify.pairs import Pairs

LEVEL = 0.95
REPLICATES = 10_000
GROUPS = 8192
"""Units that are drawn: more of them go into so many groups at random, whose spread is theirs within 1 %."""

BLOCK = 64
"""Replicates whose counts are in memory at once: those of 5 000 rows fit a core's cache."""


def resampled(
    pairs: Pairs, members: np.ndarray, replicates: int = REPLICATES, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """The fall of each slice's mean loss, and its bootstrap replicates over items and seeds.

    Items: whole clusters are drawn, the same for all slices, with the losses averaged over seeds. Seeds: those before
    and those after are drawn for themselves, with the losses averaged over items. A replicate is the gain plus both
    deviations. Of n units n − 1 are drawn, so that the variance is not too small by (n − 1) / n, which with 3 seeds
    would be a third (Rao and Wu, 1988). Drawing both at once instead would count what an item and a seed have in
    common three times (Owen, 2007), this way it counts twice. The seeds' deviation is stretched as Student's t is: how
    far seeds differ is itself hardly known from two or three. With one seed nothing of it is known.

    Args:
        pairs: the losses.
        members: (N, K) bool, which rows belong to which slice.
        replicates: B.
        seed: of the draws.

    Returns:
        Gains (K,), before − after, above 0 where the loss fell; replicates (B, K).

    Raises:
        SettingError: a slice has no row that counts, or all rows are one cluster.
    """
    mass = pairs.weights[:, None] * members  # (N, K)
    total = mass.sum(axis=0)
    if not (total > 0).all():
        raise SettingError(f"verify: slice {int(np.argmin(total))} has no rows that count; expected at least one")
    units = pairs.units
    if len(units) < 2 or units.max() < 1:
        raise SettingError("verify: all rows are one cluster; expected two at least, such as two speakers")
    fall = pairs.before.mean(axis=0) - pairs.after.mean(axis=0)
    gain = (fall @ mass) / total
    # Deviations from the gain, not gains, are summed: float32 is then enough.
    apart = np.concatenate([(fall[:, None] - gain) * mass, mass], axis=1) / np.tile(total, 2)
    generator = np.random.default_rng(seed)
    if units.max() >= GROUPS:
        units = (generator.permutation(units.max() + 1) % GROUPS)[units]
    sums = np.stack([np.bincount(units, column) for column in apart.T], axis=1).astype(np.float32)  # (U, 2K)
    drawn = _drawn(generator, sums, replicates)
    top, bottom = drawn[:, : len(total)], drawn[:, len(total) :]
    out = gain + np.divide(top, bottom, out=np.zeros_like(top), where=bottom > 0)  # no row drawn: it says nothing
    return gain, out + _swing(generator, pairs, mass / total, replicates)


def _drawn(generator: np.random.Generator, sums: np.ndarray, replicates: int) -> np.ndarray:
    """Sums over U − 1 units drawn with replacement, (B, columns)."""
    count = len(sums)
    out = np.empty((replicates, sums.shape[1]))
    for start in range(0, replicates, BLOCK):
        size = min(BLOCK, replicates - start)
        drawn = generator.integers(0, count, (size, count - 1), np.int64)
        drawn += count * np.arange(size)[:, None]
        counts = np.bincount(drawn.reshape(-1), minlength=size * count).reshape(size, count)
        out[start : start + size] = counts.astype(np.float32) @ sums
    return out


def _swing(generator: np.random.Generator, pairs: Pairs, share: np.ndarray, replicates: int) -> np.ndarray:
    """What other seeds would have changed in the gain, (B, K), given each row's share (N, K) of a slice's mean."""
    found, freedom = np.zeros((replicates, share.shape[1])), 0
    if min(len(pairs.before), len(pairs.after)) == 1:  # two on one side say too little of both: `swing.py` estimates
        return found
    for losses, sign in ((pairs.before, 1), (pairs.after, -1)):
        seeds = len(losses)
        if seeds > 1:
            means = losses @ share  # (S, K)
            drawn = generator.integers(0, seeds, (replicates, seeds - 1))
            found += sign * (means[drawn].mean(axis=1) - means.mean(axis=0))
            freedom += seeds - 1
    if freedom:
        found *= np.sqrt(freedom / generator.chisquare(freedom, (replicates, 1)))
    return found


def joint(gain: np.ndarray, draws: np.ndarray, known: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """One-sided bounds that hold for all known slices at once with 95 %: the largest of their studentised deviations.

    Slices share rows; the replicates know how much, so that the bounds are narrower than Bonferroni's.

    Args:
        gain: (K,).
        draws: (B, K) replicates of it.
        known: (K,) bool; the others' bounds are infinite.

    Returns:
        Lower and upper, (K,) each.
    """
    worst, best = np.full(len(gain), -math.inf), np.full(len(gain), math.inf)
    if known.any():
        spread = draws[:, known].std(axis=0)
        scaled = (draws[:, known] - gain[known]) / np.where(spread > 0, spread, 1)
        down, up = np.quantile(scaled.max(axis=1), LEVEL), np.quantile(-scaled.min(axis=1), LEVEL)
        worst[known], best[known] = gain[known] - down * spread, gain[known] + up * spread
    return worst, best
