"""Where to stop: when the next tenth of the budget buys little beside what the money has bought so far."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sliceforge.engine.errors import SettingError
from sliceforge.engine.loop.allocate.allocation import Need, divided

BATCH = 0.1
LEAST = 0.05
"""What the next batch must add to the gain so far: with less, the batches after it add less still."""


@dataclass(frozen=True)
class Stop:
    """What a part of the budget is expected to buy.

    Args:
        spent: where to stop, in units of the budget; all of it where every batch is worth it.
        share: of the whole budget's gain that is bought there.
        trace: (101, 2) float64, money and weighted gain, from nothing to all of it.
    """

    spent: float
    share: float
    trace: np.ndarray

    def plain(self) -> dict[str, Any]:
        """For YAML and JSON."""
        trace = [[round(float(money), 6), round(float(gain), 6)] for money, gain in self.trace]
        return {"spent": round(self.spent, 6), "share": round(self.share, 4), "trace": trace}


def stopped(needs: Sequence[Need], budget: float, originals: int, least: float = LEAST) -> Stop | None:
    """The first hundredth s of the budget where gain(s + 10 %) − gain(s) < least · gain(s); None without curves.

    Each amount of money is allocated anew, so that its gain is the best that it can buy. With gain(d) of a curve, 150
    clips of 600 that bring 88 % of the gain of 600 are where it stops, and 150 that bring 66 % are not.

    Args:
        needs: the slices; those without a believable curve buy nothing that is known.
        budget: in units of `Need.cost`.
        originals: items of the whole training set.
        least: from 0 to 1.

    Raises:
        SettingError: as of `allocate`, or `least` is no share.
    """
    if not 0 < least < 1:
        raise SettingError(f"stop: least {least:g}; expected more than 0 and less than 1, such as 0.05")
    curved = [need for need in needs if need.by_curve]
    if not curved:
        return None
    money = np.linspace(0, budget, 101)
    amounts = np.array([divided(curved, float(part), originals) for part in money])  # (101, K)
    gain = np.zeros(len(money))
    for need, made in zip(curved, amounts.T, strict=True):
        if need.curve is not None:
            gain += need.weight * (need.curve.loss(need.items) - need.curve.loss(need.items + need.rate * made))
    batch = round(100 * BATCH)
    enough = gain[batch:] - gain[:-batch] < least * gain[:-batch]
    at = int(np.argmax(enough)) if enough.any() else len(money) - 1
    return Stop(float(money[at]), float(gain[at] / gain[-1]) if gain[-1] > 0 else 1.0, np.stack([money, gain], axis=1))
