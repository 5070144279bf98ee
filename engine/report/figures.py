"""Plots as inline SVG: asked against got, histograms, bars, levels; colours are the page's own."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sliceforge.engine.report.markup import number, text

WIDE, TALL = 340, 230
LEFT, RIGHT, TOP, BOTTOM = 50, 10, 10, 38
POINTS = 2000
"""Points of a scatter plot; of more, these are drawn."""

MOST_BINS = 24


@dataclass(frozen=True)
class Scale:
    """Numbers to pixels.

    Args:
        low, high: numbers at the ends.
        start, end: pixels there.
        log: whether steps are ratios.
    """

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    def at(self, values: np.ndarray | float) -> np.ndarray:
        """Pixels of some numbers."""
        ends = (self.low, self.high, values)
        low, high, some = (np.log(np.asarray(one)) if self.log else np.asarray(one, float) for one in ends)
        return np.asarray(self.start + (some - low) / (high - low) * (self.end - self.start))

    def ticks(self) -> list[float]:
        """Three to seven round numbers between the ends."""
        if self.log:
            powers = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
            found = [10.0**power * one for power in powers for one in (1, 2, 5)]
            inside = [value for value in found if self.low * 0.999 <= value <= self.high * 1.001]
            if len(inside) > 2:
                return inside[:: -(-len(inside) // 7)]
        power = 10.0 ** math.floor(math.log10((self.high - self.low) / 3))
        step = next(power * many for many in (5, 2, 1) if (self.high - self.low) / (power * many) >= 3 or many == 1)
        first = math.ceil(self.low / step - 1e-9)
        return [round(i * step, 12) for i in range(first, first + 12) if i * step <= self.high + 1e-9 * step]


def spread(values: np.ndarray) -> tuple[float, float]:
    """The ends of an axis on which all values lie, and are not all at one place."""
    low, high = float(values.min()), float(values.max())
    edge = 0.04 * (high - low) or max(abs(high) * 0.1, 0.5 if high == int(high) else 1e-3)
    return low - edge, high + edge


def scatter(
    asked: np.ndarray, got: np.ndarray, good: np.ndarray, limit: tuple[float, float], words: tuple[str, str]
) -> str:
    """What was achieved over what was asked for, with the diagonal and what a gate tolerates about it.

    Args:
        asked, got: (N,) finite numbers.
        good: (N,) bool, which items were accepted.
        limit: the tolerance, and that as a share of what was asked.
        words: what the plot tells, and the unit.
    """
    told, unit = words
    if len(asked) > POINTS:
        some = np.unique(np.concatenate([np.linspace(0, len(asked) - 1, POINTS).astype(int), np.flatnonzero(~good)]))
        some = some[np.linspace(0, len(some) - 1, min(len(some), POINTS)).astype(int)]
        asked, got, good = asked[some], got[some], good[some]
    low, high = spread(np.concatenate([asked, got]))
    x, y = Scale(low, high, LEFT, WIDE - RIGHT), Scale(low, high, TALL - BOTTOM, TOP)
    ends = np.linspace(low, high, 9)
    margin = np.maximum(limit[0], limit[1] * np.abs(ends))
    band = np.concatenate([_places(x, y, ends, ends + margin), _places(x, y, ends, ends - margin)[::-1]])
    shape = "M" + "L".join(f"{a:.1f} {b:.1f}" for a, b in band) + "Z" if margin.any() else ""
    inner = f'<path class="band" d="{shape}"/>' if shape else ""
    (x0, y0), (x1, y1) = _places(x, y, ends[[0, -1]], ends[[0, -1]])
    inner += f'<path class="diagonal" d="M{x0:.1f} {y0:.1f}L{x1:.1f} {y1:.1f}"/>'
    inner += _dots(x, y, asked[good], got[good], "dots") + _dots(x, y, asked[~good], got[~good], "dots bad")
    tail = f", {unit}" if unit else ""
    return framed(inner, x, y, told, f"asked{tail}", "got")


def histogram(
    good: np.ndarray, bad: np.ndarray, words: tuple[str, str], log: bool = False, mark: float | None = None
) -> str:
    """How often values came, those of items that did not pass on top of those that did.

    Args:
        good, bad: (N,) and (M,) finite numbers.
        words: what the plot tells, and the axis.
        log: whether bins are ratios; all values are above 0 then.
        mark: a number to draw a line at.
    """
    whole = np.concatenate([good, bad])
    low, high = spread(whole if mark is None else np.append(whole, mark))
    low = max(low, float(whole.min()) * 0.95) if log else low
    x = Scale(low, high, LEFT, WIDE - RIGHT, log)
    bins = int(np.clip(2 * len(whole) ** 0.5, 10, MOST_BINS))
    edges = np.geomspace(low, high, bins + 1) if log else np.linspace(low, high, bins + 1)
    counts = [np.histogram(values, edges)[0] for values in (good, bad)]
    y = Scale(0, max(int((counts[0] + counts[1]).max()), 3), TALL - BOTTOM, TOP)
    base, inner = np.zeros(bins), ""
    places = x.at(edges)
    for kind, some in zip(("bar", "bar bad"), counts, strict=True):
        shapes = [
            f"M{places[i] + 0.5:.1f} {y.at(base[i]):.1f}V{y.at(base[i] + some[i]):.1f}H{places[i + 1] - 0.5:.1f}"
            f"V{y.at(base[i]):.1f}Z"
            for i in np.flatnonzero(some)
        ]
        inner += f'<path class="{kind}" d="{"".join(shapes)}"/>' if shapes else ""
        base = base + some
    if mark is not None:
        inner += f'<path class="diagonal" d="M{x.at(mark):.1f} {TOP}V{TALL - BOTTOM}"/>'
        side = ("end", -4) if x.at(mark) > WIDE / 2 else ("start", 4)
        inner += f'<text x="{x.at(mark) + side[1]:.1f}" y="{TOP + 10}" text-anchor="{side[0]}">asked</text>'
    return framed(inner, x, y, words[0], words[1], "items", whole=True)


def bar(share: float, kind: str = "") -> str:
    """A share of one as a bar, for tables; the number stands beside it."""
    wide = round(100 * min(max(share, 0.0), 1.0), 1)
    return (
        '<svg class="share" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">'
        f'<rect class="rest" width="100" height="8"/><rect class="bar {kind}" width="{wide:g}" height="8"/></svg>'
    )


def wave(sound: np.ndarray, columns: int = 160) -> str:
    """The peaks of a clip (T,) over time, full scale at both edges."""
    edges = np.linspace(0, len(sound), columns + 1).astype(int)[:-1]
    high, low = np.maximum.reduceat(sound, edges), np.minimum.reduceat(sound, edges)
    upper = [f"{i} {20 - 20 * value:.1f}" for i, value in enumerate(np.clip(high, -1, 1).tolist())]
    lower = [f"{i} {20 - 20 * value + 0.4:.1f}" for i, value in enumerate(np.clip(low, -1, 1).tolist())]
    path = "M" + "L".join([*upper, *lower[::-1]]) + "Z"
    return (
        f'<svg class="wave" viewBox="0 0 {columns} 40" preserveAspectRatio="none" aria-hidden="true">'
        f'<path d="{path}"/></svg>'
    )


def _places(x: Scale, y: Scale, across: np.ndarray, up: np.ndarray) -> np.ndarray:
    """(N, 2) pixels, kept inside the frame."""
    return np.stack([x.at(across), np.clip(y.at(up), TOP, TALL - BOTTOM)], axis=1)


def _dots(x: Scale, y: Scale, across: np.ndarray, up: np.ndarray, kind: str) -> str:
    places = np.unique(np.round(np.stack([x.at(across), y.at(up)], axis=1), 1), axis=0)
    path = "".join(f"M{a:g} {b:g}h0" for a, b in places.tolist())
    return f'<path class="{kind}" d="{path}"/>' if path else ""


def framed(inner: str, x: Scale, y: Scale, told: str, across: str, up: str, whole: bool = False) -> str:
    """A plot with its axes; `told` is what it says to those who do not see it."""
    lines = []
    for value, place in zip(x.ticks(), x.at(np.array(x.ticks())).tolist(), strict=True):
        lines.append(f'<path class="grid" d="M{place:.1f} {TOP}V{TALL - BOTTOM}"/>')
        lines.append(f'<text x="{place:.1f}" y="{TALL - BOTTOM + 14}" text-anchor="middle">{number(value)}</text>')
    ticks: Sequence[float] = [value for value in y.ticks() if not whole or value == int(value)]
    for value, place in zip(ticks, y.at(np.array(ticks)).tolist(), strict=True):
        lines.append(f'<path class="grid" d="M{LEFT} {place:.1f}H{WIDE - RIGHT}"/>')
        lines.append(f'<text x="{LEFT - 5}" y="{place + 4:.1f}" text-anchor="end">{number(value)}</text>')
    middle = (TOP + TALL - BOTTOM) / 2
    lines.append(f'<text class="axis" x="{(LEFT + WIDE - RIGHT) / 2}" y="{TALL - 6}">{text(across)}</text>')
    lines.append(f'<text class="axis" transform="translate(12 {middle}) rotate(-90)">{text(up)}</text>')
    head = f'<svg class="plot" viewBox="0 0 {WIDE} {TALL}" role="img" aria-label="{text(told)}">'
    return f"{head}{''.join(lines)}{inner}</svg>"
