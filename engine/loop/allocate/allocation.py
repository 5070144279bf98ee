"""How many made items each slice gets: Slice Tuner's optimum (Tae and Whang, SIGMOD 2021) in closed form."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from sliceforge.engine.errors import SettingError
from sliceforge.engine.loop.allocate.curves import Curve
from sliceforge.engine.loop.allocate.prices import cheapest, rounded

MOST = 4
"""Made items for each parent."""

KEEP = 0.4
"""Share of original items that the whole training set keeps at least."""


@dataclass(frozen=True)
class Need:
    """A slice that may get made items.

    Args:
        slice: its name.
        items: training items that it has, n.
        curve: its learning curve; None, or one that does not fit: its excess errors decide.
        excess: errors above what the reference error would give, in evaluation rows.
        weight: what a point of its loss is worth, such as its share in production.
        cost: of a made item, in units of the budget.
        rate: how many real items a made one is worth, r.
        parents: items that a recipe can take; None: those of the slice. The slice gets at most 4 times as many.

    Raises:
        SettingError: a number is out of range.
    """

    slice: str
    items: int
    curve: Curve | None = None
    excess: float = 0.0
    weight: float = 1.0
    cost: float = 1.0
    rate: float = 1.0
    parents: int | None = None

    def __post_init__(self) -> None:
        for name in ("cost", "rate"):
            if not 0 < getattr(self, name) < math.inf:
                raise SettingError(f"{self.slice}: {name} {getattr(self, name):g}; expected more than 0, such as 1")
        for name in ("items", "excess", "weight", "cap"):
            if not 0 <= getattr(self, name) < math.inf:
                raise SettingError(f"{self.slice}: {name} {getattr(self, name):g}; expected 0 or more, such as 1")

    @property
    def cap(self) -> int:
        """Made items at most."""
        return MOST * (self.items if self.parents is None else self.parents)

    @property
    def by_curve(self) -> bool:
        """Whether its curve decides."""
        return self.curve is not None and self.curve.believed and self.items > 0


@dataclass(frozen=True)
class Portion:
    """What one slice gets.

    Args:
        slice: its name.
        made: items.
        cost: of all of them.
        rule: `curve` or `excess errors`.
        gain, low, high: the fall of its loss that its curve expects, and a 95 % interval; None without a curve.
        capped: it gets 4 for each parent, and would have got more.
    """

    slice: str
    made: int
    cost: float
    rule: str
    gain: float | None
    low: float | None
    high: float | None
    capped: bool

    def plain(self) -> dict[str, Any]:
        """For YAML and JSON."""
        return {k: round(v, 6) if isinstance(v, float) else v for k, v in asdict(self).items()}


def allocate(needs: Sequence[Need], budget: float, originals: int) -> list[Portion]:
    """Divide a budget so that the weighted losses the curves expect are least: whole items, to the last that fits.

    Args:
        needs: the slices; they are taken to share no items.
        budget: in units of `Need.cost`.
        originals: items of the whole training set, of which made items stay below 60 %.

    Returns:
        A portion for each need, in their order.

    Raises:
        SettingError: no needs, a name twice, or a budget below 0.
    """
    amounts = divided(needs, budget, originals)
    made = rounded(
        amounts, np.array([n.cost for n in needs]), np.array([n.cap for n in needs]), budget, room(originals)
    )
    found = []
    for need, count in zip(needs, made.tolist(), strict=True):
        gain, low, high = None, None, None
        if need.by_curve and need.curve is not None:
            gain, low, high = need.curve.gain(need.items, need.rate * count)
        rule = "curve" if need.by_curve else "excess errors"
        found.append(Portion(need.slice, count, count * need.cost, rule, gain, low, high, 0 < need.cap == count))
    return found


def room(originals: int) -> int:
    """Made items at most, so that the training set keeps its share of originals."""
    return math.floor(originals * (1 - KEEP) / KEEP + 1e-9)


def divided(needs: Sequence[Need], budget: float, originals: int) -> np.ndarray:
    """The optimum in fractions of items, (K,) float64; see `allocate`.

    Slices without a believable curve get the share of the budget that they have of all excess errors, each in
    proportion to its own; what their caps leave goes to the others, and back.
    """
    names = [need.slice for need in needs]
    if not needs or len(set(names)) < len(names):
        raise SettingError(f"allocate: slices {', '.join(names) or 'none'}; expected some, each once")
    if not 0 <= budget < math.inf or originals < 0:
        raise SettingError(
            f"allocate: budget {budget:g}, {originals} originals; expected 0 or more, such as budget=600"
        )
    cost, cap = np.array([n.cost for n in needs]), np.array([n.cap for n in needs], np.float64)
    by_curve = np.array([n.by_curve for n in needs])
    excess = np.array([n.excess for n in needs])
    share = excess[~by_curve].sum() / excess.sum() if by_curve.any() and excess.sum() > 0 else float(not by_curve.any())
    out, most = np.zeros(len(needs)), room(originals)

    def fill(chosen: np.ndarray, amount: Callable[[np.ndarray], np.ndarray], part: float) -> None:
        if chosen.any() and part > 0:
            left = budget - (out * cost)[~chosen].sum(), most - out[~chosen].sum()
            out[chosen] = cheapest(amount, cost[chosen], cap[chosen], part * left[0], part * left[1])

    curved = [need for need in needs if need.by_curve]
    fill(~by_curve, lambda price: excess[~by_curve] / price, share)
    fill(by_curve, lambda price: optimum(curved, price), 1.0)
    fill(~by_curve, lambda price: excess[~by_curve] / price, 1.0)
    return out


def optimum(needs: Sequence[Need], price: np.ndarray) -> np.ndarray:
    """d = ((w a b r / p)^(1 / (a + 1)) − n) / r, where the next item's gain is its price (K,); below 0 it gets none."""
    a, b = (np.array([getattr(n.curve, name) for n in needs]) for name in ("a", "b"))
    weight, rate, items = (np.array([getattr(n, name) for n in needs]) for name in ("weight", "rate", "items"))
    return ((weight * a * b * rate / price) ** (1 / (a + 1)) - items) / rate
