"""A second view: clusters of an embedding that are worse than the rest, each told by the rule that is nearest to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from scipy.cluster.hierarchy import linkage
from scipy.cluster.vq import kmeans2

from sliceforge.engine.errors import SettingError, did_you_mean
from sliceforge.engine.loop.find.evidence import evidence
from sliceforge.engine.loop.find.levels import Levels, levels
from sliceforge.engine.loop.find.search import Losses, search
from sliceforge.engine.loop.find.statistics import benjamini_hochberg
from sliceforge.engine.loop.rows.predictions import Predictions

ROWS, MOST = 100, 32
"""Rows of a cluster on the average at least, and clusters at most."""

AXES = 32
"""Principal axes of an embedding that are clustered, at most."""

ROUNDS = 30
FEWEST = 30
"""Rows of a cluster that is judged at all."""


@dataclass(frozen=True)
class Cluster:
    """Rows that lie together in an embedding and on which the model is worse.

    Args:
        rows: how many.
        error, reference: their mean loss, and that of the rest.
        q: adjusted over all clusters.
        rule: SQL over the columns, of two conditions at most, that holds for much the same rows; None: none does.
        shared: rows of both, over rows of either.
    """

    rows: int
    error: float
    reference: float
    q: float
    rule: str | None
    shared: float

    def plain(self) -> dict[str, Any]:
        """For YAML."""
        found = asdict(self)
        return {name: float(f"{value:.6g}") if isinstance(value, float) else value for name, value in found.items()}


def clusters(
    embedding: np.ndarray,
    columns: pa.Table,
    loss: np.ndarray,
    weight: np.ndarray | None = None,
    *,
    q: float = 0.05,
    seed: int = 0,
) -> tuple[Cluster, ...]:
    """Weak clusters, the surest first, none in another: tested as slices are, Benjamini–Hochberg over all.

    They are the clusters of k-means and those that Ward's method makes of them, so that a weak one has its own size.
    A cluster is not a slice that anybody can act on: its rule is what `find` should have found, or a hint of a column
    that is missing where no rule comes near it.

    Args:
        embedding: (N, D) finite.
        columns: (N, C) that a rule may be a condition on.
        loss: (N,) 0 and 1, or continuous, more is worse.
        weight: (N,) above 0.
        q: the false discovery rate.
        seed: of k-means.
    """
    own = assigned(embedding, seed)
    parts = tree(embedding, own)
    inside = parts[:, own]  # (K, N)
    losses = Losses(loss, weight)
    found = evidence((inside @ losses.columns)[:, losses.of], losses.totals[losses.of], losses.binary)
    enough = found.rows >= FEWEST
    adjusted = np.ones(len(parts))
    adjusted[enough] = benjamini_hochberg(found.p[enough], q, int(enough.sum()))[0]
    weak = np.flatnonzero(found.counts & (adjusted <= q))
    rows, taken, made = levels(columns), np.zeros(parts.shape[1], bool), []
    for at in weak[np.argsort(found.p[weak], kind="stable")]:
        if (parts[at] & taken).any():
            continue
        taken |= parts[at]
        rule, shared = _told(rows, inside[at])
        error, reference = float(found.error[at]), float(found.reference[at])
        made.append(Cluster(int(found.rows[at]), error, reference, float(adjusted[at]), rule, shared))
    return tuple(made)


def _told(rows: Levels, inside: np.ndarray) -> tuple[str | None, float]:
    """The conjunction that has most in common with a cluster, and how much: the share of their union."""
    tested = search(rows, Losses(inside.astype(np.float64)), 2, FEWEST)
    if not len(tested.members):
        return None, 0.0
    both = tested.sums[:, 2]
    shared = both / (inside.sum() + tested.sums[:, 0] - both)
    best = int(np.argmax(shared))
    return rows.predicate(tested.members[best]), float(shared[best])


def assigned(embedding: np.ndarray, seed: int) -> np.ndarray:
    """(N,) int64, the cluster of each row, by k-means over principal axes: a function of the rows and the seed.

    Args:
        embedding: (N, D).
        seed: of the first centres.
    """
    count = max(2, min(len(embedding) // ROWS, MOST))
    points = embedding - embedding.mean(axis=0)
    _, axes = np.linalg.eigh(points.T @ points)
    points = points @ axes[:, ::-1][:, :AXES]
    _, found = kmeans2(points, count, iter=ROUNDS, minit="++", missing="warn", rng=np.random.default_rng(seed))
    return np.unique(found, return_inverse=True)[1].astype(np.int64)


def tree(embedding: np.ndarray, own: np.ndarray) -> np.ndarray:
    """(2K − 2, K) bool: which clusters each node of Ward's tree holds, leaves first, the root left out.

    Args:
        embedding: (N, D).
        own: (N,) the cluster of each row, of K.
    """
    count = int(own.max()) + 1
    nodes = list(np.eye(count, dtype=bool))
    if count > 1:
        centres = np.stack([embedding[own == at].mean(axis=0) for at in range(count)])
        for first, second, *_ in linkage(centres, "ward"):
            nodes.append(nodes[int(first)] | nodes[int(second)])
    return np.array(nodes[: max(2 * count - 2, 1)])


def clusters_of(
    config: Mapping[str, Any], table: pa.Table, columns: pa.Table, rows: Predictions
) -> tuple[Cluster, ...] | None:
    """The weak clusters of the embedding that a configuration names; None where it names none.

    Args:
        config: of conf/find.yaml.
        table: all that is known of N rows.
        columns: of these, what a rule may be a condition on.
        rows: what the model said of them.

    Raises:
        SettingError: no such column, or no embedding.
    """
    name = config["embedding"]
    if not name:
        return None
    if name not in table.column_names:
        raise SettingError(f"embedding: no column {name!r}{did_you_mean(name, table.column_names)}")
    own = vectors(table[name], name)
    return clusters(own, columns, rows.loss, rows.weight, q=config["q"], seed=config["seed"])


def vectors(column: pa.ChunkedArray, name: str) -> np.ndarray:
    """An embedding, (N, D) float64, from a column of lists.

    Raises:
        SettingError: the column holds no lists of numbers of one length.
    """
    kind = column.type
    lists = pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)
    if lists and (pa.types.is_floating(kind.value_type) or pa.types.is_integer(kind.value_type)):
        rows = [row for row in column.to_pylist() if row is not None]
        if len(rows) == len(column) and len({len(row) for row in rows}) == 1 and rows[0]:
            found = np.array([[np.nan if value is None else value for value in row] for row in rows], np.float64)
            if np.isfinite(found).all():
                return found
    raise SettingError(f"embedding: {name}: {kind}; expected a list of finite numbers in every row, all of one length")
