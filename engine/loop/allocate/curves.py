"""Learning curves: loss(n) = b · n^(−a) for one slice, and what its next items would buy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from sliceforge.engine.errors import SettingError

STEEPEST = 3.0
"""The largest exponent that is tried; learning curves have 0.05 to 1."""

FIT = 0.5
"""R² below which a curve is not believed, and excess errors decide."""

DRAWS = 1000


@dataclass(frozen=True)
class Curve:
    """loss(n) = b · n^(−a).

    Args:
        a: exponent, 0 or more.
        b: the loss with one item.
        r2: share of the losses' variance that the curve explains, weighted.
        draws: (D, 2) float64, a and b of bootstrap draws.
    """

    a: float
    b: float
    r2: float
    draws: np.ndarray = field(repr=False, compare=False, default_factory=lambda: np.zeros((0, 2)))

    @property
    def believed(self) -> bool:
        """Whether it fits well enough to allocate by."""
        return self.r2 >= FIT and self.a > 0

    def loss(self, items: float | np.ndarray) -> np.ndarray:
        """What it says of so many items."""
        return np.asarray(self.b * np.asarray(items, np.float64) ** -self.a)

    def gain(self, items: float, more: float) -> tuple[float, float, float]:
        """By how much the loss falls from `items` to `items + more`: what the fit says, and a 95 % interval."""
        gain = float(self.loss(items) - self.loss(items + more))
        if not len(self.draws):
            return gain, gain, gain
        a, b = self.draws.T
        low, high = np.quantile(b * items**-a - b * (items + more) ** -a, [0.025, 0.975])
        return gain, float(low), float(high)

    def plain(self) -> dict[str, Any]:
        """For YAML and JSON, with 95 % intervals."""
        found: dict[str, Any] = {"a": round(self.a, 6), "b": round(self.b, 6), "r2": round(self.r2, 4)}
        if len(self.draws):
            low, high = np.quantile(self.draws, [0.025, 0.975], axis=0)
            found |= {
                name: [round(float(low[k]), 6), round(float(high[k]), 6)] for k, name in enumerate(("a95", "b95"))
            }
        return {**found, "believed": self.believed}


def fitted(sizes: Sequence[int], losses: np.ndarray | Sequence[Any], *, draws: int = DRAWS, seed: int = 0) -> Curve:
    """Fit a slice's curve by least squares with weights √n, on the loss itself, so that a loss of 0 is no trouble.

    The uncertainty is a parametric bootstrap: noise on each size's mean loss. Its spread comes from the repeats of a
    size (other subsets, other seeds), pooled over sizes, or from the fit's own residuals where there are none.

    Args:
        sizes: (M,) items of the slice in the training subsets, such as 10, 20, 50 and 100 % of them; 3 at least.
        losses: (M,) mean losses of the slice, or (M, R) with R repeats.
        draws: of the bootstrap; 0: none.
        seed: of the draws.

    Raises:
        SettingError: too few sizes, other shapes, or losses below 0.
    """
    n, y = np.asarray(sizes, np.float64), np.asarray(losses, np.float64)
    y = y[:, None] if y.ndim == 1 else y
    if len(np.unique(n)) < 3 or n.min() < 1:
        raise SettingError(f"curve: sizes {list(sizes)}; expected 3 different at least, as 30, 60, 150, 300")
    if y.ndim != 2 or len(y) != len(n) or not np.isfinite(y).all() or y.min() < 0:
        raise SettingError(f"curve: losses of shape {y.shape} from {y.min():g}; expected {len(n)} rows of 0 or more")
    mean = y.mean(axis=1)
    a, b = (float(v[0]) for v in _solved(n, mean[None]))
    weight = np.sqrt(n)
    rest = mean - b * n**-a
    total = float((weight * (mean - np.average(mean, weights=weight)) ** 2).sum())
    r2 = 1 - float((weight * rest**2).sum()) / total if total > 0 else 0.0
    repeats = y.shape[1]
    freedom = len(n) * (repeats - 1) if repeats > 1 else len(n) - 2
    variance = y.var(axis=1, ddof=1).mean() / repeats if repeats > 1 else (weight * rest**2).sum() / freedom / weight
    generator = np.random.default_rng(seed)
    # Student's noise: a spread that two residuals say is itself hardly known.
    noise = generator.normal(0, 1, (draws, len(n))) / np.sqrt(generator.chisquare(freedom, (draws, 1)) / freedom)
    noise *= np.sqrt(variance)
    return Curve(a, b, r2, np.stack(_solved(n, np.maximum(0, mean + noise)), axis=1))


def _solved(n: np.ndarray, losses: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """a and b, (D,) each, of D sets of losses (D, M): b is closed for each a, so that only a is searched.

    Left of b, the weighted sum of squares is Σ√n y² − (Σ√n y n^−a)² / Σ√n n^−2a. It is taken on a grid, then on a
    finer one around the best.
    """
    weight, rows = np.sqrt(n), np.arange(len(losses))
    low, high = np.zeros(len(losses)), np.full(len(losses), STEEPEST)
    best = low
    for count in (121, 41, 41, 41):
        tried = low[:, None] + (high - low)[:, None] * np.linspace(0, 1, count)  # (D, G)
        powers = np.exp(-tried[:, :, None] * np.log(n))  # (D, G, M)
        explained = (powers * (weight * losses)[:, None]).sum(axis=2) ** 2 / (powers**2 * weight).sum(axis=2)
        best = tried[rows, np.argmax(explained, axis=1)]
        step = (high - low) / (count - 1)
        low, high = np.maximum(0, best - step), np.minimum(STEEPEST, best + step)
    powers = n ** -best[:, None]
    return best, (weight * losses * powers).sum(axis=1) / (weight * powers**2).sum(axis=1)
