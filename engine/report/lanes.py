"""A plot of many rows, each with dots and a bar on a line under its name, as inline SVG that reads at any width."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sliceforge.engine.report.figures import Scale, spread
from sliceforge.engine.report.markup import number, text

WIDE, EDGE, STEP, BOTTOM = 420, 14, 38, 40
"""Pixels of a plot in width, at its sides, of a row, and under the last."""

SIGNS = 56
"""That fit into a line."""


@dataclass(frozen=True)
class Lane:
    """A row.

    Args:
        name: plain text.
        dots: numbers and how each is drawn: mean or ring.
        bar: from where to where; one with an end that is infinite, or no number, is left out.
        kind: good or bad, or neither.
        note: plain text at the right.
        strong: whether the name stands out.
    """

    name: str
    dots: tuple[tuple[float, str], ...]
    bar: tuple[float, float]
    kind: str = ""
    note: str = ""
    strong: bool = False


def plot(
    lanes: Sequence[Lane], across: str, told: str, marks: Sequence[tuple[float, str]] = ((0.0, "diagonal"),)
) -> str:
    """The rows under each other over one axis.

    Args:
        lanes: at least one.
        across: what the axis is.
        told: what the plot says to those who do not see it.
        marks: numbers to draw a line at, and how: diagonal or now.
    """
    values = [value for lane in lanes for value in (*lane.bar, *(dot for dot, _ in lane.dots))]
    known = [value for value in [*values, *(mark for mark, _ in marks)] if math.isfinite(value)]
    x, tall = Scale(*spread(np.array(known)), EDGE, WIDE - EDGE), STEP * len(lanes) + BOTTOM
    parts = []
    for tick in x.ticks():
        at = float(x.at(tick))
        parts.append(f'<path class="grid" d="M{at:.1f} 6V{tall - 34}"/>')
        parts.append(f'<text x="{at:.1f}" y="{tall - 21}" text-anchor="middle">{number(tick)}</text>')
    parts += [f'<path class="{kind}" d="M{float(x.at(mark)):.1f} 6V{tall - 34}"/>' for mark, kind in marks]
    parts += [_lane(lane, x, 18 + STEP * row) for row, lane in enumerate(lanes)]
    parts.append(f'<text class="axis" x="{WIDE / 2:.0f}" y="{tall - 6}">{text(across)}</text>')
    head = f'<svg class="plot lanes" viewBox="0 0 {WIDE} {tall}" role="img" aria-label="{text(told)}">'
    return f"{head}{''.join(parts)}</svg>"


def _lane(lane: Lane, x: Scale, y: int) -> str:
    room = SIGNS - len(lane.note)
    name = lane.name if len(lane.name) <= room else f"{lane.name[: room - 1]}…"
    kind = "name strong" if lane.strong else "name"
    parts = [f'<text class="{kind}" x="6" y="{y}">{text(name)}<title>{text(lane.name)}</title></text>']
    if lane.note:
        parts.append(f'<text x="{WIDE - 6}" y="{y}" text-anchor="end">{text(lane.note)}</text>')
    if all(map(math.isfinite, lane.bar)):
        low, high = (float(x.at(end)) for end in lane.bar)
        parts.append(f'<path class="interval {lane.kind}" d="M{low:.1f} {y + 11}H{high:.1f}"/>')
    parts += [f'<circle class="{kind}" cx="{float(x.at(dot)):.1f}" cy="{y + 11}" r="4"/>' for dot, kind in lane.dots]
    return "".join(parts)
