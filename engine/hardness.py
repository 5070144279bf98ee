"""Which items are worth their place in an epoch, by their loss under the model as it is."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from sliceforge.engine.errors import SettingError


@dataclass(frozen=True)
class Hardness:
    """Keeps the items whose loss lies in a band: what is learned already, and what may be mislabelled, is left out.

    An item whose loss is not known is kept.

    Args:
        losses: an original's id → its last loss: by `parent` of a batch, not by `id`.
        low, high: the band; both ends belong to it.
        originals: leave out originals, too, and not only what shares would make of them.

    Raises:
        SettingError: no band.
    """

    losses: Mapping[str, float]
    low: float = 0.0
    high: float = math.inf
    originals: bool = False

    def __post_init__(self) -> None:
        known = all(isinstance(one, int | float) for one in (self.low, self.high)) and isinstance(self.losses, Mapping)
        if not known or not self.low <= self.high:
            raise SettingError(f"hard: {self.low} to {self.high} is no band, such as Hardness(losses, 0.1, 3.0)")

    def keeps(self, ids: list[str]) -> np.ndarray:
        """Which of some items are kept, (N,) bool."""
        losses = (self.losses.get(item) for item in ids)
        return np.fromiter((loss is None or self.low <= loss <= self.high for loss in losses), bool, len(ids))
