"""What every operator and every recipe owes, found by walking `conf/op` and `recipes`; there is no list to forget."""

import copy
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
import yaml
from signals import voice

from sliceforge.engine import fuse, plan, stepwise
from sliceforge.engine.compose import load_recipe
from sliceforge.engine.donors import Donor
from sliceforge.engine.errors import InputError
from sliceforge.engine.gates import Made
from sliceforge.engine.keys import Keys
from sliceforge.engine.op import FORMS, Apply, Inventory, Mix, Op, Shapes, Source, Warp
from sliceforge.engine.operators import APART, find
from sliceforge.engine.parse import from_config
from sliceforge.engine.read import pad
from sliceforge.engine.recipe import Recipe

ROOT = Path(__file__).resolve().parents[1]
PARTS = sorted(
    path.relative_to(ROOT / "conf" / "op").with_suffix("").as_posix() for path in ROOT.glob("conf/op/*/*.yaml")
)
RECIPES = sorted(
    path.relative_to(ROOT / "recipes").with_suffix("").as_posix() for path in ROOT.glob("recipes/**/*.yaml")
)
SIZES = [(1, 1, 1), (1, 7, 1), (63, 100, 1), (64, 48, 3), (33, 31, 4)]
LENGTHS = [(8000, 8000), (4001, 8000), (16000, 16000), (6300, 44100)]


class Noise:
    """A bank that holds anything: a steady noise from any offset on."""

    def excerpt(self, bank: str, item: str, rate: int, offset: int, length: int) -> np.ndarray:
        whole = np.random.default_rng(len(item)).normal(0, 0.05, 1 << 17).astype(np.float32)
        return np.take(whole, np.arange(offset, offset + length), mode="wrap")

    def sound(self, bank: str, item: str, rate: int, channel: float | None = None) -> np.ndarray:
        fall = np.exp(-30 * np.arange(rate // 4) / rate).astype(np.float32)
        return self.excerpt(bank, item, rate, 0, rate // 4) * fall

    def donor(self, bank: str, item: str) -> Donor:
        image = np.random.default_rng(len(item)).uniform(0.4, 0.6, (9, 12, 3)).astype(np.float32)
        mask = np.zeros((9, 12), bool)
        mask[2:7, 3:8] = True
        return Donor(image, mask, mask, np.full_like(image, 0.5), "spot")


BANK = {"donors": Inventory(["dot", "spot"], np.zeros(0), ["spot"] * 2, ["mask"] * 2)}
BANK |= {"rirs": Inventory(["hall"], np.array([0.25])), "noise": Inventory(["hum", "street"], np.array([0.4, 3.0]))}
BANK |= {"voices": Inventory(["ann 1", "ann 2", "bob 1"], np.array([0.2, 0.3, 0.6]), groups=["ann", "ann", "bob"])}


def part(name: str) -> dict[str, Any]:
    settings: dict[str, Any] = yaml.safe_load((ROOT / "conf" / "op" / f"{name}.yaml").read_text("utf-8"))
    return settings


def alone(name: str) -> Recipe:
    """A recipe of one operator, and of what it cannot be without: a source beside a mix, a mix beside a source."""
    steps = {name.split("/")[1]: part(name)}
    kind = find(part(name)["op"])
    family = name.split("/")[0]
    for other in PARTS:
        needed = (Source,) if issubclass(kind, Mix) else (Mix,) if issubclass(kind, Source) else ()
        if other.split("/")[0] == family and issubclass(find(part(other)["op"]), needed):
            steps[other.split("/")[1]] = part(other)
    for settings in steps.values():
        if issubclass(kind, Source) and "procedural" in settings:
            settings["procedural"] = name.split("/")[1]
    sources_first = sorted(steps.items(), key=lambda step: not issubclass(find(step[1]["op"]), Source))
    return from_config({"kind": family, "steps": dict(sources_first)})


def every_recipe() -> list[Any]:
    return [pytest.param(lambda n=n: alone(n), id=n) for n in PARTS] + [
        pytest.param(lambda n=n: load_recipe(n), id=n) for n in RECIPES
    ]


def shapes_of(recipe: Recipe, count: int) -> Shapes:
    none = np.zeros(count, np.int64)
    if recipe.kind == "image":
        sizes = np.resize(np.array([size[:2] for size in SIZES]), (count, 2)).astype(np.int64)
        return Shapes(none, none, sizes[:, 0], sizes[:, 1], BANK)
    clips = np.resize(np.array(LENGTHS), (count, 2)).astype(np.int64)
    return Shapes(clips[:, 0], clips[:, 1], none, none, BANK)


def material(recipe: Recipe, count: int) -> list[tuple[np.ndarray, int]]:
    """Items of awkward sizes."""
    made: list[tuple[np.ndarray, int]] = []
    for i in range(count):
        if recipe.kind == "image":
            generator = np.random.default_rng(i)
            made.append((generator.integers(60, 190, SIZES[i % len(SIZES)], np.uint8), 0))
        else:
            length, rate = LENGTHS[i % len(LENGTHS)]
            made.append((voice(length / rate, rate, 100 + 9 * i)[:length], rate))
    return made


def rows_of(recipe: Recipe, count: int, seed: int = 3) -> list[dict[str, Any]]:
    columns = recipe.draw(Keys.of(seed, [f"item {i}" for i in range(count)]), shapes_of(recipe, count))
    rows: list[dict[str, Any]] = pa.table(plan.nulled(recipe, columns)).to_pylist()
    return rows


def make(recipe: Recipe, parent: np.ndarray, rate: int, row: dict[str, Any], *labels: Any) -> Any:
    try:
        return stepwise.make(recipe, parent, rate, row, Noise(), *labels)
    except InputError as error:
        return error.reason


@pytest.mark.parametrize("name", PARTS)
def test_a_part_names_its_own_file_and_every_setting(name: str) -> None:
    settings = part(name)
    assert settings["op"] == name
    kind = find(name)
    assert kind.__name__.lower() == name.split("/")[1].replace("_", "")
    assert issubclass(kind, Op)
    assert issubclass(kind, FORMS)
    import dataclasses

    assert [field.name for field in dataclasses.fields(kind)] == [key for key in settings if key != "op"]


def test_every_operator_has_a_part_and_every_part_an_operator() -> None:
    modules = {
        path.relative_to(ROOT / "kernels").with_suffix("").as_posix()
        for path in ROOT.glob("kernels/*/*.py")
        if path.stem != "__init__" and path.parent.name not in APART
    }
    assert modules == set(PARTS)


@pytest.mark.parametrize("build", every_recipe())
def test_a_plan_survives_json_and_parquet(build: Any, tmp_path: Path) -> None:
    recipe = build()
    columns = recipe.draw(Keys.of(1, [str(i) for i in range(50)]), shapes_of(recipe, 50))
    table = pa.table(plan.nulled(recipe, columns))
    pq.write_table(table, tmp_path / "plan.parquet")
    back = pq.read_table(tmp_path / "plan.parquet")
    assert back.equals(table)
    assert json.loads(json.dumps(table.to_pylist())) == table.to_pylist()


@pytest.mark.parametrize("build", every_recipe())
def test_a_row_of_a_plan_does_not_depend_on_its_batch(build: Any) -> None:
    recipe = build()
    keys, shapes = Keys.of(1, [str(i) for i in range(50)]), shapes_of(recipe, 50)
    whole = plan.nulled(recipe, recipe.draw(keys, shapes))
    rows = np.array([17, 3, 44])
    some = plan.nulled(recipe, recipe.draw(keys.take(rows), shapes.take(rows)))
    for name, column in whole.items():
        assert column.take(pa.array(rows)).equals(some[name]), name


@pytest.mark.parametrize("build", every_recipe())
def test_apply_is_pure_and_keeps_shape_type_and_range(build: Any) -> None:
    recipe = build()
    resized = any(isinstance(step.op, Apply) and step.op.resizes for step in recipe.steps)
    for (parent, rate), row in zip(material(recipe, 15), rows_of(recipe, 15), strict=True):
        before = parent.copy()
        parent.flags.writeable = False
        made, again = make(recipe, parent, rate, row), make(recipe, parent.copy(), rate, dict(row))
        assert (parent == before).all()
        if isinstance(made, str):
            assert made == again
            continue
        assert made.item.dtype == parent.dtype
        # A quarter turn, and nothing else, lets the sides of an image change places.
        turned = parent.swapaxes(0, 1).shape if any(hasattr(step.op, "turns") for step in recipe.steps) else ()
        assert made.item.shape in (parent.shape, turned) or resized
        assert np.isfinite(made.item).all()
        assert recipe.kind == "image" or np.abs(made.item).max() <= 1
        assert made.item.tobytes() == again.item.tobytes()


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


@pytest.mark.parametrize("build", every_recipe())
def test_a_recipe_whose_steps_are_skipped_changes_nothing(build: Any) -> None:
    recipe = build()
    steps = {name: {**settings, "p": 0} for name, settings in recipe.source["steps"].items()}
    never = from_config({**recipe.source, "steps": steps})
    for (parent, rate), row in zip(material(never, 5), rows_of(never, 5), strict=True):
        made = stepwise.make(never, parent, rate, row, Noise())
        assert made.gain == 1
        if recipe.kind == "image":
            assert np.array_equal(made.item, parent)
        else:
            assert (made.item == np.clip(np.rint(parent * 32768.0), -32768, 32767) / 32768).all()


@pytest.mark.parametrize("build", every_recipe())
def test_another_item_another_variant_and_another_seed_are_other_items(build: Any) -> None:
    recipe = build()
    drawn = []
    for seed, item, variant in ((1, "a", 1), (2, "a", 1), (1, "b", 1), (1, "a", 2)):
        # Sixty each, since a flip alone is one of two.
        keys = Keys.of(seed, [f"{item}{i}" for i in range(60)], variant)
        drawn.append(json.dumps(pa.table(plan.nulled(recipe, recipe.draw(keys, shapes_of(recipe, 60)))).to_pylist()))
    assert len(set(drawn)) == 4


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_reads_well(name: str) -> None:
    text = (ROOT / "recipes" / f"{name}.yaml").read_text("utf-8")
    lines = text.splitlines()
    assert lines[0] == "# @package _global_"
    assert lines[1].startswith(f"# sliceforge generate recipe={name} ")
    assert yaml.safe_load(text)["about"]
    recipe = load_recipe(name)
    # What only changes the light or moves pixels promises nothing that could be missed.
    promised = any(step.op.paints or isinstance(step.op, Mix) for step in recipe.steps)
    assert recipe.gates or not promised


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
    together = op.apply(batch, **columns)  # type: ignore[attr-defined]
    for i, clip in enumerate(clips):
        one = pad([clip]) | {"rate": torch.tensor([8000])}
        single = op.apply(one, **{key: column[i : i + 1] for key, column in columns.items()})  # type: ignore[attr-defined]
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
    torch.set_num_threads(threads)
    try:
        together = op.apply(batch, **columns)["image"]  # type: ignore[attr-defined]
        for i in range(7):
            one = {key: value[i : i + 1] for key, value in batch.items()}
            single = op.apply(one, **{key: column[i : i + 1] for key, column in columns.items()})  # type: ignore[attr-defined]
            assert torch.equal(together[i], single["image"][0])
    finally:
        torch.set_num_threads(before)
