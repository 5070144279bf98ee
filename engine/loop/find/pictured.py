"""The plots of find's page: the error in a slice and in the rest, and where the slice's values lie."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy.stats import norm

from sliceforge.engine.loop.diagnose.two_samples import kolmogorov_smirnov
from sliceforge.engine.loop.find.found import Found
from sliceforge.engine.loop.find.listed import LOSSES, share
from sliceforge.engine.loop.find.statistics import wilson
from sliceforge.engine.loop.rows.conditions import conditions
from sliceforge.engine.loop.rows.known import Known, values
from sliceforge.engine.loop.rows.slices import WeakSlice
from sliceforge.engine.report.figures import BOTTOM, LEFT, RIGHT, TALL, TOP, WIDE, Scale, framed, spread
from sliceforge.engine.report.markup import count, number, text

BINS = 24
SIDE = 86
"""Pixels left of the plot of errors, for the names of its rows."""

STEP = 22
"""Pixels between two lines of that plot."""

PLOTS = 2
"""Attributes that are shown of a slice."""


def errors(found: Found, at: int) -> str:
    """The mean loss in a slice and in the rest, on all rows and on either half, with 95 % intervals."""
    inside = found.inside(found.slices[at])
    every = np.ones(len(inside), bool)
    names = ("searched", "judged") if found.findings.way == "half" else ("first half", "second half")
    parts = {"all rows": every, names[0]: found.halves, names[1]: ~found.halves}
    lines = [
        (title, part & side, kind) for title, part in parts.items() for side, kind in ((inside, "bad"), (~inside, ""))
    ]
    known = [(title, _interval(found, rows), int(rows.sum()), kind) for title, rows, kind in lines if rows.any()]
    ends = np.array([end for _, one, _, _ in known for end in one])
    low, high = spread(np.append(ends, 0.0))
    binary = found.kind in ("wrong", "drift", "iou")
    x = Scale(max(low, 0.0), min(high, 1.0) if binary else high, SIDE, WIDE - RIGHT)
    tall = TOP + STEP * len(known) + BOTTOM
    inner = "".join(_line(x, place, *one) for place, one in enumerate(known))
    ticks = "".join(
        f'<path class="grid" d="M{place:.1f} {TOP}V{tall - BOTTOM}"/><text x="{place:.1f}" y="{tall - BOTTOM + 14}" '
        f'text-anchor="middle">{number(tick if found.kind == "loss" else round(100 * tick, 6))}</text>'
        for tick, place in zip(x.ticks(), x.at(np.array(x.ticks())).tolist(), strict=True)
    )
    told = ", ".join(f"{title}: {share(one[1], found.kind)} of {rows}" for title, one, rows, _ in known)
    axis = LOSSES[found.kind] + ("" if found.kind == "loss" else ", %")
    return (
        f'<svg class="plot" viewBox="0 0 {WIDE} {tall}" role="img" aria-label="{text(told)}">{ticks}{inner}'
        f'<text class="axis" x="{(SIDE + WIDE - RIGHT) / 2}" y="{tall - 6}">{text(axis)}</text></svg>'
    )


def _line(x: Scale, place: int, title: str, ends: tuple[float, float, float], rows: int, kind: str) -> str:
    low, mean, high = x.at(np.array(ends)).tolist()
    y = TOP + STEP * (place + 0.5)
    name = f'<text x="{6 if kind else 14}" y="{y + 4:.0f}">{text(title if kind else "rest")}</text>'
    return (
        f'{name}<path class="interval {kind}" d="M{low:.1f} {y:.1f}H{high:.1f}"/>'
        f'<circle class="mean {kind}" cx="{mean:.1f}" cy="{y:.1f}" r="4"><title>{count(rows, "row")}</title></circle>'
    )


def _interval(found: Found, rows: np.ndarray) -> tuple[float, float, float]:
    """The mean loss of some rows between its 95 % bounds."""
    loss = found.loss[rows]
    if found.kind in ("wrong", "drift"):
        low, high = wilson(loss.sum(), np.array(len(loss)))
        return float(low), float(loss.mean()), float(high)
    weight = np.ones(len(loss)) if found.weight is None else found.weight[rows]
    mean = float(np.average(loss, weights=weight))
    error = float(np.sqrt(np.square(weight * (loss - mean)).sum()) / weight.sum())
    half = float(norm.ppf(0.975)) * error
    return mean - half, mean, mean + half


def shown(found: Found, one: WeakSlice) -> list[str]:
    """The columns whose values are plotted: those of the slice's own conditions, then those that tell it best."""
    inside = found.inside(one)
    own = [name for part in conditions(one.where) for name in part.columns if name in found.rows.table.column_names]
    numbers = [name for name in dict.fromkeys(own) if _numeric(found.rows, name)]
    apart: dict[str, float] = {}
    for name in found.rows.attributes:
        values_in = found.rows.numbers(name, inside)
        others = _trained(found, name)
        others = found.rows.numbers(name, ~inside) if others is None else others
        if len(values_in) and len(others) and name not in numbers:
            apart[name] = kolmogorov_smirnov(others, values_in)[0]
    return [*numbers, *sorted(apart, key=lambda name: (-apart[name], name))][:PLOTS]


def _numeric(rows: Known, name: str) -> bool:
    kind = str(rows.table.schema.field(name).type)
    return kind.startswith(("double", "float", "int", "uint"))


def _trained(found: Found, name: str) -> np.ndarray | None:
    """The training set's values of a column, where it has them."""
    if found.train is None or name not in found.train.attributes:
        return None
    known = values(found.train.table[name])
    return known if len(known) else None


def histograms(found: Found, one: WeakSlice, name: str) -> tuple[str, str]:
    """A column's values in the slice, in the rest, and in training where there is one; and what the plot says."""
    inside = found.inside(one)
    parts: dict[str, np.ndarray] = {
        "slice": found.rows.numbers(name, inside),
        "rest": found.rows.numbers(name, ~inside),
    }
    trained = _trained(found, name)
    parts |= {} if trained is None else {"training": trained}
    parts = {part: some for part, some in parts.items() if len(some)}
    medians = ", ".join(f"{part} {number(float(np.median(some)))}" for part, some in parts.items())
    unit = found.rows.units.get(name, "")
    told = f"{name}: medians {medians}{' ' + unit if unit else ''}"
    return _overlaid(parts, told, f"{name}, {unit}" if unit else name), told


def _overlaid(parts: Mapping[str, np.ndarray], told: str, across: str) -> str:
    whole = np.concatenate(list(parts.values()))
    # A few values far away would squeeze all others into one bar: they count in the outer bars.
    low, high = spread(np.quantile(whole, [0.005, 0.995]))
    x = Scale(low, high, LEFT, WIDE - RIGHT)
    edges = np.linspace(low, high, BINS + 1)
    shares = {part: 100 * np.histogram(np.clip(some, low, high), edges)[0] / len(some) for part, some in parts.items()}
    y = Scale(0, max(float(max(one.max() for one in shares.values())) * 1.05, 1.0), TALL - BOTTOM, TOP)
    places, ground = x.at(edges), float(y.at(0.0))
    inner = ""
    for part, heights in shares.items():
        tops = y.at(heights)
        if part == "slice":
            bars = "".join(
                f"M{places[i] + 0.5:.1f} {ground:.1f}V{tops[i]:.1f}H{places[i + 1] - 0.5:.1f}V{ground:.1f}Z"
                for i in np.flatnonzero(heights)
            )
            inner += f'<path class="bar bad over" d="{bars}"/>'
            continue
        steps = "".join(f"V{top:.1f}H{right:.1f}" for top, right in zip(tops, places[1:], strict=True))
        inner += f'<path class="outline {part}" d="M{places[0]:.1f} {ground:.1f}{steps}V{ground:.1f}"/>'
    return framed(inner, x, y, told, across, "% of each")
