"""Plots of a loop's page as inline SVG: losses inside and outside the slices, and the arms of a trial."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sliceforge.engine.report.figures import Scale
from sliceforge.engine.report.markup import number, text

WIDE, LEFT, STEP = 720, 300, 26
LONGEST = 44
RING = 'fill="var(--card)" stroke="var(--ink)" stroke-width="1.5"'


def gaps(rows: Sequence[tuple[str, float, float]]) -> str:
    """Each slice's loss as a dot, and that of the rest as a ring, joined by a line; in points.

    Args:
        rows: name, loss, loss of the rest.
    """
    x = Scale(0.0, max(max(100 * loss, 100 * rest) for _, loss, rest in rows) * 1.08 or 1.0, LEFT, WIDE - 16)
    parts = []
    for at, (name, loss, rest) in enumerate(rows):
        y = 20 + STEP * at
        inside, outside = (float(x.at(100 * value)) for value in (loss, rest))
        parts.append(_name(name, y))
        parts.append(f'<path class="interval lost" d="M{outside:.1f} {y}H{inside:.1f}"/>')
        parts.append(f'<circle {RING} cx="{outside:.1f}" cy="{y}" r="4"/>')
        parts.append(f'<circle class="mean" cx="{inside:.1f}" cy="{y}" r="4"/>')
    return _framed("".join(parts), x, len(rows), "loss in points: ● in the slice, ○ in the rest", "Loss of each slice")


def arms(figures: Sequence[Mapping[str, Any]], weak: str, chosen: str) -> str:
    """The losses of a trial's arms on the weak slice, a dot for each seed and a bar at their mean, rung under rung.

    Args:
        figures: of `halving.Choice.plain`.
        weak: the slice.
        chosen: the arm that was taken.
    """
    ordered = sorted(figures, key=lambda one: (one["resource"], sum(one["losses"][weak]) / len(one["losses"][weak])))
    most = max(max(one["losses"][weak]) for one in figures)
    x = Scale(0.0, max(100 * most, 1.0) * 1.08, LEFT, WIDE - 16)
    parts = []
    for at, one in enumerate(ordered):
        y, losses = 20 + STEP * at, one["losses"][weak]
        taken = one["name"] == chosen and one["resource"] == ordered[-1]["resource"]
        mean = float(x.at(100 * sum(losses) / len(losses)))
        parts.append(_name(f"{one['name']} · {one['resource']:.0%}", y, taken))
        kind = "gained" if taken else "lost" if one["says"] == "hurts" else ""
        parts.append(f'<path class="interval {kind}" d="M{LEFT} {y}H{mean:.1f}"/>')
        parts += [f'<circle {RING} cx="{float(x.at(100 * v)):.1f}" cy="{y}" r="3"/>' for v in losses]
    return _framed("".join(parts), x, len(ordered), "loss on the slice, in points; ○ one seed", f"Arms of {weak}")


def _name(name: str, y: int, strong: bool = False) -> str:
    short = name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}…"
    weight = ' font-weight="700"' if strong else ""
    return f'<text x="{LEFT - 8}" y="{y + 4}" text-anchor="end"{weight}>{text(short)}</text>'


def _framed(inner: str, x: Scale, rows: int, across: str, told: str) -> str:
    tall = STEP * rows + 46
    lines = []
    for tick in x.ticks():
        at = float(x.at(tick))
        lines.append(f'<path class="grid" d="M{at:.1f} 6V{tall - 36}"/>')
        lines.append(f'<text x="{at:.1f}" y="{tall - 22}" text-anchor="middle">{number(tick)}</text>')
    lines.append(f'<text class="axis" x="{(LEFT + WIDE) / 2:.0f}" y="{tall - 5}">{text(across)}</text>')
    head = f'<svg class="plot forest" viewBox="0 0 {WIDE} {tall}" role="img" aria-label="{text(told)}">'
    return f"{head}{''.join(lines)}{inner}</svg>"
