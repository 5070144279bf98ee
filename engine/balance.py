"""How many positions of an epoch each class has: as many as it has items, or evened out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sliceforge.engine.errors import SettingError, did_you_mean

WAYS = ("item", "class", "effective")


def check(sampling: str, beta: float) -> None:
    """Refuse another sampling than `WAYS`, or a β outside [0, 1).

    Raises:
        SettingError: one line.
    """
    if sampling not in WAYS:
        near = did_you_mean(str(sampling), WAYS)
        raise SettingError(f"sampling: {sampling!r}: expected one of {', '.join(WAYS)}{near}")
    if isinstance(beta, bool) or not isinstance(beta, int | float) or not 0 <= beta < 1:
        raise SettingError(f"beta: {beta!r}: expected a number from 0 to below 1, such as beta=0.999")


def positions(counts: Sequence[int], sampling: str, beta: float = 0.999) -> list[int]:
    """How many of an epoch's positions each class has; they sum to the number of items.

    Args:
        counts: items of each class, each at least 1.
        sampling: item: as it is; class: every class the same; effective: a class of n items weighs as its effective
            number says, n / ((1 − βⁿ) / (1 − β)) (Cui, Jia, Lin, Song, Belongie, "Class-balanced loss based on
            effective number of samples", CVPR 2019), which is `item` for β = 0 and comes to `class` as β comes to 1.
        beta: β, from 0 to below 1.

    >>> positions([90, 9, 1], "class"), positions([90, 9, 1], "effective", 0.9)
    ([34, 33, 33], [78, 13, 9])
    """
    total = sum(counts)
    sizes = np.asarray(counts, np.float64)
    if sampling == "item":
        return list(counts)
    weights = np.ones(len(sizes))
    if sampling == "effective":
        # −expm1(n·ln β) is 1 − βⁿ without cancelling.
        weights = sizes * (1 - beta) / -np.expm1(sizes * np.log(beta)) if beta else sizes
    exact = weights / weights.sum() * total
    whole = np.floor(exact).astype(int)
    # What rounding leaves goes to the greatest remainders, the first class first where they are the same.
    for place in np.argsort(-(exact - whole), kind="stable")[: total - whole.sum()]:
        whole[place] += 1
    return [int(one) for one in whole]
