"""The page of find: one file that opens anywhere, asks no server and runs no script."""

from __future__ import annotations

from sliceforge.engine.loop.find import pictured, worst
from sliceforge.engine.loop.find.advice import advice
from sliceforge.engine.loop.find.found import DRIFT, Found
from sliceforge.engine.loop.find.listed import (
    CLUSTERS,
    DRIFTS,
    LOSSES,
    cells,
    drifts,
    headline,
    least,
    points,
    share,
    told,
)
from sliceforge.engine.loop.rows.conditions import in_words
from sliceforge.engine.loop.rows.slices import WeakSlice
from sliceforge.engine.report import shell
from sliceforge.engine.report.markup import count, grouped, number, pairs, table, text

CAUSES = {
    "nuisance": "nuisance: training has nothing like it",
    "scarcity": "scarcity: training has too few",
    "labels": "labels: fix them first",
    "neither": "neither: collect or relabel",
}


JUDGED = {
    "q": "false slices among those found, at most (q)",
    "support": "rows of a slice, at least",
    "gap": "gap to the rest, at least",
    "h": "effect size, Cohen's h, at least",
}
"""Threshold → what it is."""

SEARCHED = "the rows that were searched, so that gaps come out somewhat too large; way=half judges on others"

WEAK = (
    "Gap: the error less that of the rest, in points. Least gap: what a test on so many rows finds in four of five "
    "cases. q: the share of false slices that has to be put up with to find this one. To win: by how much the error on "
    "all rows falls if the slice becomes as good as the rest."
)
DRIFTED = (
    "Production: its share of the slice's rows. Gap: that less its share of the rest, in points. Least gap: what a "
    "test on so many rows finds in four of five cases. q: the share of false slices that has to be put up with to find "
    "this one. Excess: rows of production that are in the slice for no other reason, in points of all rows."
)


def page(found: Found) -> str:
    """The page's HTML; the same findings give the same bytes."""
    title = "Drifted slices" if found.kind == DRIFT else "Weak slices"
    sections = [_section(found, at) for at in range(len(found.slices))]
    body = "".join([_ranked(found), *sections, _clusters(found), _labels(found), _drift(found), _judged(found)])
    kind = (found.production or found.rows).kind
    return shell.page("find", title, f"{headline(found)}.", advice(found, found.out.name), body, _facts(found), kind)


def _facts(found: Found) -> str:
    of = found.findings
    won = sum(one.recoverable for one in of.slices)
    drifted = found.kind == DRIFT
    rows = [
        ("rows", grouped(of.rows), f"{len(found.rows.table.column_names) - 1} columns"),
        (LOSSES[found.kind], share(of.error, found.kind), "of all rows"),
        ("slices", str(len(of.slices)), f"{grouped(sum(of.tested))} tested"),
    ]
    if found.drift:
        rows.append(("columns that drifted", str(len(found.drift.alarms)), f"of {len(found.drift.columns)}"))
    if not drifted:
        rows.append(("to win", points(won, found.kind), "points, if each became as good as the rest"))
    return shell.facts(rows)


def _ranked(found: Found) -> str:
    drifted = found.kind == DRIFT
    if not found.slices:
        return f'<section id="ranked"><h2>Nothing found</h2><p>{text(least(found))}.</p></section>\n'
    titles = ("slice", "#rows", "#production" if drifted else "#error", "#rest", "#gap [95 %]", "#least gap", "#q")
    rows = []
    for at, one in enumerate(found.slices):
        first, *rest = map(text, cells(found, at))
        rows.append((f'{at + 1}. <a href="#{one.name}">{first}</a>', *rest, *([] if drifted else [text(one.cause)])))
    head = (*titles, *(("#excess",) if drifted else ("#to win", "cause")))
    question = "Where is production unlike the evaluated rows?" if drifted else "Where is the model weak?"
    hint = f'<p class="hint">{text(DRIFTED if drifted else WEAK)}</p>'
    return f'<section id="ranked"><h2>{question}</h2>{table(head, rows, "Slices")}{hint}</section>\n'


def _section(found: Found, at: int) -> str:
    one = found.slices[at]
    words = in_words(one.where, found.rows.units)
    cause = f'<p><span class="cause">{CAUSES[one.cause]}</span></p>' if one.cause else ""
    why = "".join(f"<li>{text(line)}</li>" for line in one.evidence)
    parts = [
        f'<section id="{one.name}" aria-labelledby="{one.name}-title">',
        f'<h2 id="{one.name}-title">{at + 1}. {text(words)} <small>{count(one.rows or 0, "row")}</small></h2>',
        f"{cause}<p><code>{text(one.where)}</code></p>" + (f'<ul class="why">{why}</ul>' if why else ""),
        f'<div class="plots">{_plots(found, at)}</div>',
    ]
    if cards := worst.cards(found, one):
        parts.append(f"<h3>{'Some of production in it' if found.kind == DRIFT else 'Its worst items'}</h3>{cards}")
    return "\n".join([*parts, "</section>\n"])


def _plots(found: Found, at: int) -> str:
    one: WeakSlice = found.slices[at]
    keys = '<span class="key bad">slice</span><span class="key rest">rest</span>'
    errors = "share of production" if found.kind == DRIFT else LOSSES[found.kind]
    said = f"{keys} {text(errors)} on all rows and on either half, with 95 % intervals that take rows as independent"
    shown = [(pictured.errors(found, at), said)]
    for name in pictured.shown(found, one):
        plot, told = pictured.histograms(found, one, name)
        more = '<span class="key training">training</span>' if found.train and name in found.train.attributes else ""
        shown.append((plot, f"{keys}{more} {text(told)}"))
    return "".join(f'<figure class="plotted">{plot}<figcaption>{said}</figcaption></figure>' for plot, said in shown)


def _labels(found: Found) -> str:
    whole, queue = found.doubts.whole, found.queue
    if whole is None or queue is None:
        return ""
    lines = "".join(f"<li>{text(line)}</li>" for line in whole.lines)
    rows = [
        (text(row["id"]), text(row["label"]), text(row["proposed"]), number(row["doubt"]), text(row["reason"]))
        for row in queue.slice(0, 20).to_pylist()
    ]
    told = table(("item", "label", "seems to be", "#doubt", "why"), rows, "Doubted labels") if rows else ""
    more = f"<p>{count(len(queue), 'item')} to look at, in relabel.csv.</p>" if rows else ""
    return f'<section id="labels"><h2>Are labels right?</h2><ul class="why">{lines}</ul>{told}{more}</section>\n'


def _clusters(found: Found) -> str:
    if not found.clusters:
        return ""
    rows = [tuple(map(text, told(one, found))) for one in found.clusters]
    hint = (
        "Rows that lie together in the embedding. In common: rows of the cluster and of the rule, over rows of either. "
        "A cluster that no rule comes near to has something in common that no column says."
    )
    shown = f'{table(CLUSTERS, rows, "Weak clusters")}<p class="hint">{hint}</p>'
    return f'<section id="clusters"><h2>Weak clusters of the embedding</h2>{shown}</section>\n'


def _drift(found: Found) -> str:
    if found.drift is None:
        return ""
    rows = [tuple(map(text, drifts(one))) for one in found.drift.columns]
    sizes = f"{grouped(found.drift.reference)} evaluated rows against {grouped(found.drift.production)} of production"
    hint = (
        "Drifted: adjusted p, after Benjamini and Hochberg over all columns, is at most 0.05. PSI, the population "
        "stability index, is read as small below 0.1 and large from 0.25."
    )
    shown = f'{table(DRIFTS, rows, "Drift")}<p class="hint">{hint}</p>'
    return f'<section id="drift"><h2>Column by column <small>{sizes}</small></h2>{shown}</section>\n'


def _judged(found: Found) -> str:
    of = found.findings
    rows = [(text(JUDGED.get(key, key)), text(value)) for key, value in of.thresholds.items()]
    rows += [
        (f"tested with {count(n, 'condition')}", grouped(tested)) for n, tested in enumerate(of.tested, 1) if tested
    ]
    rows.append(("judged on", "the half that was not searched" if of.way == "half" else SEARCHED))
    return f'<section id="judged"><h2>How it was judged</h2>{pairs(rows)}</section>\n'
