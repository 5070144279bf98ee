"""What sums say of slices: the error, the gap to the rest, its p, and whether the effect counts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from sliceforge.engine.loop.find.statistics import (
    COHEN_D,
    COHEN_H,
    GAP,
    cohen_h,
    detectable,
    fisher,
    newcombe,
    ratio,
    welch,
)


@dataclass(frozen=True)
class Evidence:
    """Of M slices against their rests, each (M,).

    Args:
        rows: of the slice.
        share: of the weight of all rows.
        error, reference: the mean loss in the slice and in the rest.
        gap: the difference.
        effect: Cohen's h of a 0/1 loss, else the gap over the standard deviation of all.
        counts: whether the effect is large enough.
        p: one-sided, Fisher's of a 0/1 loss, else Welch's.
        deviation: the standard deviation of the loss of a row in the rest.
    """

    rows: np.ndarray
    share: np.ndarray
    error: np.ndarray
    reference: np.ndarray
    gap: np.ndarray
    effect: np.ndarray
    counts: np.ndarray
    p: np.ndarray
    deviation: np.ndarray


def evidence(sums: np.ndarray, totals: np.ndarray, binary: bool) -> Evidence:
    """Judge slices by their sums.

    Args:
        sums: (M, 6): rows, Σw, Σwl, Σw², Σw²l, Σw²l².
        totals: (6,) of the slice and the rest together.
        binary: whether the loss is 0 or 1 and unweighted.
    """
    rest = totals - sums
    with np.errstate(invalid="ignore", divide="ignore"):
        error, reference = sums[:, 2] / sums[:, 1], rest[:, 2] / rest[:, 1]
        gap = error - reference
        if binary:
            effect, p = cohen_h(error, reference), fisher(sums[:, 2], sums[:, 0], int(totals[0]), int(totals[2]))
            counts = (gap >= GAP) & (effect >= COHEN_H)
            deviation = np.sqrt(np.maximum(reference * (1 - reference), 0))
        else:
            effect, p = gap / _deviation(totals), welch(sums, totals)[1]
            counts = effect >= COHEN_D
            deviation = _deviation(rest)
        share = sums[:, 1] / totals[1]
    counts &= (sums[:, 0] > 0) & (rest[:, 0] > 0)
    return Evidence(sums[:, 0], share, error, reference, gap, effect, counts, p, deviation)


def _deviation(sums: np.ndarray) -> np.ndarray:
    """The deviation of a row of mean weight, so that rows · deviation⁻² says how sure a mean is."""
    n, weight, loss, w2, w2l, w2l2 = np.moveaxis(sums, -1, 0)
    mean = loss / weight
    found: np.ndarray = np.sqrt(np.maximum(w2l2 - 2 * mean * w2l + mean**2 * w2, 0) * n) / weight
    return found


def interval(sums: np.ndarray, totals: np.ndarray, binary: bool, level: float = 0.95) -> tuple[float, float]:
    """The interval of one slice's gap: Newcombe's of a 0/1 loss, else Welch's; arguments as `evidence`, sums (6,)."""
    rest = totals - sums
    if binary:
        low, high = newcombe(sums[2], sums[0], rest[2], rest[0], level)
        return float(low), float(high)
    (mean, own), (reference, other) = ratio(sums), ratio(rest)
    freedom = (own + other) ** 2 / (own**2 / (sums[0] - 1) + other**2 / (rest[0] - 1)) if own + other > 0 else 1.0
    half = stats.t.ppf(0.5 + level / 2, freedom) * np.sqrt(own + other)
    return float(mean - reference - half), float(mean - reference + half)


def least_gap(found: Evidence, total: float) -> np.ndarray:
    """The least gap that would have been seen in each slice (80 % power, 5 % one-sided), (M,)."""
    with np.errstate(divide="ignore"):
        return np.asarray(detectable(1.0, found.rows, int(total))) * found.deviation
