"""What `find` says at a terminal: a ranked table, and why each slice is weak."""

from __future__ import annotations

import math
import sys

import numpy as np

from sliceforge.engine.loop.find.found import DRIFT, Found
from sliceforge.engine.loop.find.statistics import detectable
from sliceforge.engine.loop.rows.conditions import in_words
from sliceforge.engine.report.markup import grouped, number

WIDTH = 140
"""Characters of a line where nobody looks at a terminal."""

LOSSES = {"wrong": "errors", "words": "word errors", "iou": "1 − IoU", "loss": "loss", DRIFT: "share of production"}
SHARE = 0.1
"""Of the rows: the size of the slice for which the least gap is told where nothing was found."""


def printed(found: Found) -> None:
    """Print what was found to standard output."""
    from rich.console import Console

    console = Console(width=None if sys.stdout.isatty() else WIDTH, highlight=False, markup=False, emoji=False)
    console.print(headline(found), soft_wrap=True)
    if found.slices:
        console.print(_table(found))
        for at, one in enumerate(found.slices, 1):
            for line in one.evidence:
                console.print(f"{at}. {one.cause or 'evidence'}: {line}", soft_wrap=True)
    else:
        console.print(least(found), soft_wrap=True)
    for line in found.doubts.whole.lines if found.doubts.whole else ():
        console.print(f"labels: {line}", soft_wrap=True)
    if found.drift:
        console.print(_drift(found))
    places = [found.out, found.page, *([found.queued] if found.queue is not None else [])]
    console.print(", ".join(map(str, places)), soft_wrap=True)


def headline(found: Found) -> str:
    """How many rows, their error, how many slices, of how many that were tested."""
    of = found.findings
    kind = {DRIFT: "drifted"}.get(found.kind, "weak")
    many = f"{len(found.slices) or 'no'} {kind} slice{'' if len(found.slices) == 1 else 's'}"
    tested = (
        f"{grouped(sum(of.tested))} tested on {'one half' if of.way == 'half' else 'all rows'}, q {of.thresholds['q']}"
    )
    return f"{grouped(of.rows)} rows, {share(of.error, found.kind)} {LOSSES[found.kind]}; {many} ({tested})"


def least(found: Found) -> str:
    """That nothing was found, and how large a gap would have been."""
    of = found.findings
    singles = max(of.tested[0], 1)
    depth = sum(count > 0 for count in of.tested) or 1
    alpha = of.thresholds["q"] / depth / singles
    deviation = float(found.loss.std())
    sizes = [int(of.thresholds["support"]), math.ceil(SHARE * of.rows)]
    gaps = detectable(deviation, np.array(sizes, np.float64), of.rows, alpha)
    said = [
        f"{grouped(size)} rows a gap of {share(gap, found.kind)}"
        for size, gap in zip(sizes, gaps.tolist(), strict=True)
        if size < of.rows and (gap < 1 or found.kind in ("loss", "words"))
    ]
    known = f"with 80 % power a slice of one condition needs at {' and at '.join(said)}" if said else ""
    return f"no slice is worse than the rest; {known or 'these rows are too few to find one'}"


def share(value: float, kind: str) -> str:
    """A mean loss as it is read: in percent, but for a loss that has no such unit."""
    return number(value) if kind == "loss" else f"{100 * value:.1f} %"


def points(value: float, kind: str) -> str:
    """A difference of mean losses, in points of percent but for a loss that has no such unit."""
    return f"{value:+.3g}" if kind == "loss" else f"{100 * value:+.1f}"


def _table(found: Found) -> object:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    drifted = found.kind == DRIFT
    titles = ("slice", "rows", "production" if drifted else "error", "rest", "gap [95 %]", "q", "detectable")
    table = Table("#", *titles, "excess" if drifted else "recoverable", "cause", box=SIMPLE_HEAD, pad_edge=False)
    for column in table.columns[2:-1]:
        column.justify = "right"
        column.no_wrap = True
    for at, one in enumerate(found.slices, 1):
        table.add_row(*map(Text, (str(at), *cells(found, at - 1), one.cause or "–")))
    return table


def cells(found: Found, at: int) -> tuple[str, ...]:
    """The figures of a slice: in words, rows, error, rest, gap with its interval, q, least gap, what is to be won."""
    of, kind = found.findings.slices[at], found.kind
    return (
        in_words(of.predicate, found.rows.units),
        grouped(of.rows),
        share(of.error, kind),
        share(of.reference, kind),
        f"{points(of.gap, kind)} [{points(of.low, kind)}, {points(of.high, kind)}]",
        f"{of.q:.1g}",
        points(of.mdg, kind).lstrip("+"),
        points(of.recoverable, kind),
    )


def _drift(found: Found) -> object:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    assert found.drift is not None
    table = Table("column", "test", "statistic", "p", "adjusted p", "PSI", "drifted", box=SIMPLE_HEAD, pad_edge=False)
    for one in found.drift.columns:
        figures = (number(one.statistic), f"{one.p:.1g}", f"{one.adjusted:.1g}", number(one.psi))
        table.add_row(*map(Text, (one.column, one.test, *figures, "yes" if one.alarm else "no")))
    return table
