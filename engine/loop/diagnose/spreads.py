"""Where numbers lie, and how far two sets of them are apart whatever their size."""

from __future__ import annotations

import numpy as np

from sliceforge.engine.loop.diagnose.two_samples import stability
from sliceforge.engine.loop.rows.slices import Range

BINS = 10


def spread(values: np.ndarray) -> Range:
    """Where numbers lie: 5 %, half and 95 %."""
    low, median, high = (float(one) for one in np.quantile(values, [0.05, 0.5, 0.95]))
    return Range(low, median, high)


def shift(known: np.ndarray, values: np.ndarray) -> float:
    """The stability index over quantile bins of `known`, less its mean where nothing has shifted.

    That is (bins − 1)·(1/n + 1/m) of two samples of n and m numbers (Yurdakul, Naranjo 2020).
    """
    bins = min(BINS, max(2, min(len(known), len(values)) // 5))
    edges = np.unique(np.quantile(known, np.arange(1, bins) / bins))
    counts = [np.bincount(np.searchsorted(edges, side, "right"), minlength=len(edges) + 1) for side in (known, values)]
    return max(0.0, stability(*counts) - len(edges) * (1 / len(known) + 1 / len(values)))
