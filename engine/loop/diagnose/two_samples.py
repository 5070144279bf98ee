"""Tests of two samples, and the population stability index: how far two sets of numbers or counts are apart."""

from __future__ import annotations

import numpy as np
from scipy.special import chdtrc

SMOOTHING = 0.5
"""Rows that each bin has beside those that were counted, so that an empty one has a logarithm."""


def kolmogorov_smirnov(before: np.ndarray, after: np.ndarray) -> tuple[float, float]:
    """The two-sample statistic of numbers (N,) and (M,), and its two-sided p, asymptotic with ⌊nm/(n + m)⌉ rows.

    Smirnov (1939). Ties make it cautious.
    """
    from scipy.stats import kstwo  # on first use: it takes seconds to import

    both = np.concatenate([before, after])
    shares = [np.searchsorted(np.sort(side), both, side="right") / len(side) for side in (before, after)]
    statistic = float(np.abs(shares[0] - shares[1]).max())
    rows = round(len(before) * len(after) / (len(before) + len(after)))
    return statistic, float(np.clip(kstwo.sf(statistic, max(rows, 1)), 0, 1))


def chi_square(before: np.ndarray, after: np.ndarray) -> tuple[float, float]:
    """Pearson's statistic of counts (L,) and (L,), and its p with L − 1 degrees of freedom; (0, 1) of one level."""
    counts = np.array([before, after], np.float64)
    counts = counts[:, counts.sum(axis=0) > 0]
    if counts.shape[1] < 2:
        return 0.0, 1.0
    expected = counts.sum(axis=1, keepdims=True) * counts.sum(axis=0) / counts.sum()
    statistic = float((np.square(counts - expected) / expected).sum())
    return statistic, float(chdtrc(counts.shape[1] - 1, statistic))


def stability(before: np.ndarray, after: np.ndarray) -> float:
    """The population stability index of counts (L,) and (L,): Σ (q − p)·ln(q / p), each count half a row more.

    Below 0.1 there is nothing to see, above 0.2 a shift (Siddiqi 2006).
    """
    p, q = ((counts + SMOOTHING) / (counts.sum() + SMOOTHING * len(counts)) for counts in (before, after))
    return float(((q - p) * np.log(q / p)).sum())
