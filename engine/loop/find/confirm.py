"""Two halves of the rows that share no cluster, and what slices of one half are worth on the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sliceforge.engine.errors import SettingError
from sliceforge.engine.keys import Keys
from sliceforge.engine.loop.find.clusters import cluster_interval, cluster_p, cluster_sums
from sliceforge.engine.loop.find.cover import Rows
from sliceforge.engine.loop.find.evidence import Evidence, evidence, interval
from sliceforge.engine.loop.find.statistics import benjamini_hochberg


def split(ids: Sequence[str], clusters: Sequence[object] | np.ndarray | None = None, seed: int = 0) -> np.ndarray:
    """Which rows are in the first half, (N,) bool: a function of the seed and the set of ids or clusters.

    Clusters, or ids where there are none, come in the order of a keyed hash, each into the half with fewer rows.

    Args:
        ids: (N,) of the rows.
        clusters: (N,) of the rows: none is on both sides.
        seed: of the hash.

    Raises:
        SettingError: fewer than two clusters.
    """
    names, own, counts = np.unique(
        np.asarray(ids if clusters is None else clusters, str), return_inverse=True, return_counts=True
    )
    if len(names) < 2:
        raise SettingError(f"cluster: {len(names)} in all: two halves need at least 2, such as two speakers")
    key = Keys.of(seed, [str(name) for name in names]).field("half")
    first, rows = np.zeros(len(names), bool), [0, 0]
    for at in np.argsort(key, kind="stable"):
        side = int(rows[1] < rows[0])
        first[at] = side == 0
        rows[side] += int(counts[at])
    return first[own]


@dataclass(frozen=True)
class Confirmed:
    """What rows say of a few slices that were chosen before.

    Args:
        evidence: of M slices; its p is the clusters' where there are any.
        q: (M,) adjusted over the few.
        intervals: (M, 2) of the gaps, 95 %.
        sums, totals: (M, 6) and (6,) that it was judged by.
    """

    evidence: Evidence
    p: np.ndarray
    q: np.ndarray
    intervals: np.ndarray
    sums: np.ndarray
    totals: np.ndarray


def confirm(
    slices: np.ndarray, rows: Rows, alive: np.ndarray, q: float, clusters: np.ndarray | None = None, seed: int = 0
) -> Confirmed:
    """p, q, gap and interval of slices on the rows that are alive.

    Args:
        slices: (M, 3) level numbers.
        rows: all rows.
        alive: (N,) bool, those to judge on.
        q: the false discovery rate over these slices.
        clusters: (N,) int64 of each row, or None.
        seed: of the clusters' bootstrap.
    """
    sums, totals = rows.sums(slices, alive)
    found = evidence(sums, totals, rows.losses.binary)
    p, intervals = found.p.copy(), np.zeros((len(slices), 2))
    for at, member in enumerate(slices):
        if clusters is None:
            intervals[at] = interval(sums[at], totals, rows.losses.binary)
            continue
        own = by_cluster(rows, member, alive, clusters)
        p[at], intervals[at] = max(p[at], cluster_p(own)), cluster_interval(own, seed)
    return Confirmed(found, p, benjamini_hochberg(p, q, len(p))[0], intervals, sums, totals)


def by_cluster(rows: Rows, member: np.ndarray, alive: np.ndarray, clusters: np.ndarray) -> np.ndarray:
    """The sums of each cluster in a slice and its rest over the rows that are alive, (G, 4)."""
    columns = rows.losses.columns[:, rows.losses.of[1:3]]
    return cluster_sums(rows.levels.rows(member)[alive], columns[alive], clusters[alive])
