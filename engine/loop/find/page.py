"""The page of find: one file that opens anywhere, asks no server and runs no script."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

from sliceforge.engine import commit
from sliceforge.engine import report as report_folder
from sliceforge.engine.loop.find import pictured, worst
from sliceforge.engine.loop.find.found import DRIFT, Found
from sliceforge.engine.loop.find.listed import LOSSES, cells, headline, least, points, share
from sliceforge.engine.loop.rows.conditions import in_words
from sliceforge.engine.loop.rows.slices import WeakSlice
from sliceforge.engine.report.markup import count, grouped, number, table, text

OWN = """
.plot .interval { stroke: var(--bar); stroke-width: 5; stroke-linecap: round; }
.plot .interval.bad { stroke: var(--bad); }
.plot .mean { fill: var(--bar); stroke: var(--card); stroke-width: 1.5; }
.plot .mean.bad { fill: var(--bad); }
.plot .bar.bad { fill-opacity: 0.55; }
.plot .outline { stroke: var(--bar); stroke-width: 2; }
.plot .outline.training { stroke: var(--good); stroke-dasharray: 5 3; }
.key { margin-right: 1.1em; white-space: nowrap; }
.key.rest::before, .key.training::before { content: ""; display: inline-block; width: 1.2em;
  border-top: 2px solid var(--bar); vertical-align: 0.3em; margin-right: 0.35em; }
.key.training::before { border-top: 2px dashed var(--good); }
.cause { display: inline-block; border: 1px solid var(--edge); border-radius: 1em; padding: 0 0.7em;
  font-size: 0.85rem; font-weight: 600; }
.why { margin: 0.4rem 0 1rem; padding-left: 1.2rem; font-size: 0.95rem; }
.plotted figcaption { font-size: 0.85rem; color: var(--faint); margin-top: 0.3rem; }
.time { cursor: default; }
"""

CAUSES = {
    "nuisance": "nuisance: training has nothing like it",
    "scarcity": "scarcity: training has too few",
    "labels": "labels: fix them first",
    "neither": "neither: collect or relabel",
}


def write(found: Found) -> Path:
    """Write the page beside slices.yaml; the same findings give the same bytes."""
    with commit.committed(found.page) as file:
        file.write(page(found).encode("utf-8", "backslashreplace"))
    return found.page


def page(found: Found) -> str:
    """The page's HTML."""
    style = (Path(report_folder.__path__[0]) / "page.css").read_text("utf-8") + OWN
    hashed = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; img-src data:; media-src data:; style-src 'sha256-{hashed}'"
    title = "Drifted slices" if found.kind == DRIFT else "Weak slices"
    sections, spent = [], 0
    for at in range(len(found.slices)):
        section = _section(found, at, spent)
        spent += len(section)
        sections.append(section)
    body = [_ranked(found), *sections, _labels(found), _drift(found), _made_with(found)]
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{text(policy)}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<link rel="icon" href="data:,">\n<title>{title} · Sliceforge</title>\n<style>{style}</style>\n</head>\n'
        f'<body data-kind="{found.rows.kind or "image"}" data-view="made" data-over="on">\n'
        '<a class="skip" href="#main">Skip to the slices</a>\n<header>\n'
        '<div class="bar-top"><p class="brand">Sliceforge <span>find</span></p></div>\n'
        f'<h1>{title}</h1>\n<p class="verdict">{text(headline(found))}</p>\n{_facts(found)}\n</header>\n'
        f'<main id="main" tabindex="-1">\n{"".join(body)}</main>\n</body>\n</html>\n'
    )


def _facts(found: Found) -> str:
    of = found.findings
    won = sum(one.recoverable for one in of.slices)
    rows = [
        ("rows", grouped(of.rows), f"{len(found.rows.table.column_names) - 1} columns"),
        (LOSSES[found.kind], share(of.error, found.kind), "of all rows"),
        ("slices", str(len(of.slices)), f"{grouped(sum(of.tested))} tested"),
    ]
    if found.kind != DRIFT:
        rows.append(("to be won", points(won, found.kind), "points, if each became as good as the rest"))
    cells = "".join(
        f'<div class="fact"><dt>{text(title)}</dt><dd>{text(value)}<small>{text(more)}</small></dd></div>'
        for title, value, more in rows
    )
    return f'<dl class="facts">{cells}</dl>'


def _ranked(found: Found) -> str:
    drifted = found.kind == DRIFT
    if not found.slices:
        return f'<section id="ranked"><h2>Nothing found</h2><p>{text(least(found))}.</p></section>'
    titles = ("slice", "#rows", "#production" if drifted else "#error", "#rest", "#gap [95 %]", "#q", "#detectable gap")
    rows = []
    for at, one in enumerate(found.slices):
        first, *rest = map(text, cells(found, at))
        rows.append((f'<a href="#{one.name}">{first}</a>', *rest, text(one.cause)))
    head = (*titles, "#excess" if drifted else "#recoverable", "cause")
    question = "Where is production unlike the evaluated rows?" if drifted else "Where is the model weak?"
    return f'<section id="ranked"><h2>{question}</h2>{table(head, rows, "Slices")}</section>'


def _section(found: Found, at: int, spent: int) -> str:
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
    if cards := worst.cards(found, one, spent):
        parts.append(f"<h3>Its worst items</h3>{cards}")
    return "\n".join([*parts, "</section>\n"])


def _plots(found: Found, at: int) -> str:
    one: WeakSlice = found.slices[at]
    keys = '<span class="key bad">slice</span><span class="key rest">rest</span>'
    shown = [(pictured.errors(found, at), f"{keys} with 95 % intervals, rows taken as independent")]
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


def _drift(found: Found) -> str:
    if found.drift is None:
        return ""
    rows = [
        (
            text(one.column),
            one.test,
            *map(number, (one.statistic, one.p, one.adjusted, one.psi)),
            "yes" if one.alarm else "no",
        )
        for one in found.drift.columns
    ]
    head = ("column", "test", "#statistic", "#p", "#adjusted p", "#PSI", "drifted")
    sizes = f"{grouped(found.drift.reference)} evaluated rows against {grouped(found.drift.production)} of production"
    return (
        f'<section id="drift"><h2>Column by column <small>{sizes}</small></h2>{table(head, rows, "Drift")}</section>\n'
    )


def _made_with(found: Found) -> str:
    of = found.findings
    rows = [(text(key), text(value)) for key, value in of.thresholds.items()]
    rows += [
        (f"tested with {n} condition{'s' * (n > 1)}", grouped(tested))
        for n, tested in enumerate(of.tested, 1)
        if tested
    ]
    rows.append(("judged on", "the half that was not searched" if of.way == "half" else "the rows that were searched"))
    return f'<section id="made-with"><h2>How it was judged</h2>{table(("what", "#"), rows, "Thresholds")}</section>\n'
