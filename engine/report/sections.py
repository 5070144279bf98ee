"""The parts of a run's page, in the order in which somebody who looks for errors asks."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sliceforge.engine.distribution import Distribution
from sliceforge.engine.report import figures, shell
from sliceforge.engine.report.markup import count, grouped, name, number, table, text
from sliceforge.engine.report.told import Told
from sliceforge.engine.step import Step

FEW = 12
"""Rows of a table of counts; what is left is told in one more."""

REJECTS = 20
"""Rejected items that are named for each reason."""


def facts(told: Told) -> str:
    """The few numbers that say whether the run is what was wanted."""
    made, bad = len(told.made), len(told.rejected)
    first = int(told.passed.sum())
    rows = [("accepted", grouped(made), f"of {count(made + bad, 'planned item')}")]
    rows.append(("yield", f"{made / max(made + bad, 1):.1%}", f"{first / max(made + bad, 1):.0%} at the first draw"))
    rows.append(("rejected", grouped(bad), "see why" if bad else "none"))
    banks = [row for row in told.coverage() if row["part"] == "bank"]
    if banks:
        used, there = sum(row["used"] for row in banks), sum(row["items"] for row in banks)
        rows.append(("bank items used", f"{used / max(there, 1):.0%}", f"{grouped(used)} of {grouped(there)}"))
    if "near.distance" in told.made.column_names:
        near = len(told.made) - told.made["near.distance"].null_count
        rows.append(("with a near neighbour", grouped(near), "among the made items"))
    if told.auc:
        low, high = (number(float(told.auc.get(end) or 0)) for end in ("low", "high"))
        rows.append(("AUC, real against made", number(float(told.auc.get("auc") or 0)), f"95 %: {low} to {high}"))
    return shell.facts(rows)


def gates(told: Told) -> str:
    """Every pair of asked and got: as points where each item asked for its own, as a histogram over one limit."""
    shown = "".join(f'<figure class="plotted">{one}</figure>' for one in _gates(told))
    return f'<div class="plots">{shown}</div>' if shown else "<p>The recipe has no gate.</p>"


def _gates(told: Told) -> Iterator[str]:
    for gate, asked, got, good in told.gates():
        head = f"<strong>{text(gate)}</strong>"
        if not len(asked):
            yield f"<figcaption>{head} no item was measured</figcaption>"
            continue
        tolerance, share, unit = _tolerance(told, gate)
        tail = f" {unit}" if unit else ""
        if asked.min() == asked.max():
            words = f"{gate}: got {number(got.min())} to {number(got.max())}, asked {number(asked[0])}"
            plot = figures.histogram(got[good], got[~good], (words, f"got{', ' + unit if unit else ''}"), mark=asked[0])
            line = f"asked {number(float(asked[0]))}{tail} of every item; got {number(float(np.median(got)))} as median"
        else:
            miss = np.abs(got - asked)
            allowed = f"; {number(tolerance)}{tail} allowed" if tolerance else f"; {share:.0%} allowed" if share else ""
            line = f"off by {number(float(np.median(miss[good])) if good.any() else 0.0)}{tail} as median, "
            line += f"{number(float(miss[good].max()) if good.any() else 0.0)}{tail} at most{allowed}"
            plot = figures.scatter(asked, got, good, (tolerance, share), (f"{gate}: {line}", unit))
        bad = f"; {count(int((~good).sum()), 'rejected item')}" if not good.all() else ""
        yield f"{plot}<figcaption>{head} {text(line + bad)}, {count(len(asked), 'item')}</figcaption>"


def _tolerance(told: Told, gate: str) -> tuple[float, float, str]:
    """(tolerance, that as a share of what was asked, unit) of a gate, from its own setting of that name."""
    own = told.recipe.gates.get(gate)
    found = [one for one in dataclasses.fields(own) if one.name == "tolerance"] if own is not None else []
    if not found:
        return 0.0, 0.0, ""
    unit, value = str(found[0].metadata.get("unit", "")), float(getattr(own, "tolerance", 0.0))
    return (0.0, value, "") if unit.startswith("of ") else (value, 0.0, unit)


def rejects(told: Told) -> str:
    """Why items were rejected, of which label, and some by name."""
    if not len(told.rejected):
        return f"<p>Nothing was rejected: all {count(len(told.made), 'planned item')} became items.</p>"
    whole, reasons = len(told.rejected), told.rejected["reason"].to_pylist()
    rows = [
        (f"<code>{text(reason)}</code>", grouped(many), figures.bar(many / whole, "bad"))
        for reason, many in Counter(reasons).most_common()
    ]
    parts = [table(("reason", "#items", "share of the rejected"), rows, "Rejects by reason")]
    some: list[tuple[str, ...]] = []
    seen: Counter[str] = Counter()
    details, ids = told.rejected["detail"].to_pylist(), told.rejected["id"].to_pylist()
    places, attempts = told.rejected["parent_path"].to_pylist(), told.rejected["attempt"].to_pylist()
    for i, reason in enumerate(reasons):
        seen[reason] += 1
        if seen[reason] <= REJECTS:
            draw = "" if attempts[i] is None else str(attempts[i] + 1)
            some.append((name(ids[i] or places[i]), f"<code>{text(reason)}</code>", text(details[i] or ""), draw))
    told_many = f"{len(some)} of {count(whole, 'rejected item')}"
    named = table(("item", "reason", "what was found", "#draws"), some, f"Rejected items: {told_many}")
    return f"{parts[0]}<details><summary>Which items: {told_many}</summary>{named}</details>"


def slices(told: Told) -> str:
    """How many items there are of what: the parents' labels with their yield, and each column that the recipe sets."""
    rows = list(told.labels.items())
    lines = [(name(label), grouped(many), grouped(good), f"{good / many:.0%}") for label, (many, good) in rows[:FEW]]
    if rows[FEW:]:
        many, good = (sum(one[1][at] for one in rows[FEW:]) for at in (0, 1))
        lines.append((f"{len(rows) - FEW} more", grouped(many), grouped(good), f"{good / many:.0%}"))
    head = ("parents' label", "#planned", "#accepted", "#yield")
    parts = [f"<div>{table(head, lines, 'Yield by the label of the parents')}</div>"]
    columns = ["label", "split", "slice", "group", *told.recipe.sets]
    for column in dict.fromkeys(columns):
        if column in told.made.column_names and told.made[column].null_count < len(told.made):
            parts.append(f"<div>{_counted(column, told.made[column])}</div>")
    return f'<div class="plots">{"".join(parts)}</div>'


def _counted(column: str, values: pa.ChunkedArray) -> str:
    kind = values.type
    if pa.types.is_floating(kind) or (pa.types.is_integer(kind) and pc.count_distinct(values).as_py() > FEW):
        some = values.drop_null().cast(pa.float64()).to_numpy()
        some = some[np.isfinite(some)]
        words = f"{column}: {number(some.min())} to {number(some.max())}" if len(some) else column
        plot = figures.histogram(some, some[:0], (words, column)) if len(some) else ""
        return f'<figure class="plotted">{plot}<figcaption><strong>{text(column)}</strong></figcaption></figure>'
    found = Counter(values.to_pylist() if not pa.types.is_nested(kind) else map(str, values.to_pylist()))
    order = sorted(found.items(), key=lambda one: (-one[1], str(one[0])))
    rows = [(name(value), grouped(many), figures.bar(many / len(values))) for value, many in order[:FEW]]
    if order[FEW:]:
        rows.append((f"{len(order) - FEW} more", grouped(sum(many for _, many in order[FEW:])), ""))
    return table((column, "#items", ""), rows, f"Items by {column}")


def drawn(told: Told) -> str:
    """Histograms of the drawn numbers, step by step."""
    parts: list[str] = []
    for step in told.recipe.steps:
        plots = list(_histograms(told, step))
        if plots:
            state = " open" if not parts else ""
            many = count(len(plots), "setting")
            parts.append(
                f"<details{state}><summary>{text(step.name)} <small>{many}</small></summary>"
                f'<div class="plots small">{"".join(plots)}</div></details>'
            )
    return "".join(parts) or "<p>Nothing is drawn.</p>"


def _histograms(told: Told, step: Step) -> Iterator[str]:
    head = f"{step.name}."
    for column in told.planned.column_names:
        own = column.removeprefix(head)
        kind = told.planned.schema.field(column).type
        if own == column or own == "key" or not (pa.types.is_floating(kind) or pa.types.is_integer(kind)):
            continue
        values = told.row(told.planned, column)
        known = np.isfinite(values)
        # Whole numbers of many digits are keys of noise fields.
        if not known.any() or values[known].min() == values[known].max() or np.abs(values[known]).max() >= 1 << 24:
            continue
        law = getattr(step.op, own, None)
        log = isinstance(law, Distribution) and law.kind == "log" and bool(values[known].min() > 0)
        good, bad = values[known & told.passed], values[known & ~told.passed]
        words = f"{column}: {number(values[known].min())} to {number(values[known].max())}", own
        yield f'<figure class="plotted">{figures.histogram(good, bad, words, log)}</figure>'
