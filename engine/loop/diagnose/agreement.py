"""Krippendorff's alpha: whether several labellers agree better than by chance."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from sliceforge.engine.errors import SettingError
from sliceforge.engine.loop.diagnose.distances import nominal

RELIABLE = 0.667
"""Labels with a smaller alpha are not reliable (Krippendorff, 2004)."""

PAIRS = 20_000
"""Pairs of values at most of which the expected disagreement of a distance is made; ± 0.007 of it, with 95 %."""

DRAWS = 1000
"""Bootstrap draws of units."""


@dataclass(frozen=True)
class Agreement:
    """α = 1 − D_o / D_e.

    Args:
        alpha: 1: always the same; 0: as by chance; NaN where all values are the same, so that nothing could differ.
        low, high: 95 % of bootstrap draws of whole units.
        units: units with two values at least.
        values: values of those units.
        observed: D_o, the mean distance within a unit.
        expected: D_e, the mean distance between any two values.
    """

    alpha: float
    low: float
    high: float
    units: int
    values: int
    observed: float
    expected: float

    @property
    def reliable(self) -> bool:
        """Whether alpha is not below `RELIABLE`; where nothing varies there is no evidence against the labels."""
        return not self.alpha < RELIABLE

    def __str__(self) -> str:
        if math.isnan(self.alpha):
            return "undefined, nothing varies"
        return f"{self.alpha:.3f} [{self.low:.3f}, {self.high:.3f}]"

    def plain(self) -> dict[str, Any]:
        """For YAML and JSON; None for what is not defined."""
        found = {name: None if value != value else value for name, value in asdict(self).items()}
        return found | {"reliable": self.reliable}


Distance = Callable[[Any, Any], float]


def agreement(ratings: Sequence[Sequence[Any]], distance: Distance = nominal, seed: int = 0) -> Agreement:
    """How well labellers agree.

    D_o = Σ_u Σ_{i≠j in u} δ / (m_u − 1) / n and D_e = Σ_{i≠j} δ / (n (n − 1)) over the n values of units with m_u ≥ 2
    (Krippendorff, Computing Krippendorff's Alpha-Reliability, 2011). Classes are counted; for another distance at most
    `PAIRS` pairs are looked at, drawn evenly.

    Args:
        ratings: for each of N units the values of its labellers; None and NaN are missing.
        distance: δ between two values, 0 to 1: `nominal`, `of_boxes`, `of_masks`, `of_words`.
        seed: of the pairs and of the bootstrap.

    Raises:
        SettingError: no unit has two values.
    """
    units = [kept for unit in ratings if len(kept := [value for value in unit if not missing(value)]) > 1]
    if not units:
        example = "for example [['a', 'b', None], ['a', 'a', 'a']]"
        raise SettingError(f"agreement: no unit of {len(ratings)} has labels of two labellers; expected one, {example}")
    generator = np.random.default_rng(seed)
    sizes = np.array([len(unit) for unit in units], np.float64)
    within = np.array([_within(unit, distance) for unit in units])
    # The first row is every unit once: alpha itself.
    drawn = generator.multinomial(len(units), np.full(len(units), 1 / len(units)), DRAWS)
    weights = np.concatenate([np.ones((1, len(units)), np.int64), drawn]).astype(np.float64)
    observed = weights @ (within / (sizes - 1)) / (weights @ sizes)
    expected = _counted(units, weights) if distance is nominal else _paired(units, weights, distance, generator)
    with np.errstate(invalid="ignore", divide="ignore"):
        alphas = np.where(expected > 0, 1 - observed / expected, np.nan)
    spread = alphas[1:][np.isfinite(alphas[1:])]
    low, high = np.quantile(spread, [0.025, 0.975]) if len(spread) else (math.nan, math.nan)
    counts = len(units), int(sizes.sum())
    return Agreement(float(alphas[0]), float(low), float(high), *counts, float(observed[0]), float(expected[0]))


def missing(value: Any) -> bool:
    """Whether a labeller said nothing."""
    return value is None or (isinstance(value, float) and math.isnan(value))


def _within(unit: Sequence[Any], distance: Distance) -> float:
    """Σ δ over the ordered pairs of one unit."""
    return 2 * sum(distance(a, b) for i, a in enumerate(unit) for b in unit[:i])


def _counted(units: Sequence[Sequence[Any]], weights: np.ndarray) -> np.ndarray:
    """(D,) the expected disagreement of classes; copies of a drawn unit are not compared with each other."""
    classes = {value: i for i, value in enumerate(dict.fromkeys(value for unit in units for value in unit))}
    counts = np.zeros((len(units), len(classes)))
    for i, unit in enumerate(units):
        for value in unit:
            counts[i, classes[value]] += 1
    sizes, alike = counts.sum(axis=1), (counts**2).sum(axis=1)
    repeated = weights**2 - weights
    differ = (weights @ sizes) ** 2 - ((weights @ counts) ** 2).sum(axis=1) - repeated @ (sizes**2 - alike)
    pairs = (weights @ sizes) ** 2 - repeated @ sizes**2 - weights @ sizes
    return differ / pairs


def _paired(
    units: Sequence[Sequence[Any]], weights: np.ndarray, distance: Distance, generator: np.random.Generator
) -> np.ndarray:
    """(D,) the expected disagreement from pairs of values: all of them, or `PAIRS` drawn ones."""
    owners = np.repeat(np.arange(len(units)), [len(unit) for unit in units])
    values = [value for unit in units for value in unit]
    count = len(values)
    if count * (count - 1) // 2 <= PAIRS:
        first, second = np.triu_indices(count, 1)
    else:
        first = generator.integers(0, count, PAIRS)
        second = (first + generator.integers(1, count, PAIRS)) % count
    apart = np.array([distance(values[i], values[j]) for i, j in zip(first, second, strict=True)])
    one, other = owners[first], owners[second]
    total = np.zeros((2, len(weights)))
    for start in range(0, len(weights), 100):
        # (100, pairs): a pair within a unit comes once with each copy of it.
        chunk = weights[start : start + 100]
        times = np.where(one == other, chunk[:, one], chunk[:, one] * chunk[:, other])
        total[:, start : start + 100] = times @ apart, times.sum(axis=1)
    return total[0] / total[1]
