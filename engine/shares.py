"""Shares of tags: a setting, and how it is kept over a run as nearly as whole numbers can."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from sliceforge.engine.errors import SettingError


@dataclass(frozen=True)
class Shares:
    """The type of a setting that says which share of the rows a tag of a bank gets, as {street: 0.7, rain: 0.3}.

    Args:
        tags: sorted.
        weights: of each, together one.
    """

    tags: tuple[str, ...] = ()
    weights: tuple[float, ...] = ()

    @classmethod
    def parse(cls, value: Any, where: str) -> Shares:
        """Read what a recipe says; null, or {}, is no quota.

        Raises:
            SettingError: naming `where`.
        """
        if isinstance(value, Shares):
            return value
        given = {} if value is None else value
        numbers = list(given.values()) if isinstance(given, Mapping) else [None]
        good = [one for one in numbers if isinstance(one, int | float) and not isinstance(one, bool) and 0 < one < 1e9]
        if len(good) < len(numbers):
            raise SettingError(f"{where}: {value!r}: expected a share for each tag, such as {{street: 0.7, rain: 0.3}}")
        total = math.fsum(good)
        pairs = sorted((str(tag), share / total) for tag, share in given.items())
        return cls(tuple(tag for tag, _ in pairs), tuple(share for _, share in pairs))

    def at(self, slots: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The tag of each slot, (B,), and how many slots had that tag before: every beginning of the run comes as near
        to the shares as whole numbers can (Sainte-Laguë)."""
        most = int(slots.max(initial=0)) + 1
        tag, number = _sequence(self.weights, 1 << (most - 1).bit_length())
        return tag[slots], number[slots]


FREE = Shares()
"""No shares."""


@lru_cache(maxsize=4)
def _sequence(weights: tuple[float, ...], count: int) -> tuple[np.ndarray, np.ndarray]:
    seats = [np.arange(math.ceil(count * one) + 2) for one in weights]
    times = np.concatenate([(seat + 0.5) / one for seat, one in zip(seats, weights, strict=True)])
    order = np.argsort(times, kind="stable")[:count]
    tags = np.repeat(np.arange(len(weights)), [len(seat) for seat in seats])
    return tags[order], np.concatenate(seats)[order]
