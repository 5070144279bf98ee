"""Items and banks in memory for operators measured alone: clips of 4 s at 16 kHz, grey images of 200 × 200."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from benchmarks.peers.chain import RATE, SECONDS
from sliceforge.engine import fuse, plan
from sliceforge.engine.donors import Donor
from sliceforge.engine.excerpts import excerpt
from sliceforge.engine.keys import Keys
from sliceforge.engine.op import Inventory, Shapes
from sliceforge.engine.recipe import Recipe

SIDE = 200
INVENTORIES = {
    "donors": Inventory(["spot"], np.zeros(0), ["spot"], ["mask"]),
    "rirs": Inventory(["hall"], np.array([0.5])),
    "noise": Inventory(["street"], np.array([30.0])),
    "voices": Inventory(["ann", "bob"], np.array([30.0, 30.0])),
}


class Bank:
    """One noise, one impulse response and one donor, made once."""

    def __init__(self) -> None:
        generator = np.random.default_rng(3)
        self.noise = generator.normal(0, 0.05, 30 * RATE).astype(np.float32)
        fall = 10 ** (-3 * np.arange(RATE // 2) / (RATE // 2))
        self.response = (generator.normal(0, 0.05, RATE // 2) * fall).astype(np.float32)
        self.response[0] = 0.9
        image = generator.uniform(0.4, 0.6, (24, 32, 1)).astype(np.float32)
        mask = np.zeros((24, 32), bool)
        mask[6:18, 8:24] = True
        self.thing = Donor(image, mask, mask, np.full_like(image, 0.5), "spot")

    def excerpt(self, bank: str, item: str, rate: int, offset: int, length: int) -> np.ndarray:
        """(length,) float32 of the noise."""
        return excerpt(self.noise, offset, length, rate)

    def sound(self, bank: str, item: str, rate: int, channel: float | None = None) -> np.ndarray:
        """(N,) float32, the noise or the response, whole."""
        return self.response if bank == "rirs" else self.noise

    def donor(self, bank: str, item: str) -> Donor:
        """The donor."""
        return self.thing


def parents(kind: str, count: int) -> list[tuple[np.ndarray, int]]:
    """(item, rate) each."""
    generator = np.random.default_rng(1)
    if kind == "image":
        return [(generator.integers(60, 190, (SIDE, SIDE, 1), np.uint8), 0) for _ in range(count)]
    t = np.arange(round(SECONDS * RATE)) / RATE
    made = []
    for pitch in generator.uniform(90, 220, count):
        voiced = sum(np.sin(2 * np.pi * pitch * k * t) / k for k in range(1, 12))
        made.append(((0.08 * voiced * np.clip(np.sin(2 * np.pi * 3 * t), 0.01, 1)).astype(np.float32), RATE))
    return made


def tasks(recipe: Recipe, count: int) -> list[fuse.Task]:
    """A batch of a recipe with its plan."""
    some, none = parents(recipe.kind, count), np.zeros(count, np.int64)
    if recipe.kind == "image":
        shapes = Shapes(none, none, none + SIDE, none + SIDE, INVENTORIES)
    else:
        shapes = Shapes(none + len(some[0][0]), none + RATE, none, none, INVENTORIES)
    columns = recipe.draw(Keys.of(3, [f"item {i}" for i in range(count)]), shapes)
    rows: list[dict[str, Any]] = pa.table(plan.nulled(recipe, columns)).to_pylist()
    return [fuse.Task(item, rate, row) for (item, rate), row in zip(some, rows, strict=True)]
