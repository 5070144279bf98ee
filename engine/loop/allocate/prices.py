"""Amounts under a budget: the prices at which what is wanted is what there is, by bisection."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

STEPS = 64
"""Bisections of a price: 400 decades down to the last digit."""


def cheapest(
    amount: Callable[[np.ndarray], np.ndarray], cost: np.ndarray, cap: np.ndarray, money: float, places: float
) -> np.ndarray:
    """Amounts (K,) at the least price μ · cost + ν that keeps both their cost and their number within bounds.

    μ is the worth of a unit of money, ν that of a place; both are found by bisection, and are 0 where there is enough.
    """

    def bought(mu: float, nu: float) -> np.ndarray:
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            wanted = np.nan_to_num(amount(mu * cost + nu), nan=0.0, posinf=math.inf)
        return np.clip(wanted, 0, cap)

    def affordable(nu: float) -> np.ndarray:
        return _least(lambda mu: bought(mu, nu), lambda d: bool(d @ cost <= money))

    return _least(affordable, lambda d: bool(d.sum() <= places))


def _least(amounts: Callable[[float], np.ndarray], fits: Callable[[np.ndarray], bool]) -> np.ndarray:
    """Amounts at the least price that fits; a higher price buys less, and a price without bounds nothing."""
    found = amounts(0.0)
    if fits(found):
        return found
    low, high = 1e-200, 1e200
    for _ in range(STEPS):
        middle = math.sqrt(low) * math.sqrt(high)
        tried = amounts(middle)
        if fits(tried):
            high, found = middle, tried
        else:
            low = middle
    return found


def rounded(amounts: np.ndarray, cost: np.ndarray, cap: np.ndarray, money: float, places: float) -> np.ndarray:
    """Whole items, (K,) int64, by largest remainder: what rounding down leaves buys one more each, while it fits."""
    made = np.floor(amounts + 1e-9).astype(np.int64)
    rest = amounts - made
    for k in np.argsort(-rest, kind="stable"):
        fits = (made @ cost) + cost[k] <= money + 1e-9 and made.sum() + 1 <= places and made[k] < cap[k]
        if rest[k] > 1e-9 and fits:
            made[k] += 1
    return made
