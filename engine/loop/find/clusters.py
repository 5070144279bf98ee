"""The gap of a slice where rows of one speaker, coil, tile or recording are not independent."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import stats

RESAMPLES = 2000


def codes(clusters: Sequence[object] | np.ndarray) -> np.ndarray:
    """Clusters as numbers from 0, in the order of their names, (N,) int64."""
    return np.unique(np.asarray(clusters, str), return_inverse=True)[1].astype(np.int64)


def cluster_sums(inside: np.ndarray, columns: np.ndarray, own: np.ndarray) -> np.ndarray:
    """Σw and Σwl of each cluster in the slice and in the rest, (G, 4).

    Args:
        inside: (N,) bool.
        columns: (N, 2) w and wl of each row.
        own: (N,) int64, the cluster of each row.
    """
    count = int(own.max()) + 1 if len(own) else 0
    parts = [np.bincount(own, column * side, count) for side in (inside, ~inside) for column in columns.T]
    sums: np.ndarray = np.stack(parts, 1)
    return sums[(sums[:, [0, 2]] > 0).any(axis=1)]


def cluster_p(sums: np.ndarray) -> float:
    """One-sided p of the gap with the variance between clusters (Liang, Zeger, Biometrika 1986).

    A t test whose degrees of freedom are those of the side with fewer clusters. A slice of one cluster has no
    variance between clusters that could be seen: its p is 1.

    Args:
        sums: (G, 4) from `cluster_sums`.
    """
    weight, loss, rest, loss_rest = sums.sum(axis=0)
    fewer = int(min((sums[:, 0] > 0).sum(), (sums[:, 2] > 0).sum()))
    if fewer < 2:
        return 1.0
    mean, other = loss / weight, loss_rest / rest
    moved = (sums[:, 1] - mean * sums[:, 0]) / weight - (sums[:, 3] - other * sums[:, 2]) / rest
    deviation = np.sqrt((moved**2).sum() * len(sums) / (len(sums) - 1))
    return float(stats.t.sf((mean - other) / deviation, fewer - 1)) if deviation > 0 else 1.0


def cluster_interval(sums: np.ndarray, seed: int, level: float = 0.95) -> tuple[float, float]:
    """The gap's percentile interval over `RESAMPLES` draws of whole clusters (Field, Welsh, JRSS B 2007).

    Args:
        sums: (G, 4) from `cluster_sums`.
        seed: of the draws.
        level: that the interval holds.
    """
    generator = np.random.default_rng(seed)
    gaps = []
    for _ in range(RESAMPLES):
        times = np.bincount(generator.integers(0, len(sums), len(sums)), minlength=len(sums))
        weight, loss, rest, loss_rest = times @ sums
        if weight > 0 and rest > 0:
            gaps.append(loss / weight - loss_rest / rest)
    if not gaps:
        return float("nan"), float("nan")
    low, high = np.quantile(gaps, [0.5 - level / 2, 0.5 + level / 2])
    return float(low), float(high)
