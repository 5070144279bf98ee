"""LOOP/index.html: the whole story of a loop on one page that opens offline."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from sliceforge.engine.loop import charts
from sliceforge.engine.loop.allocate import budget as budgets
from sliceforge.engine.loop.allocate import plots, subsets
from sliceforge.engine.loop.operations import CHOSEN
from sliceforge.engine.loop.rows import slices
from sliceforge.engine.loop.rows.conditions import in_words
from sliceforge.engine.loop.splits import PARTS
from sliceforge.engine.loop.steps import Done, found, place
from sliceforge.engine.loop.tried import tried
from sliceforge.engine.loop.verify.gains import gains
from sliceforge.engine.report import shell
from sliceforge.engine.report.markup import chance, count, grouped, name, points, table, text
from sliceforge.engine.report.shell import Todo

if TYPE_CHECKING:
    from sliceforge.engine.loop.loop import Loop

TITLES = {
    "baseline": "What the data teach as they are",
    "find": "Where the model is weak",
    "diagnose": "Why",
    "trial": "What was tried for each slice",
    "allocate": "What each slice got",
    "verify": "Did it help, and harm nothing?",
}


def write(own: Loop, sentence: str) -> Path:
    """Write the page of what there is so far.

    Args:
        own: the loop.
        sentence: how it ended.
    """
    told = {step: found(place(own.home, step)) for step in TITLES}
    parts = [_rows(own)]
    for step, section in (
        ("baseline", _baseline),
        ("find", _found),
        ("diagnose", _why),
        ("trial", lambda _, done: tried(done)),
        ("allocate", _allocated),
        ("verify", _verified),
    ):
        done = told[step]
        if done is not None:
            parts.append(f'<section id="{step}"><h2>{text(TITLES[step])}</h2>{section(own, done)}</section>')
    links = [(step, title) for step, title in TITLES.items() if told[step] is not None]
    menu = "".join(f'<a href="#{step}">{text(title)}</a> ' for step, title in links)
    body = f'<nav aria-label="Sections">{menu}</nav>{"".join(parts)}'
    said = _within(own, sentence)
    html = shell.page("loop", "Loop", f"{said[:1].upper()}{said[1:]}.", _todo(own, told), body)
    return shell.write(own.home / "index.html", html)


def _within(own: Loop, said: str) -> str:
    """A page is passed on: places on it are those within the loop's folder."""
    return said.replace(f"{own.home}/", "")


def _todo(own: Loop, told: Mapping[str, Done | None]) -> Todo:
    diagnosed, tried = told["diagnose"], told["trial"]
    last = found(place(own.home, "verify", again=True)) or told["verify"]
    if last is not None and last["decision"] == "accept":
        return Todo(f"Train on {_within(own, last['train'])} from now on.")
    if last is not None:
        return Todo("Keep the training set as it was.")
    if diagnosed is not None and diagnosed["labels"]:
        return Todo(
            "Look at the items of relabel.csv, the most doubtful first, correct their labels, and run it again."
        )
    if tried is not None:
        return Todo("Keep the training set as it is: no operation beat doing nothing.")
    return Todo("Keep the training set as it is; what is weak without a cause that data mend is told below.")


def _rows(own: Loop) -> str:
    counts = [f"{grouped(int((own.ground.part == part).sum()))} {part}" for part in PARTS]
    items = f"{count(len(own.ground.train.table), 'training item')}, {count(len(own.ground.ids), 'evaluation row')}"
    by = f", told apart by {own.asked.cluster}" if own.asked.cluster else ""
    command = f"<p><code>{text(own.asked.train)}</code></p>"
    return f"{command}<p>{text(items)}: {text(', '.join(counts))}{text(by)}. No row is in two of these.</p>"


def _baseline(own: Loop, done: Done) -> str:
    errors = ", ".join(f"{100 * one:.1f}" for one in done["errors"])
    seeds = count(len(done["errors"]), "training" if not own.asked.predictions else "model")
    return f"<p>{seeds}; loss on all evaluation rows, in points: {errors}.</p>"


def _found(own: Loop, done: Done) -> str:
    weak = _weak(own)
    if not weak:
        return f"<p>No slice of {grouped(done['rows'])} rows is shown to be worse than the rest.</p>"
    lines = []
    for one in weak:
        ends = f"{100 * one.interval[0]:.1f} to {100 * one.interval[1]:.1f}" if one.interval else "–"
        figures = (one.rows, points(one.error), points(one.reference), points(one.gap), ends, _chance(one.q))
        lines.append((name(_words(own, one.where)), *map(text, figures), points(one.recoverable)))
    head = ("slice", "#rows", "#loss", "#of the rest", "#gap", "#95 %", "#q", "#to win")
    drawn = charts.gaps([(_words(own, one.where), one.error or 0.0, one.reference or 0.0) for one in weak])
    link = '<p><a href="3_diagnose/slices.html">Every slice with its plots and its worst items</a></p>'
    return f"{drawn}{table(head, lines, 'Weak slices, in points')}{link}"


def _why(own: Loop, done: Done) -> str:
    parts = [f"<p>Labels: {text(line)}.</p>" for line in done["gate"]]
    for one in _weak(own):
        lines = "".join(f"<li>{text(line)}</li>" for line in one.evidence)
        parts.append(f"<h3>{name(_words(own, one.where))} <small>{text(one.cause)}</small></h3><ul>{lines}</ul>")
    if done["labels"]:
        parts.append("<p>What to label again, the most doubtful first: <code>relabel.csv</code>.</p>")
    return "".join(parts)


def _allocated(own: Loop, done: Done) -> str:
    orders = budgets.read(place(own.home, "trial") / CHOSEN).slices
    rows = []
    for order in orders:
        items = done["items"].get(order.name, 0)
        settings = " ".join(order.overrides)
        rows.append((name(order.name), text(order.operation), text(order.recipe), grouped(items), name(settings)))
    head = ("slice", "operation", "recipe", "#items", "settings that follow the slice")
    notes = [f"<li>{name(order.name)}: {text(note)}</li>" for order in orders for note in order.notes]
    link = '<p><a href="5_allocate/budget.html">Curves, and what the next thousand items would buy</a></p>'
    return f"{table(head, rows, 'What each slice got')}<ul>{''.join(notes)}</ul>{_curves(own, done)}{link}"


def _curves(own: Loop, done: Done) -> str:
    """Each slice's losses on smaller training sets, where it was asked for them."""
    path = place(own.home, "allocate") / "curves.csv"
    if not path.exists():
        return ""
    drawn = []
    fits, points = subsets.curves(str(path), list(done["own"]))
    for weak, fit in fits.items():
        here, (sizes, losses) = done["own"][weak], points[weak]
        drawn.append(plots.figure(weak, fit, sizes, losses, here, here + done["items"].get(weak, 0)))
    hint = f'<p class="hint">{text(plots.EXPLAINED)}</p>'
    return f'<div class="plots">{"".join(drawn)}</div>{hint}'


def _verified(own: Loop, done: Done) -> str:
    parts = [_verdict(done)]
    again = found(place(own.home, "verify", again=True))
    if again is not None:
        parts.append(f"<h3>With half of the budget</h3>{_verdict(again)}")
    return "".join(parts)


def _verdict(done: Done) -> str:
    verdict = done["verdict"]
    rows, cells = [], []
    for one in verdict["changes"]:
        low, high = (float("nan") if one[end] is None else 100 * one[end] for end in ("low", "high"))
        rows.append((one["slice"], 100 * one["gain"], low, high, one["says"]))
        ends = "too few rows" if one["low"] is None else f"{low:.1f} to {high:.1f}"
        figures = (one["rows"], points(one["before"]), points(one["after"]), points(one["gain"]))
        cells.append(
            (name(one["slice"]), *map(text, figures), ends, f"{one['more']}/{one['fewer']}", text(one["says"]))
        )
    head = ("slice", "#rows", "#before", "#after", "#gain", "#95 %", "#gained/lost", "")
    drawn = gains(rows, 100 * verdict["margin"], done["reason"])
    seeds = " and ".join(map(str, verdict["seeds"]))
    said = f"<p><strong>{text(verdict['decision'])}</strong>: {text(verdict['reason'])}.</p>"
    tail = f'<p class="hint">Rows that report alone; {seeds} trainings before and after; in points of the loss.</p>'
    return f"{said}{drawn}{table(head, cells, 'Every slice before and after')}{tail}"


def _weak(own: Loop) -> list[slices.WeakSlice]:
    folder = place(own.home, "diagnose")
    return slices.read((folder if found(folder) is not None else place(own.home, "find")) / "slices.yaml")


def _words(own: Loop, where: str) -> str:
    return in_words(where, own.ground.rows.units)


def _chance(value: float | None) -> str:
    return "–" if value is None else chance(value)
