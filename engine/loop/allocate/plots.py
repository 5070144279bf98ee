"""Learning curves as inline SVG: losses over training items, where a slice is and where the budget leads."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from sliceforge.engine.loop.allocate.curves import Curve
from sliceforge.engine.report.figures import BOTTOM, LEFT, RIGHT, TALL, TOP, WIDE, Scale, framed
from sliceforge.engine.report.markup import number, text


def figure(name: str, fit: Curve, sizes: np.ndarray, losses: np.ndarray, here: int, then: float) -> str:
    """A slice's curve with what there is to say of it, as of `curve`."""
    said = f"{name}: loss about {number(100 * fit.b)} · n^−{fit.a:.2f} points, R² {fit.r2:.2f}"
    said += "" if fit.believed else "; not believed, excess errors decide"
    drawn = curve(fit, sizes, losses, here, then, said)
    return f'<figure class="plotted">{drawn}<figcaption>{text(said)}</figcaption></figure>'


EXPLAINED = (
    "Dots: trainings on parts of the data. Line and band: the power law through them, with its 95 % band. Now: items "
    "of the slice that train; then: what they count as with the made ones."
)


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
    losses, middle = 100 * losses, 100 * fit.loss(along)
    draws = fit.draws[:: max(len(fit.draws) // 200, 1)]
    lower = upper = middle
    if len(draws):
        lower, upper = np.quantile(100 * draws[:, 1:] * along ** -draws[:, :1], [0.025, 0.975], axis=0)
    y = Scale(
        0, max(float(np.max([losses.max(), *np.minimum(upper, 2 * losses.max())])), 1.0) * 1.05, TALL - BOTTOM, TOP
    )
    top = np.clip(y.at(upper), TOP, None)
    band = [*zip(x.at(along), top, strict=True), *reversed(list(zip(x.at(along), y.at(lower), strict=True)))]
    line = _path(zip(x.at(along), y.at(middle), strict=True))
    inner = f'<path class="band" d="{_path(band)}Z"/><path class="curve" d="{line}"/>'
    for a, b in zip(x.at(sizes), y.at(losses), strict=True):
        inner += f'<circle class="point" cx="{a:.1f}" cy="{b:.1f}" r="3"/>'
    return framed(inner + _marks(x, here, then), x, y, told, "training items of the slice", "loss, points")


def _marks(x: Scale, here: int, then: float) -> str:
    parts = []
    for place, word, down in ((here, "now", 10), (then, "then", 22)):
        if place > x.low:
            at = float(x.at(place))
            parts.append(f'<path class="now" d="M{at:.1f} {TOP}V{TALL - BOTTOM}"/>')
            parts.append(f'<text x="{at - 3:.1f}" y="{TOP + down}" text-anchor="end">{word}</text>')
    return "".join(parts)


def _path(points: Iterable[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{a:.1f} {b:.1f}" for a, b in points)
