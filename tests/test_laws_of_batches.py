"""What every operator and recipe owes of a batch: it is its items one by one, as the plain executor makes them."""

import copy
from typing import Any

import numpy as np
import pytest
import torch
from lawful import PARTS, Noise, alone, every_recipe, make, material, rows_of
from signals import voice

from sliceforge.engine import fuse
from sliceforge.engine.errors import InputError
from sliceforge.engine.gates import Made
from sliceforge.engine.keys import Keys
from sliceforge.engine.op import Apply, Shapes, Warp
from sliceforge.engine.operators import find
from sliceforge.engine.read import pad
from sliceforge.engine.recipe import Recipe


def tasks_of(recipe: Recipe, count: int) -> list[fuse.Task]:
    """Items, with masks and boxes where they are images."""
    found = []
    for (parent, rate), row in zip(material(recipe, count), rows_of(recipe, count), strict=True):
        mask = boxes = None
        if recipe.kind == "image":
            height, width = parent.shape[:2]
            y, x = np.mgrid[:height, :width]
            mask = (3 * x + 2 * y) % 40 < 20
            boxes = np.array([[0.1 * width, 0.2 * height, 0.6 * width, 0.9 * height], [0.0, 0, width, height]])
        found.append(fuse.Task(parent, rate, row, mask, boxes))
    return found


def bytes_of(one: Made | InputError) -> Any:
    if isinstance(one, InputError):
        return one.reason
    masks = {name: mask.tobytes() for name, mask in one.masks.items()}
    return one.item.tobytes(), masks, None if one.boxes is None else one.boxes.tobytes(), repr(one.gain)


@pytest.mark.parametrize("build", every_recipe())
def test_a_batch_is_its_items_one_by_one_on_any_number_of_threads(build: Any) -> None:
    recipe = build()
    tasks, bank = tasks_of(recipe, 20), Noise()
    before = copy.deepcopy(tasks)
    alone = [bytes_of(fuse.make(recipe, [one], bank)[0]) for one in tasks]
    for count, threads in ((20, 1), (20, 2), (7, 1), (7, 2), (1, 2)):
        batches = [tasks[start : start + count] for start in range(0, 20, count)]
        made = [one for batch in batches for one in fuse.make(recipe, batch, bank, threads)]
        assert [bytes_of(one) for one in made] == alone
    for one, was in zip(tasks, before, strict=True):
        assert one.row == was.row
        assert all(np.array_equal(getattr(one, name), getattr(was, name)) for name in ("parent", "mask", "boxes"))


@pytest.mark.parametrize("build", every_recipe())
def test_the_fused_executor_makes_what_the_plain_one_makes(build: Any) -> None:
    recipe = build()
    tasks = tasks_of(recipe, 20)
    values, marks = [], []
    for task, made in zip(tasks, fuse.make(recipe, tasks, Noise()), strict=True):
        plain = make(recipe, task.parent, task.rate, task.row, task.mask, task.boxes)
        if isinstance(plain, str):
            assert isinstance(made, InputError)
            assert made.reason == plain
            continue
        assert isinstance(made, Made)
        assert (made.item.shape, made.item.dtype) == (plain.item.shape, plain.item.dtype)
        apart = np.abs(made.item.astype(np.float64) - plain.item)
        values.append(apart.ravel() * (1 if recipe.kind == "image" else 32768))
        assert made.gain == pytest.approx(plain.gain, rel=1e-5, nan_ok=True)
        assert made.masks.keys() == plain.masks.keys()
        marks += [(mask == plain.masks[name]).ravel() for name, mask in made.masks.items()]
        if plain.boxes is not None:
            assert made.boxes is not None
            assert np.abs(made.boxes - plain.boxes).max() <= 1e-6
    steps = np.concatenate(values)
    assert steps.max() <= 1
    # A crop's places are simple fractions, so that one value in a few hundred lies halfway between two steps.
    assert (steps == 0).mean() >= (0.998 if any(isinstance(step.op, Warp) for step in recipe.steps) else 0.999)
    assert not marks or np.concatenate(marks).mean() >= 0.999


def exact_parts(family: str) -> list[str]:
    return [name for name in PARTS if name.startswith(family) and getattr(find(name), "batched_exact", False)]


def drawn(recipe: Recipe, step: str, shapes: Shapes, count: int) -> dict[str, torch.Tensor]:
    columns = recipe.draw(Keys.of(5, [f"item {i}" for i in range(count)]), shapes)
    own = {name.removeprefix(f"{step}."): column for name, column in columns.items() if name.startswith(f"{step}.")}
    return {name: torch.from_numpy(np.ascontiguousarray(column)) for name, column in own.items()}


@pytest.mark.parametrize("name", exact_parts("audio/"))
def test_a_batch_of_sound_is_its_items_one_by_one_whatever_the_padding_holds(name: str) -> None:
    recipe, step = alone(name), name.split("/")[1]
    clips = [voice(length / 8000, 8000)[:length] for length in (800, 4001, 2063)]
    lengths, none = np.array([len(clip) for clip in clips]), np.zeros(3, np.int64)
    columns = drawn(recipe, step, Shapes(lengths, none + 8000, none, none), 3)
    batch = pad(clips) | {"rate": torch.tensor([8000] * 3)}
    for i, length in enumerate(lengths):
        batch["audio"][i, length:] = torch.nan
    op = recipe.step(step).op
    assert isinstance(op, Apply)
    together = op.apply(batch, **columns)
    for i, clip in enumerate(clips):
        one = pad([clip]) | {"rate": torch.tensor([8000])}
        single = op.apply(one, **{key: column[i : i + 1] for key, column in columns.items()})
        length = int(single["length"][0])
        assert int(together["length"][i]) == length
        assert torch.equal(together["audio"][i, :length], single["audio"][0, :length])


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("name", exact_parts("image/"))
def test_a_batch_of_images_is_its_items_one_by_one(name: str, threads: int) -> None:
    recipe, step = alone(name), name.split("/")[1]
    generator = np.random.default_rng(2)
    batch = {
        "image": torch.from_numpy(generator.random((7, 3, 33, 41), np.float32)),
        "mask": torch.zeros(7, 0, 33, 41, dtype=torch.bool),
        "boxes": torch.zeros(7, 0, 4, dtype=torch.float64),
    }
    none = np.zeros(7, np.int64)
    columns = drawn(recipe, step, Shapes(none, none, none + 33, none + 41), 7)
    op, before = recipe.step(step).op, torch.get_num_threads()
    assert isinstance(op, Apply)
    torch.set_num_threads(threads)
    try:
        together = op.apply(batch, **columns)["image"]
        for i in range(7):
            one = {key: value[i : i + 1] for key, value in batch.items()}
            single = op.apply(one, **{key: column[i : i + 1] for key, column in columns.items()})
            assert torch.equal(together[i], single["image"][0])
    finally:
        torch.set_num_threads(before)
