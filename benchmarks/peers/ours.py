"""Sliceforge in the races: the plan is drawn inside the time that is measured, as the others draw theirs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from benchmarks.peers.chain import RATE, Chain
from sliceforge.engine import fuse, plan, stepwise
from sliceforge.engine.banks import Shelf
from sliceforge.engine.keys import Keys
from sliceforge.engine.op import Shapes
from sliceforge.engine.parse import from_config
from sliceforge.engine.recipe import Recipe

CHECKED = 8
"""Items that are made again by the plain executor."""


def rows(recipe: Recipe, parents: list[np.ndarray], seed: int, banks: Shelf | None) -> list[dict[str, Any]]:
    """The plan of a batch, one mapping for each item."""
    none = np.zeros(len(parents), np.int64)
    inventories = banks.inventories() if banks else {}
    if recipe.kind == "audio":
        shapes = Shapes(np.array([len(one) for one in parents]), none + RATE, none, none, inventories)
    else:
        sizes = np.array([one.shape[:2] for one in parents], np.int64)
        shapes = Shapes(none, none, sizes[:, 0], sizes[:, 1], inventories)
    columns = recipe.draw(Keys.of(seed, [f"i{n}" for n in range(len(parents))]), shapes)
    drawn: list[dict[str, Any]] = pa.table(plan.nulled(recipe, columns)).to_pylist()
    return drawn


def fused(
    recipe: Recipe, parents: list[np.ndarray], drawn: list[dict[str, Any]], banks: Any, threads: int
) -> list[Any]:
    """The batch by the fused executor; an item that cannot be made is an error here."""
    tasks = [fuse.Task(one, _rate(recipe), row) for one, row in zip(parents, drawn, strict=True)]
    made = fuse.make(recipe, tasks, banks=banks, threads=threads)
    for one in made:
        if isinstance(one, Exception):
            raise one
    return made


def step_by_step(recipe: Recipe, parents: list[np.ndarray], drawn: list[dict[str, Any]], banks: Any) -> list[Any]:
    """The batch by the plain executor."""
    return [stepwise.make(recipe, one, _rate(recipe), row, banks) for one, row in zip(parents, drawn, strict=True)]


def steps_apart(recipe: Recipe, left: list[Any], right: list[Any]) -> float:
    """The largest difference of two batches, in steps of 16 bit or grey levels of 255."""
    apart = max(float(np.abs(a.item.astype(np.float64) - b.item).max()) for a, b in zip(left, right, strict=True))
    return apart * (32768 if recipe.kind == "audio" else 1)


def shelf(chain: Chain, folder: Path) -> Shelf | None:
    """The banks of the material, for sound."""
    if chain.kind == "image":
        return None
    return Shelf.open({name: str(folder / name) for name in ("noise", "rirs")}, "audio")


def recipe_of(chain: Chain, steps: Mapping[str, Mapping[str, Any]]) -> Recipe:
    """Our steps of a chain as a recipe."""
    return from_config({"kind": chain.kind, "steps": {name: dict(steps[name]) for name in chain.steps}})


def parents_of(chain: Chain, batch: np.ndarray) -> list[np.ndarray]:
    """A batch as the items that an executor takes: (T,), or (H, W, 1)."""
    return list(batch) if chain.kind == "audio" else list(batch[..., None])


def prepare(chain: Chain, folder: Path, threads: int, steps: Mapping[str, Mapping[str, Any]], plain: bool) -> Any:
    """One round of a chain: draw and make, float32 in whole steps of 16 bit or uint8; `plain`: step by step."""
    recipe, banks = recipe_of(chain, steps), shelf(chain, folder)

    def work(batch: np.ndarray, number: int) -> list[Any]:
        parents = parents_of(chain, batch)
        drawn = rows(recipe, parents, number, banks)
        if plain:
            return step_by_step(recipe, parents, drawn, banks)
        return fused(recipe, parents, drawn, banks, threads)

    return work


def error(chain: Chain, folder: Path, steps: Mapping[str, Mapping[str, Any]]) -> float:
    """How far the fused executor is from the plain one on the same plan, in steps of the output."""
    recipe, banks = recipe_of(chain, steps), shelf(chain, folder)
    parents = parents_of(chain, np.load(folder / "batches.npy", mmap_mode="r")[0][:CHECKED])
    drawn = rows(recipe, parents, 0, banks)
    return steps_apart(recipe, fused(recipe, parents, drawn, banks, 1), step_by_step(recipe, parents, drawn, banks))


def _rate(recipe: Recipe) -> int:
    return RATE if recipe.kind == "audio" else 0
