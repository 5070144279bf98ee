"""What `find` says at a terminal: what to do, a ranked table, and why each slice is weak."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from sliceforge.engine.loop.find.advice import advice
from sliceforge.engine.loop.find.clustered import Cluster
from sliceforge.engine.loop.find.drift import Drifted
from sliceforge.engine.loop.find.found import DRIFT, Found
from sliceforge.engine.loop.find.statistics import detectable
from sliceforge.engine.loop.rows.conditions import in_words
from sliceforge.engine.report.markup import chance, count, grouped, number
from sliceforge.engine.texts import Row, ranked

LOSSES = {"wrong": "errors", "words": "word errors", "iou": "1 − IoU", "loss": "loss", DRIFT: "share of production"}
SHARE = 0.1
"""Of the rows: the size of the slice for which the least gap is told where nothing was found."""


def printed(found: Found) -> None:
    """Print what was found to standard output."""
    print(headline(found))
    if found.slices:
        print(_ranked(found))
    else:
        print(least(found))
    whole = found.doubts.whole.lines if found.doubts.whole else ()
    for at, one in enumerate(found.slices, 1):
        for line in one.evidence:
            if line not in whole:
                print(f"{at}. {one.cause or 'evidence'}: {line}")
    for line in whole:
        print(f"labels: {line}")
    if found.drift:
        print(_drift(found))
    if found.clusters is not None:
        print(clustered(found.clusters))
    if found.clusters:
        print(ranked(CLUSTERS, [told(one, found) for one in found.clusters]))
    print(f"next: {advice(found, str(found.out)).plain()}")
    places = [found.out, found.page, *([found.queued] if found.queue is not None else [])]
    print(", ".join(map(str, places)))


def headline(found: Found) -> str:
    """How many rows, their error, how many slices, of how many that were tested."""
    of = found.findings
    drifted = found.kind == DRIFT
    if drifted:
        production = round(of.error * of.rows)
        rows = f"{grouped(of.rows - production)} evaluated rows and {grouped(production)} of production"
    else:
        rows = f"{count(of.rows, 'row')}, {share(of.error, found.kind)} {LOSSES[found.kind]}"
    kind = "drifted" if drifted else "weak"
    many = f"{len(found.slices) or 'no'} {kind} slice{'' if len(found.slices) == 1 else 's'}"
    where = "one half" if of.way == "half" else "all rows"
    return f"{rows}; {many} ({grouped(sum(of.tested))} tested on {where}, q {of.thresholds['q']})"


def least(found: Found) -> str:
    """That nothing was found, and how large a gap would have been."""
    of = found.findings
    singles = max(of.tested[0], 1)
    depth = sum(count > 0 for count in of.tested) or 1
    alpha = of.thresholds["q"] / depth / singles
    deviation = float(found.loss.std())
    sizes = [size for size in (int(of.thresholds["support"]), math.ceil(SHARE * of.rows)) if size < of.rows]
    gaps = detectable(deviation, np.array(sizes, np.float64), of.rows, alpha)
    said = [
        f"{grouped(size)} rows a gap of {share(gap, found.kind)}"
        for size, gap in zip(sizes, gaps.tolist(), strict=True)
        if gap < 1 or found.kind in ("loss", "words")
    ]
    known = f"with 80 % power a slice of one condition needs at {' and at '.join(said)}" if said else ""
    return f"no slice is worse than the rest; {known or 'these rows are too few to find one'}"


def share(value: float, kind: str) -> str:
    """A mean loss as it is read: in percent, but for a loss that has no such unit."""
    return number(value) if kind == "loss" else f"{100 * value:.1f} %"


def points(value: float, kind: str) -> str:
    """A difference of mean losses, in points of percent but for a loss that has no such unit."""
    if kind != "loss":
        return f"{100 * value:+.1f}"
    return f"{'-' if value < 0 else '+'}{number(abs(value))}"


def _ranked(found: Found) -> str:
    drifted = found.kind == DRIFT
    figures = ("#rows", "#production" if drifted else "#error", "#rest", "#gap [95 %]")
    rows: list[Row] = []
    for at, one in enumerate(found.slices):
        words, *cells_ = cells(found, at)
        rows.append((f"{at + 1}. {words}", *cells_, *([] if drifted else [one.cause or "–"])))
    last = ("#excess",) if drifted else ("#to win", "cause")
    return ranked(("slice", *figures, "#least", "#q", *last), rows)


def cells(found: Found, at: int) -> tuple[str, ...]:
    """The figures of a slice: in words, rows, error, rest, gap with its interval, least gap, q, what is to be won."""
    of, kind = found.findings.slices[at], found.kind
    return (
        in_words(of.predicate, found.rows.units),
        grouped(of.rows),
        share(of.error, kind),
        share(of.reference, kind),
        f"{points(of.gap, kind)} [{points(of.low, kind)}, {points(of.high, kind)}]",
        points(of.mdg, kind).lstrip("+"),
        chance(of.q),
        points(of.recoverable, kind),
    )


CLUSTERS = ("nearest rule", "#in common", "#rows", "#error", "#rest", "#q")
"""What `told` says."""


def told(one: Cluster, found: Found) -> Row:
    """A weak cluster in words and figures."""
    rule = in_words(one.rule, found.rows.units) if one.rule else "none"
    errors = (share(one.error, found.kind), share(one.reference, found.kind))
    return (rule, f"{100 * one.shared:.0f} %", grouped(one.rows), *errors, chance(one.q))


def clustered(clusters: Sequence[Cluster]) -> str:
    """How many clusters are weak, in a sentence."""
    if not clusters:
        return "embedding: no cluster is worse than the rest"
    return f"embedding: {count(len(clusters), 'cluster')} worse than the rest; a rule with little in common: look at it"


def drifts(one: Drifted) -> Row:
    """A column's test in words and figures."""
    tests = {"ks": "Kolmogorov–Smirnov", "chi2": "chi-square"}
    figures = (number(one.statistic), chance(one.p), chance(one.adjusted), f"{one.psi:.2f}")
    return (one.column, tests[one.test], *figures, "yes" if one.alarm else "no")


DRIFTS = ("column", "test", "#statistic", "#p", "#adjusted p", "#PSI", "drifted")
"""What `drifts` says."""


def _drift(found: Found) -> str:
    assert found.drift is not None
    return ranked(DRIFTS, [drifts(one) for one in found.drift.columns])
