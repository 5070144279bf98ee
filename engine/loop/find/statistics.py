"""Is a slice worse than the rest, by how much, and how much could have been seen."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from sliceforge.engine.loop.find.counting import fisher_tails

GAP, COHEN_H, COHEN_D = 0.05, 0.2, 0.2
"""The least effects that count: of a 0/1 loss the gap and Cohen's h, of a continuous one the standardised gap."""


def wilson(wrong: ArrayLike, rows: ArrayLike, z: float = 1.959963984540054) -> tuple[np.ndarray, np.ndarray]:
    """Wilson's interval of a share (Wilson, JASA 1927); not a number where there are no rows.

    Args:
        wrong, rows: (M,) counts.
        z: standard errors on either side; by default those of 95 %.

    >>> [round(float(end), 3) for end in wilson(np.array(10), np.array(100))]
    [0.055, 0.174]
    """
    wrong, rows = np.asarray(wrong, np.float64), np.asarray(rows, np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        share, spread = wrong / rows, z * z / rows
        middle = (share + spread / 2) / (1 + spread)
        half = z / (1 + spread) * np.sqrt(share * (1 - share) / rows + spread / (4 * rows))
    return np.maximum(middle - half, 0), np.minimum(middle + half, 1)


def newcombe(
    wrong: np.ndarray, rows: np.ndarray, wrong_rest: np.ndarray, rows_rest: np.ndarray, level: float = 0.95
) -> tuple[np.ndarray, np.ndarray]:
    """The interval of the difference of two shares from their Wilson intervals (Newcombe, Stat. Med. 1998, method 10).

    Args:
        wrong, rows, wrong_rest, rows_rest: (M,) counts of the slice and of the rest.
        level: that the interval holds.
    """
    one, other = np.asarray(wrong) / rows, np.asarray(wrong_rest) / rows_rest
    z = float(stats.norm.ppf(0.5 + level / 2))
    (low, high), (low_rest, high_rest) = wilson(wrong, rows, z), wilson(wrong_rest, rows_rest, z)
    gap = one - other
    return gap - np.hypot(one - low, high_rest - other), gap + np.hypot(high - one, other - low_rest)


def fisher(wrong: np.ndarray, rows: np.ndarray, total: int, total_wrong: int) -> np.ndarray:
    """Fisher's exact test, one-sided: P(a slice of so many rows, drawn at random, has as many wrong or more), (M,).

    Args:
        wrong, rows: (M,) counts in the slice.
        total, total_wrong: counts in the slice and the rest together.

    >>> round(float(fisher(np.array([3]), np.array([4]), 8, 4)[0]), 4)
    0.2429
    """
    factorial = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, total + 1)))])
    out = np.empty(len(wrong))
    fisher_tails(np.asarray(wrong, np.int64), np.asarray(rows, np.int64), int(total), int(total_wrong), factorial, out)
    return out


def welch(sums: np.ndarray, totals: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """t and p of Welch's test, one-sided: is the slice's mean loss above that of the rest?

    With weights the means are Σwl/Σw and their variances linearised ones of a ratio; with w = 1 it is Welch's own test.

    Args:
        sums: (M, 6) of each slice: rows, Σw, Σwl, Σw², Σw²l, Σw²l².
        totals: (6,) of all rows.
    """
    mean, variance = ratio(sums)
    rest, variance_rest = ratio(totals - sums)
    n, m = sums[:, 0] - 1, totals[0] - sums[:, 0] - 1
    with np.errstate(invalid="ignore", divide="ignore"):
        both = variance + variance_rest
        t = (mean - rest) / np.sqrt(both)
        freedom = both**2 / (variance**2 / n + variance_rest**2 / m)
        p = stats.t.sf(t, freedom)
    # Two constants that differ: nothing varies, and no variance says how sure that is.
    return t, np.where(np.isfinite(p), p, 1.0)


def ratio(sums: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The mean of sums (M, 6) or (6,) and its variance."""
    n, weight, loss, w2, w2l, w2l2 = np.moveaxis(sums, -1, 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = loss / weight
        spread = np.maximum(w2l2 - 2 * mean * w2l + mean**2 * w2, 0)
        return mean, spread / weight**2 * n / (n - 1)


def benjamini_hochberg(p: np.ndarray, q: float, tested: int) -> tuple[np.ndarray, float]:
    """Adjusted p, (M,), and the greatest p that is rejected, 0 for none (Benjamini, Hochberg, JRSS B 1995).

    What is not given counts as 1. That changes no decision as long as every p up to `q` is given: one above q is never
    rejected, and the rank of one below counts only those below. Adjusted values up to q are exact for the same reason.

    Args:
        p: (M,) those of `tested` that are known.
        q: the false discovery rate.
        tested: how many were tested, known or not.

    >>> benjamini_hochberg(np.array([0.01, 0.04]), 0.05, 4)
    (array([0.04, 0.08]), 0.01)
    """
    order = np.argsort(p, kind="stable")
    steps = p[order] * tested / np.arange(1, len(p) + 1)
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(np.minimum.accumulate(steps[::-1])[::-1], 1)
    rejected = adjusted <= q
    return adjusted, float(p[rejected].max()) if rejected.any() else 0.0


def cohen_h(share: np.ndarray, rest: np.ndarray) -> np.ndarray:
    """Cohen's h of two shares: the difference of their arcsine transforms, in radians.

    >>> round(float(cohen_h(np.array(0.5), np.array(0.25))), 4)
    0.5236
    """
    return 2 * np.arcsin(np.sqrt(np.clip(share, 0, 1))) - 2 * np.arcsin(np.sqrt(np.clip(rest, 0, 1)))


def detectable(deviation: float, rows: np.ndarray, total: int, alpha: float = 0.05, power: float = 0.8) -> np.ndarray:
    """The least gap that a one-sided test sees with that power in a slice of so many rows, (M,).

    Args:
        deviation: the standard deviation of the loss in the rest; of a 0/1 loss √(e(1 − e)).
        rows: (M,) of the slice.
        total: rows in all.
        alpha, power: of the test, one slice tested.
    """
    z = stats.norm.isf(alpha) + stats.norm.ppf(power)
    return z * deviation * np.sqrt(1 / np.asarray(rows, np.float64) + 1 / (total - np.asarray(rows, np.float64)))


def recoverable(rows: np.ndarray, total: float, error: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Accuracy that is won where the slice becomes as good as the reference: its share times its excess error."""
    return np.asarray(rows) / total * (error - reference)
