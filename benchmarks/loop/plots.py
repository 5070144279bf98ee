"""An SVG of each experiment: its arms with 95 % intervals, and where its bars lie."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from benchmarks.loop.timeline import timeline
from sliceforge.engine.report.figures import Scale
from sliceforge.engine.report.markup import number, text

Found = Mapping[str, Any]

WIDE, LEFT, STEP, MARK, FOOT = 720, 300, 22, 15, 40

STYLE = """\
<style>
svg { --paper: #fff; --ink: #1c2026; --faint: #5c646e; --line: #d9dce0; --own: #1f6fb2; --bar: #b3261e; }
@media (prefers-color-scheme: dark) {
  svg { --paper: #14171b; --ink: #e9e7e2; --faint: #a3abb5; --line: #363c44; --own: #6fb3ee; --bar: #f08a80; }
}
.paper { fill: var(--paper); } path { fill: none; stroke: var(--faint); stroke-width: 1.5; }
text { font: 12px system-ui, sans-serif; fill: var(--ink); } .small { fill: var(--faint); font-size: 11px; }
.title { font-weight: 600; } path.grid { stroke: var(--line); stroke-width: 1; } circle { fill: var(--ink); }
path.own { stroke: var(--own); stroke-width: 2.5; } circle.own { fill: var(--own); } text.own { font-weight: 600; }
path.bar { stroke: var(--bar); stroke-dasharray: 5 3; } text.bar { fill: var(--bar); font-size: 11px; }
</style>"""


class Line(NamedTuple):
    """A dot, and its interval where there is one."""

    name: str
    value: float
    low: float | None
    high: float | None


class Panel(NamedTuple):
    """Lines over one axis, with marks where a bar asks for something."""

    title: str
    lines: Sequence[Line]
    marks: Sequence[tuple[float, str]]
    across: str


def accuracy(condition: Found, name: str) -> dict[str, Line]:
    """Arm → its percent right in a slice."""
    row = next(one for one in condition["accuracy"] if one["slice"] == name)
    ends = row.get("interval", {})
    pairs = ((arm, sum(values) / len(values)) for arm, values in row["percent"].items())
    return {arm: Line(arm, value, *ends.get(arm, (None, None))) for arm, value in pairs}


def gained(condition: Found, name: str, side: str) -> list[Line]:
    """Paired gains in a slice, called by their `base` or their `arm`."""
    rows = [one for one in condition["gains"] if one["slice"] == name]
    return [Line(one[side], one["gain"], one["low"], one["high"]) for one in rows]


def panels(name: str, found: Found) -> list[Panel]:
    """What is shown of an experiment."""
    first = found["conditions"][0]
    if name == "e1":
        return [panel for one in found["conditions"] for panel in _speech(one)]
    if name == "e2":
        return _steel(first)
    if name == "e3":
        marks = [(-1.0, "never worse than oversampling by more"), (-2.0, "regret against the best, at most")]
        lines = gained(first, "the cut class", "base")
        return [Panel("the cut class: engine against each arm", lines, marks, "points")]
    if name == "e4":
        lines = gained(first, "AUC against everything else", "arm")
        return [Panel("real scratches against everything else", lines, [(50.0, "chance")], "AUC, percent")]
    if name == "e5":
        arms = accuracy(first, "all")
        return [Panel("all report clips", list(arms.values()), [(arms["doubled"].value, "doubled")], "percent right")]
    if name == "baseline":
        arms, title = accuracy(first, "noise 5 dB"), "trained on clean clips alone: 5 dB, tune rows"
        return [Panel(title, list(arms.values()), [(30.4, "the pilot's none")], "percent right")]
    told = zip(found["conditions"], ("noise 5 dB", "under-exposed"), strict=True)
    mark = [(0.0, "engine as it is")]
    return [Panel(f"{one['name']}: {some}", gained(one, some, "arm"), mark, "points") for one, some in told]


def _steel(condition: Found) -> list[Panel]:
    dark, plain = (accuracy(condition, name) for name in ("under-exposed", "as it is"))
    half = (dark["generic"].value + dark["oracle"].value) / 2
    marks = [(half, "halfway from generic to the oracle")], [(plain["none"].value, "none")]
    pairs = zip(("under-exposed", "as it is"), (dark, plain), marks, strict=True)
    return [Panel(name, list(arms.values()), mark, "percent right") for name, arms, mark in pairs]


def _speech(condition: Found) -> list[Panel]:
    noisy, clean = (accuracy(condition, slice_) for slice_ in ("noise 5 dB", "clean"))
    none, oracle = noisy["none"].value, noisy["oracle"].value
    marks = [(none + 35, "none + 35"), (none + 0.8 * (oracle - none), "80 % of the way to the oracle")]
    marks.append((noisy["generic"].value + 15, "generic + 15"))
    return [
        Panel(f"{condition['name']}: traffic at 5 dB", list(noisy.values()), marks, "percent right"),
        Panel(
            f"{condition['name']}: clean",
            list(clean.values()),
            [(clean["oracle"].value - 0.5, "oracle − 0.5")],
            "percent right",
        ),
    ]


def drawn(name: str, found: Found) -> str:
    """The whole SVG of an experiment."""
    if name == "e6":
        inner, tall = timeline(found["conditions"][0])
    else:
        tall, parts = 0, []
        for one in panels(name, found):
            part, high = _panel(one)
            parts.append(f'<g transform="translate(0 {tall})">{part}</g>')
            tall += high
        inner = "\n".join(parts)
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDE} {tall}" width="{WIDE}" height="{tall}">'
    return f'{head}\n{STYLE}\n<rect class="paper" width="{WIDE}" height="{tall}"/>\n{inner}\n</svg>\n'


def _panel(panel: Panel) -> tuple[str, int]:
    """A panel, and how tall it is."""
    known = [end for line in panel.lines for end in (line.value, line.low, line.high) if end is not None]
    known += [value for value, _ in panel.marks]
    edge = 0.06 * (max(known) - min(known)) or 1.0
    x = Scale(min(known) - edge, max(known) + edge, LEFT, WIDE - 20)
    top = 34 + MARK * len(panel.marks)
    end = top + STEP * len(panel.lines)
    parts = [f'<text class="title" x="16" y="22">{text(panel.title)}</text>']
    for tick in x.ticks():
        at = float(x.at(tick))
        parts.append(f'<path class="grid" d="M{at:.1f} {top}V{end}"/>')
        said = number(tick).replace("-", "−")
        parts.append(f'<text class="small" x="{at:.1f}" y="{end + 14}" text-anchor="middle">{said}</text>')
    parts.append(f'<text class="small" x="{WIDE - 20}" y="{end + 29}" text-anchor="end">{text(panel.across)}</text>')
    for row, (value, said) in enumerate(sorted(panel.marks, reverse=True)):
        at, y = float(x.at(value)), 34 + MARK * row
        parts.append(f'<path class="bar" d="M{at:.1f} {y - 3}V{end}"/>')
        parts.append(f'<text class="bar" x="{at - 5:.1f}" y="{y + 6}" text-anchor="end">{text(said)}</text>')
    parts += [_line(line, x, top + STEP * row + STEP // 2) for row, line in enumerate(panel.lines)]
    return "\n".join(parts), end + FOOT


def _line(line: Line, x: Scale, y: int) -> str:
    own = ' class="own"' if line.name in ("engine", "loop", "looked at") else ""
    said = f'<text{own} x="{LEFT - 12}" y="{y + 4}" text-anchor="end">{text(line.name)}</text>'
    if line.low is not None and line.high is not None:
        said += f'<path{own} d="M{float(x.at(line.low)):.1f} {y}H{float(x.at(line.high)):.1f}"/>'
    return f'{said}<circle{own} cx="{float(x.at(line.value)):.1f}" cy="{y}" r="4"/>'
