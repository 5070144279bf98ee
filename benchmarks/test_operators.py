"""Every operator, alone, and every recipe through the fused executor: items per second by device and batch.

make bench
"""

from typing import Any

import numpy as np
import pytest
import torch
from lawful import PARTS, RECIPES, alone

from benchmarks.material import Bank, tasks
from sliceforge.engine import fuse, stepwise
from sliceforge.engine.compose import load_recipe
from sliceforge.engine.errors import InputError
from sliceforge.engine.recipe import Recipe

DEVICES = ("cpu", *(("cuda",) if torch.cuda.is_available() else ()))
CHECKED = 8
"""Items that are made step by step too, to say how far the fused ones are from them."""

BANK = Bank()


def executor(device: str, recipe: Recipe) -> Any:
    """batch → finished items, on one thread or on the GPU."""
    if device == "cpu":
        return lambda some: fuse.make(recipe, some, BANK)
    pytest.skip("cuda: measured by benchmarks/gpu.sh, which needs no pytest")


def apart(recipe: Recipe, made: list[Any], some: list[fuse.Task]) -> float:
    """The largest difference from the step-by-step executor, in steps of 16 bit or grey levels."""
    largest = 0.0
    for fused, task in list(zip(made, some, strict=True))[:CHECKED]:
        try:
            plain = stepwise.make(recipe, task.parent, task.rate, task.row, BANK)
        except InputError:
            assert isinstance(fused, InputError)
            continue
        assert not isinstance(fused, InputError), fused
        largest = max(largest, float(np.abs(fused.item.astype(np.float64) - plain.item).max()))
    return largest * (32768 if recipe.kind == "audio" else 1)


def measure(name: str, recipe: Recipe, device: str, batch: int, benchmark: Any) -> None:
    """What both tests do."""
    some, make = tasks(recipe, batch), executor(device, recipe)
    error = apart(recipe, make(some), some)
    benchmark.extra_info |= {"name": name, "device": device, "items": batch, "error": error}
    benchmark.pedantic(make, (some,), rounds=7, warmup_rounds=1, iterations=8 if batch == 1 else 1)


@pytest.mark.parametrize("batch", [1, 64])
@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("name", PARTS)
def test_operator(name: str, device: str, batch: int, benchmark: Any) -> None:
    benchmark.extra_info["table"] = "operators"
    measure(name, alone(name), device, batch, benchmark)


@pytest.mark.parametrize("batch", [1, 64])
@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("name", RECIPES)
def test_recipe(name: str, device: str, batch: int, benchmark: Any) -> None:
    benchmark.extra_info["table"] = "recipes"
    measure(name, load_recipe(name), device, batch, benchmark)
