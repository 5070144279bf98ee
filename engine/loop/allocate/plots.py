"""Plots of the loop as inline SVG: learning curves, each slice's gain with its interval, and the page around."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from sliceforge.engine import commit
from sliceforge.engine.loop.allocate.curves import Curve
from sliceforge.engine.report.figures import BOTTOM, LEFT, RIGHT, TALL, TOP, WIDE, Scale
from sliceforge.engine.report.markup import number, text

STYLE = Path(__file__).parents[2] / "report" / "page.css"

OWN = """
header { padding-top: 1.4rem; }
.plots { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fill, minmax(min(21rem, 100%), 1fr)); }
.plots figure { margin: 0; } .forest { max-width: 44rem; }
svg .curve { fill: none; stroke: var(--accent); stroke-width: 2; } svg .point { fill: var(--ink); }
svg .now { stroke: var(--edge); stroke-dasharray: 3 3; } svg .interval { stroke: var(--bar); stroke-width: 4; }
svg .lost { stroke: var(--bad); } svg .gained { stroke: var(--good); } svg .mean { fill: var(--ink); }
"""


def page(title: str, verdict: str, body: str) -> str:
    """A page that opens offline and runs nothing; `title` and `verdict` are text, `body` is HTML."""
    style = STYLE.read_text("utf-8") + OWN
    hashed = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{hashed}'"
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" '
        f'content="width=device-width, initial-scale=1"><meta http-equiv="Content-Security-Policy" '
        f'content="{text(policy)}"><title>{text(title)}</title><style>{style}</style></head>'
        f"<body><header><h1>{text(title)}</h1>"
        f'<p class="verdict">{text(verdict)}</p></header><main>{body}</main></body></html>\n'
    )


def write(path: Path, html: str) -> Path:
    """Write a page, whole and by rename."""
    with commit.committed(path) as file:
        file.write(html.encode("utf-8", "backslashreplace"))
    return path


def curve(fit: Curve, sizes: np.ndarray, losses: np.ndarray, here: int, then: float, told: str) -> str:
    """A slice's losses over its training items, the fit with its 95 % band, where it is and where the budget leads.

    Args:
        fit: the curve.
        sizes, losses: (M,) what it was fitted to.
        here: items that it has.
        then: items that it will count as.
        told: what the plot says to those who do not see it.
    """
    most = max(float(sizes.max()), here, then, 2.0) * 1.15
    x = Scale(max(float(min(sizes.min(), here or 1)) * 0.85, 0.5), most, LEFT, WIDE - RIGHT, log=True)
    along = np.geomspace(x.low, x.high, 60)
    middle = fit.loss(along)
    draws = fit.draws[:: max(len(fit.draws) // 200, 1)]
    lower = upper = middle
    if len(draws):
        lower, upper = np.quantile(draws[:, 1:] * along ** -draws[:, :1], [0.025, 0.975], axis=0)
    y = Scale(
        0, max(float(np.max([losses.max(), *np.minimum(upper, 2 * losses.max())])), 0.01) * 1.05, TALL - BOTTOM, TOP
    )
    top = np.clip(y.at(upper), TOP, None)
    band = [*zip(x.at(along), top, strict=True), *reversed(list(zip(x.at(along), y.at(lower), strict=True)))]
    line = _path(zip(x.at(along), y.at(middle), strict=True))
    inner = f'<path class="band" d="{_path(band)}Z"/><path class="curve" d="{line}"/>'
    for a, b in zip(x.at(sizes), y.at(losses), strict=True):
        inner += f'<circle class="point" cx="{a:.1f}" cy="{b:.1f}" r="3"/>'
    return _framed(inner + _marks(x, here, then), x, y, told)


def _marks(x: Scale, here: int, then: float) -> str:
    parts = []
    for place, word, down in ((here, "now", 10), (then, "then", 22)):
        if place > x.low:
            at = float(x.at(place))
            parts.append(f'<path class="now" d="M{at:.1f} {TOP}V{TALL - BOTTOM}"/>')
            parts.append(f'<text x="{at - 3:.1f}" y="{TOP + down}" text-anchor="end">{word}</text>')
    return "".join(parts)


def forest(rows: Sequence[tuple[str, float, float, float, str]], margin: float, told: str) -> str:
    """A line for each slice: its gain in points as a dot, its 95 % interval as a bar, around nothing gained.

    Args:
        rows: name, gain, low, high (no bar where one is infinite), and what is said of it.
        margin: what a slice may lose, in points: a dashed line.
        told: what the plot says to those who do not see it.
    """
    wide, left, tall = 640, 210, 30 * len(rows) + 50
    ends = [v for _, *some, _ in rows for v in some if np.isfinite(v)] + [0.0, -margin]
    edge = 0.06 * (max(ends) - min(ends)) or 1.0
    x = Scale(min(ends) - edge, max(ends) + edge, left, wide - 12)
    parts = []
    for tick in x.ticks():
        at = float(x.at(tick))
        parts.append(f'<path class="grid" d="M{at:.1f} 8V{tall - 36}"/>')
        parts.append(f'<text x="{at:.1f}" y="{tall - 22}" text-anchor="middle">{number(tick)}</text>')
    for value, kind in ((0.0, "diagonal"), (-margin, "now")):
        parts.append(f'<path class="{kind}" d="M{float(x.at(value)):.1f} 8V{tall - 36}"/>')
    for row, (name, gain, low, high, says) in enumerate(rows):
        y = 24 + 30 * row
        kind = {"lost": " lost", "gained": " gained"}.get(says, "")
        parts.append(f'<text x="{left - 8}" y="{y + 4}" text-anchor="end">{text(_cut(name))}</text>')
        if np.isfinite([low, high]).all():
            parts.append(f'<path class="interval{kind}" d="M{float(x.at(low)):.1f} {y}H{float(x.at(high)):.1f}"/>')
        parts.append(f'<circle class="mean" cx="{float(x.at(gain)):.1f}" cy="{y}" r="4"/>')
    parts.append(f'<text class="axis" x="{(left + wide) / 2:.0f}" y="{tall - 7}">points gained</text>')
    head = f'<svg class="plot forest" viewBox="0 0 {wide} {tall}" role="img" aria-label="{text(told)}">'
    return f"{head}{''.join(parts)}</svg>"


def _cut(name: str) -> str:
    return name if len(name) <= 30 else f"{name[:29]}…"


def _path(points: Iterable[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{a:.1f} {b:.1f}" for a, b in points)


def _framed(inner: str, x: Scale, y: Scale, told: str) -> str:
    lines = []
    for value, place in zip(x.ticks(), x.at(np.array(x.ticks())).tolist(), strict=True):
        lines.append(f'<path class="grid" d="M{place:.1f} {TOP}V{TALL - BOTTOM}"/>')
        lines.append(f'<text x="{place:.1f}" y="{TALL - BOTTOM + 14}" text-anchor="middle">{number(value)}</text>')
    for value, place in zip(y.ticks(), y.at(np.array(y.ticks())).tolist(), strict=True):
        lines.append(f'<path class="grid" d="M{LEFT} {place:.1f}H{WIDE - RIGHT}"/>')
        lines.append(f'<text x="{LEFT - 5}" y="{place + 4:.1f}" text-anchor="end">{number(value)}</text>')
    lines.append(
        f'<text class="axis" x="{(LEFT + WIDE - RIGHT) / 2}" y="{TALL - 6}">training items of the slice</text>'
    )
    lines.append(f'<text class="axis" transform="translate(12 {(TOP + TALL - BOTTOM) / 2}) rotate(-90)">loss</text>')
    head = f'<svg class="plot" viewBox="0 0 {WIDE} {TALL}" role="img" aria-label="{text(told)}">'
    return f"{head}{''.join(lines)}{inner}</svg>"
