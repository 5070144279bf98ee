"""What tests of paints share: draws, the change that a paint makes of an even grey, and what each paint owes."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import reference

from sliceforge.engine import plan, stepwise
from sliceforge.engine.codecs import image
from sliceforge.engine.compose import load_recipe
from sliceforge.engine.keys import Keys
from sliceforge.engine.op import Paint, Shapes
from sliceforge.engine.picture import render
from sliceforge.engine.recipe import Recipe


def plans(op: Paint, count: int, height: int = 128, width: int = 128, seed: int = 7) -> list[dict[str, Any]]:
    """The plan rows of some items of one size."""
    none = np.zeros(count, np.int64)
    keys = Keys.of(seed, [f"i{n}" for n in range(count)]).at("mark")
    columns = op.draw(keys, Shapes(none, none, none + height, none + width))
    return [{name: column[row].item() for name, column in columns.items()} for row in range(count)]


def change(op: Paint, draws: dict[str, Any], height: int = 128, width: int = 128, value: float = 0.5) -> np.ndarray:
    """Grey levels that an even image becomes brighter by, (H, W) float64."""
    even = np.full((height, width, 1), value, np.float32)
    return 255 * (render(even, [("mark", op, draws)]).image[..., 0].astype(np.float64) - np.float32(value))


def owes(op: Paint, draws: dict[str, Any], shape: tuple[int, int, int] = (63, 100, 3)) -> None:
    """The mask is where a value changed by a grey level, nothing changes elsewhere, and no value leaves 0…1."""
    noise = np.random.default_rng(0).random(shape, np.float32)
    made = render(noise, [("mark", op, draws)])
    moved = np.abs(made.image - noise).max(2)
    assert np.array_equal(made.masks["mark"], moved >= np.float32(op.label_above / 255))
    assert not moved[~made.masks["mark"]].any()
    assert made.image.min() >= 0
    assert made.image.max() <= 1
    outside = np.where(noise > 0.5, noise + 1, noise - 1)
    made = render(outside, [("mark", op, draws)])
    assert np.array_equal(made.image[~made.masks["mark"]], outside[~made.masks["mark"]])
    assert (made.image >= np.minimum(outside, 0)).all()
    assert (made.image <= np.maximum(outside, 1)).all()


def agrees(op: Paint, draws: dict[str, Any], shape: tuple[int, int, int]) -> None:
    """The compiled loop makes what the plain Python makes."""
    noise = np.random.default_rng(1).random(shape, np.float32)
    made, (ours, masks, _) = render(noise, [("mark", op, draws)]), reference.render(noise, [("mark", op, draws)])
    assert np.abs(made.image - ours).max() < reference.ROUNDED
    assert (made.masks["mark"] == masks["mark"]).mean() > 0.999


def drawn(recipe: Recipe, count: int, side: int = 200) -> list[dict[str, Any]]:
    """The plan rows of a recipe for square images."""
    none = np.zeros(count, np.int64)
    columns = recipe.draw(Keys.of(3, [f"i{n}" for n in range(count)]), Shapes(none, none, none + side, none + side))
    rows: list[dict[str, Any]] = pa.table(plan.nulled(recipe, columns)).to_pylist()
    return rows


def first_marks(name: str, count: int, side: int = 200) -> list[tuple[np.ndarray, dict[str, Any]]]:
    """What a recipe's first step makes of an even grey: the change in grey levels, (H, W) float64, and its draws."""
    recipe = load_recipe(name)
    step = recipe.steps[0]
    op = step.op
    assert isinstance(op, Paint)
    own = [recipe.draws(step, row) for row in drawn(recipe, count, side)]
    return [(change(op, draws, side, side), draws) for draws in own]


def accepted(name: str, folder: Path, count: int) -> float:
    """The share of first draws on the pictures of a folder that every gate of a step lets pass."""
    recipe = load_recipe(name)
    pictures = [image.decode(path) for path in sorted(folder.glob("*.png"))]
    passed = 0
    for n, row in enumerate(drawn(recipe, count)):
        made = stepwise.make(recipe, pictures[n % len(pictures)], 0, row, None)
        steps = [(gate, recipe.step(gate.step)) for gate in recipe.gates.values() if gate.step]
        active = [(gate, step) for gate, step in steps if recipe.active(step, row)]
        passed += all(gate.measure(made, step.op, recipe.draws(step, row)).ok for gate, step in active)
    return passed / count
