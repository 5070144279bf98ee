"""What is raced: some steps in order on clips or images of one size; and who does them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

RATE = 16000
"""Hertz of every clip."""

BATCH = 64
SECONDS = 4.0


@dataclass(frozen=True)
class Chain:
    """Steps that every contender does in this order.

    Args:
        name: what the table calls it.
        kind: audio or image.
        steps: names of `sound.STEPS` or `image.STEPS`.
        shape: (T,) samples, or (H, W) pixels.
        batches: of BATCH items each, which the rounds take in turn; together they pass any cache.
    """

    name: str
    kind: str
    steps: tuple[str, ...]
    shape: tuple[int, ...]
    batches: int = 8


Work = Callable[[np.ndarray, int], object]
"""One round: (a batch, the number of the round) → what was made of it."""

Prepare = Callable[[Chain, Path, int], Work]
"""(chain, folder of the material, threads) → one round."""


@dataclass(frozen=True)
class Contender:
    """A library, and how it is given the cores.

    Args:
        name: with its version.
        prepare: called once in each worker process.
        steps: names of steps that it has.
        layouts: `processes` (one thread in each of n), `threads` (n in one process); the better one counts.
    """

    name: str
    prepare: Prepare
    steps: frozenset[str]
    layouts: tuple[str, ...] = ("processes",)
