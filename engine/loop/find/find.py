"""Weak slices of evaluated rows: search, screen, cover, and what each is worth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from sliceforge.engine.errors import SettingError, did_you_mean
from sliceforge.engine.loop.find.clusters import cluster_p, codes
from sliceforge.engine.loop.find.confirm import Confirmed, by_cluster, confirm, split
from sliceforge.engine.loop.find.cover import Rows, cover
from sliceforge.engine.loop.find.evidence import evidence, least_gap
from sliceforge.engine.loop.find.levels import least_support, levels
from sliceforge.engine.loop.find.screen import significant, strong
from sliceforge.engine.loop.find.search import Losses, search
from sliceforge.engine.loop.find.statistics import COHEN_D, COHEN_H, GAP, recoverable

WAYS = ("all", "half")


@dataclass(frozen=True)
class Half:
    """A slice on one half of the rows: how many, their mean loss and that of the half's rest."""

    rows: int
    error: float
    reference: float


@dataclass(frozen=True)
class Slice:
    """A weak slice.

    Args:
        predicate: SQL over the columns.
        rows: of the slice, and share: of the weight of all rows, on the rows it was judged by.
        error, reference: the mean loss in the slice and in the rest.
        gap, low, high: the difference and its 95 % interval; somewhat large where the same rows were searched.
        p, q: one-sided, and adjusted.
        effect: Cohen's h, or the standardised gap of a continuous loss.
        mdg: the least gap that a slice of this size shows with 80 % power.
        recoverable: accuracy won where the slice becomes as good as the rest.
        halves: the slice on the two halves.
    """

    predicate: str
    rows: int
    share: float
    error: float
    reference: float
    gap: float
    low: float
    high: float
    p: float
    q: float
    effect: float
    mdg: float
    recoverable: float
    halves: tuple[Half, Half]


@dataclass(frozen=True)
class Findings:
    """What `find` found: slices, those to win most from first.

    Args:
        slices: at most 10.
        rows: evaluated, error: their mean loss.
        tested: slices of 1, 2 and 3 conditions that were tested.
        way: "all", or "half": judged on rows that were not searched.
        thresholds: what a slice had to pass.
    """

    slices: tuple[Slice, ...]
    rows: int
    error: float
    tested: tuple[int, int, int]
    way: str
    thresholds: dict[str, float]

    def plain(self) -> dict[str, Any]:
        """For YAML and JSON: dicts, lists, numbers and text."""
        found = asdict(self)
        found["tested"] = list(self.tested)
        found["slices"] = [{**asdict(one), "halves": [asdict(half) for half in one.halves]} for one in self.slices]
        return found


def find(
    columns: pa.Table,
    ids: Sequence[str],
    loss: np.ndarray,
    weight: np.ndarray | None = None,
    cluster: Sequence[object] | np.ndarray | None = None,
    *,
    depth: int = 2,
    q: float = 0.05,
    seed: int = 0,
    device: str = "cpu",
    way: str = "all",
) -> Findings:
    """Weak slices of evaluated rows.

    `way="all"` searches and tests on all rows. A slice must be stronger than the strongest that chance makes (`chance`)
    or be rejected by Benjamini–Hochberg over all tested, at a share of q each; with clusters, or where that is too much
    to search that often, by the latter alone. Figures are of the rows that were searched: the luckiest of many slices
    come first, and their gaps are some points too large.
    `way="half"` searches one half and judges on the other, with Benjamini–Hochberg over the few that are left: figures
    are as they would be on new rows, at the price of half of the rows' power. `benchmarks/loop/search.py` measures what
    either finds, and by how much gaps are too large.

    Args:
        columns: (N, C) attributes: text, booleans, whole numbers, floats.
        ids: (N,) of the rows, each once.
        loss: (N,) float64: 0 and 1, or continuous, more is worse.
        weight: (N,) above 0, such as the words of a transcript.
        cluster: (N,) speaker, coil, tile or recording: its rows are not independent.
        depth: conditions of a slice at most, 1 to 3.
        q: the false discovery rate.
        seed: of the halves, the deals and the bootstrap.
        device: of the counting, "cpu" or a torch device.
        way: "all" or "half".

    Raises:
        SettingError: one line.
    """
    _check(columns, ids, loss, weight, cluster, q, way)
    order = np.argsort(np.asarray(ids, str), kind="stable")
    columns, loss = columns.take(pa.array(order)), np.asarray(loss, np.float64)[order]
    weight = None if weight is None else np.asarray(weight, np.float64)[order]
    own = None if cluster is None else codes(np.asarray(cluster, str)[order])
    halves = split([str(ids[at]) for at in order], own, seed)
    whole, losses = np.ones(len(loss), bool), Losses(loss, weight, device)
    searched, judged = (whole, whole) if way == "all" else (halves, ~halves)
    support = least_support(int(searched.sum()))
    rows = Rows(levels(columns, support), losses, support)
    part = rows if way == "all" else rows.part(searched)
    tested = search(part.levels, part.losses, depth, support)
    screened = significant(part, tested, q, depth, own, seed) if way == "all" else strong(part, tested)

    def holds(at: int, alive: np.ndarray) -> bool:
        if own is None or way == "half":
            return True
        return cluster_p(by_cluster(rows, screened.members[at], alive, own)) <= screened.limits[at]

    places = cover(part, screened.members, screened.limits, screened.later, holds)
    members = screened.members[places]
    found = confirm(members, rows, judged, q, own, seed)
    adjusted = screened.q[places] if way == "all" else found.q
    slices = _slices(rows, members, found, adjusted, halves)
    kept = [one for one in slices if one.q <= q and one.gap > 0]
    kept.sort(key=lambda one: (-one.recoverable, one.predicate))
    least = {"gap": GAP, "h": COHEN_H} if losses.binary else {"d": COHEN_D}
    whole_error = float(losses.totals[losses.of[2]] / losses.totals[losses.of[1]])
    thresholds = {"q": q, "support": support, **least}
    return Findings(tuple(kept), len(loss), whole_error, tested.tested, way, thresholds)


def _slices(rows: Rows, members: np.ndarray, found: Confirmed, q: np.ndarray, halves: np.ndarray) -> list[Slice]:
    of, total = found.evidence, found.totals[0]
    sides = [rows.sums(members, side) for side in (halves, ~halves)]
    two = [evidence(sums, totals, rows.losses.binary) for sums, totals in sides]
    named = {name: getattr(of, name) for name in ("share", "error", "reference", "gap", "effect")}
    named |= {"low": found.intervals[:, 0], "high": found.intervals[:, 1], "p": found.p, "q": q}
    named |= {"mdg": least_gap(of, total), "recoverable": recoverable(of.share, 1.0, of.error, of.reference)}
    slices = []
    for at, member in enumerate(members):
        both = [Half(int(half.rows[at]), float(half.error[at]), float(half.reference[at])) for half in two]
        figures = {name: float(values[at]) for name, values in named.items()}
        slices.append(Slice(rows.levels.predicate(member), int(of.rows[at]), **figures, halves=(both[0], both[1])))
    return slices


def _check(
    columns: pa.Table,
    ids: Sequence[str],
    loss: np.ndarray,
    weight: np.ndarray | None,
    cluster: Sequence[object] | np.ndarray | None,
    q: float,
    way: str,
) -> None:
    count = len(ids)
    for name, given in (("columns", columns), ("loss", loss), ("weight", weight), ("cluster", cluster)):
        if given is not None and len(given) != count:
            raise SettingError(f"{name}: {len(given)} rows for {count} ids: expected one for each")
    if len(set(ids)) != count:
        raise SettingError(f"ids: {count - len(set(ids))} given twice: expected each once")
    if not 0 < q < 1:
        raise SettingError(f"q: {q!r}: expected a rate between 0 and 1, such as q=0.05")
    if way not in WAYS:
        raise SettingError(f"way: {way!r}: expected one of {', '.join(WAYS)}{did_you_mean(way, WAYS)}")
