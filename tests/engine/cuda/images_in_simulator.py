"""What holds of images, run in Numba's simulator by `test_image.py`, in a process of its own."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import simulator
import yaml

from sliceforge.engine import plan, stepwise
from sliceforge.engine.compose import load_recipe
from sliceforge.engine.cuda import flush, sampling
from sliceforge.engine.cuda.image import make
from sliceforge.engine.cuda.launch import launch
from sliceforge.engine.cuda.scripts import split
from sliceforge.engine.cuda.upload import upload
from sliceforge.engine.donors import Donor
from sliceforge.engine.errors import InputError, SettingError
from sliceforge.engine.fuse import Task
from sliceforge.engine.gates import Made
from sliceforge.engine.keys import Keys
from sliceforge.engine.op import Inventory, Shapes
from sliceforge.engine.parse import from_config
from sliceforge.engine.recipe import Recipe
from sliceforge.engine.step import Step
from sliceforge.kernels.image.photometric import Photometric

simulator.set_up()
# Of numbers that are none numpy warns, where a device goes on.
pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")

ROOT = Path(__file__).resolve().parents[3]
OPERATORS = {path.stem: path for path in sorted((ROOT / "conf" / "op" / "image").glob("*.yaml"))}
RECIPES = [path.relative_to(ROOT / "recipes").with_suffix("").as_posix() for path in (ROOT / "recipes").rglob("*.yaml")]
SIDES = [(1, 1, 4), (1, 7, 3), (5, 3, 1), (17, 33, 1), (5, 3, 4), (9, 12, 3)]
BANK = {"donors": Inventory(["block"], np.zeros(0), ["dent"], ["mask"])}


class Shelf:
    """One donor: a dark block."""

    def donor(self, bank: str, item: str) -> Donor:
        image, mask = np.full((12, 16, 1), 0.5, np.float32), np.zeros((12, 16), bool)
        image[4:8, 5:11], mask[4:8, 5:11] = 0.2, True
        return Donor(image, mask, mask, np.full((12, 16, 1), 0.5, np.float32), "dent")


def rows_of(recipe: Recipe, sizes: Sequence[tuple[int, int]], seed: int = 3) -> list[dict[str, Any]]:
    none, sides = np.zeros(len(sizes), np.int64), np.array(sizes, np.int64).reshape(-1, 2)
    shapes = Shapes(none, none, sides[:, 0], sides[:, 1], BANK)
    columns = recipe.draw(Keys.of(seed, [f"item {i}" for i in range(len(sizes))]), shapes)
    rows: list[dict[str, Any]] = pa.table(plan.nulled(recipe, columns)).to_pylist()
    return rows


def tasks_of(recipe: Recipe, sides: Sequence[tuple[int, int, int]], kind: Any = np.uint8) -> list[Task]:
    """Noise with smooth light, each second with a mask and two boxes."""
    generator, tasks = np.random.default_rng(len(sides)), []
    for n, (row, (height, width, channels)) in enumerate(
        zip(rows_of(recipe, [one[:2] for one in sides]), sides, strict=True)
    ):
        image = generator.normal(0.5, 0.1, (height, width, channels)) + np.linspace(-0.4, 0.4, width)[:, None]
        pixels = np.rint(image.clip(0, 1) * np.iinfo(kind).max).astype(kind)
        mask = np.zeros((height, width), bool)
        mask[height // 3 : 2 * height // 3 + 1, width // 4 : width // 2 + 1] = True
        boxes = np.array([[0, 0, width, height], [width / 4, 0, width / 2, height / 2]])
        tasks.append(Task(pixels, 0, row, mask, boxes) if n % 2 == 0 else Task(pixels, 0, row))
    return tasks


def agree(recipe: Recipe, tasks: Sequence[Task], made: Sequence[Made | InputError], steps: int = 1) -> None:
    """Every item is the plain executor's within a step, and of all masks 99.99 % of the pixels."""
    off = count = 0
    for task, one in zip(tasks, made, strict=True):
        if isinstance(one, InputError):
            with pytest.raises(InputError, match=one.reason):
                stepwise.make(recipe, task.parent, 0, task.row, Shelf(), task.mask, task.boxes)
            continue
        wanted = stepwise.make(recipe, task.parent, 0, task.row, Shelf(), task.mask, task.boxes)
        assert one.item.shape == wanted.item.shape
        assert one.item.dtype == wanted.item.dtype
        assert np.abs(one.item.astype(int) - wanted.item).max() <= steps
        assert one.masks.keys() == wanted.masks.keys()
        for name, mask in one.masks.items():
            assert mask.dtype == bool
            off, count = off + int((mask != wanted.masks[name]).sum()), count + mask.size
        assert (one.boxes is None) == (wanted.boxes is None)
        if one.boxes is not None:
            np.testing.assert_allclose(one.boxes, wanted.boxes, atol=1e-9)
    assert off <= 1e-4 * count


@pytest.mark.parametrize("name", OPERATORS)
def test_an_operator_alone_makes_what_the_plain_executor_makes(name: str) -> None:
    settings = yaml.safe_load(OPERATORS[name].read_text())
    recipe = from_config({"kind": "image", "steps": {"first": settings}})
    tasks = tasks_of(recipe, SIDES)
    agree(recipe, tasks, make(recipe, tasks, Shelf(), "cpu"))


@pytest.mark.parametrize("name", [name for name in RECIPES if load_recipe(name).kind == "image"])
def test_a_recipe_makes_what_the_plain_executor_makes(name: str) -> None:
    recipe = load_recipe(name)
    tasks = tasks_of(recipe, [(17, 33, 1), *[(9, 12, 3)] * 2, (5, 3, 1), (1, 1, 1)])
    agree(recipe, tasks, make(recipe, tasks, Shelf(), "cpu"))


def op(name: str, **settings: Any) -> dict[str, Any]:
    return {"op": f"image/{name}", **settings}


CHAINS = {
    "flagship": {name: op(name) for name in ("flip", "affine", "elastic", "photometric", "grain")},
    "turns": {
        "scratch": op("scratch", p=0.6),
        "affine": op("affine", p=0.6),
        "grain": op("grain", p=0.5),
        "elastic": op("elastic", p=0.5),
        "other": op("scratch", p=0.5),
        "crop": op("crop", p=0.5),
    },
    "apart": {
        "flip": op("flip"),
        "photometric": op("photometric", p=0.5),
        "rotate90": op("rotate90"),
        "affine": op("affine", p=0.5),
        "jpeg": op("jpeg", p=0.5),
        "scratch": op("scratch"),
        "crop": op("crop"),
        "blur": op("blur", p=0.5),
    },
}


@pytest.mark.parametrize("name", CHAINS)
@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_a_chain_with_steps_that_some_items_skip(name: str, kind: Any) -> None:
    recipe = from_config({"kind": "image", "steps": CHAINS[name]})
    tasks = tasks_of(recipe, [(9, 12, 1)] * 6 + [(7, 9, 3)] * 2, kind)
    # JPEG has 8 bits: where a value lies between two of them, either is right, and their difference is the codec's.
    steps = 1 if kind == np.uint8 and name != "apart" else 257 if name == "apart" else 40
    agree(recipe, tasks, make(recipe, tasks, Shelf(), "cpu"), steps)


def test_an_item_is_itself_whatever_else_is_in_the_batch() -> None:
    recipe = from_config({"kind": "image", "steps": CHAINS["turns"]})
    tasks = tasks_of(recipe, [(9, 12, 1)] * 5)
    together = make(recipe, tasks, None, "cpu")
    for task, one in zip(tasks, together, strict=True):
        (alone,) = make(recipe, [task], None, "cpu")
        assert isinstance(one, Made)
        assert isinstance(alone, Made)
        assert (one.item == alone.item).all()
        assert all((one.masks[name] == alone.masks[name]).all() for name in alone.masks)


def test_a_step_that_is_skipped_leaves_every_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    steps = {"affine": op("affine", p=0), "scratch": op("scratch", p=0)}
    recipe = from_config({"kind": "image", "steps": steps})
    tasks = tasks_of(recipe, [(5, 3, 3), (17, 33, 1)])
    for task, one in zip(tasks, make(recipe, tasks, None, "cpu"), strict=True):
        assert isinstance(one, Made)
        assert (one.item == task.parent).all()
        assert one.item is not task.parent


def test_images_of_one_size_are_one_copy_and_a_launch_for_each_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    started, copied = [], []

    def launched(kernel: Any, *arguments: Any) -> None:
        started.append(kernel.__name__)
        launch(kernel, *arguments)

    def uploaded(*arguments: Any) -> Any:
        copied.append(1)
        return upload(*arguments)

    monkeypatch.setattr(flush, "launch", launched)
    monkeypatch.setattr(flush, "upload", uploaded)
    recipe = from_config({"kind": "image", "steps": CHAINS["flagship"]})
    make(recipe, tasks_of(recipe, [(5, 3, 1)] * 4), None, "cpu")
    assert (len(started), len(copied)) == (1, 1)
    steps = {name: {**settings, "p": 1} for name, settings in CHAINS["turns"].items()}
    recipe = from_config({"kind": "image", "steps": steps})
    make(recipe, tasks_of(recipe, [(5, 3, 1)] * 4), None, "cpu")
    assert (len(started), len(copied)) == (5, 2)


def test_many_images_go_through_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = from_config({"kind": "image", "steps": CHAINS["flagship"]})
    tasks = tasks_of(recipe, [(5, 3, 1)] * 5)
    whole = make(recipe, tasks, None, "cpu")
    monkeypatch.setattr(flush, "MOST_BYTES", 4 * 15 * 2)
    for one, other in zip(whole, make(recipe, tasks, None, "cpu"), strict=True):
        assert isinstance(one, Made)
        assert isinstance(other, Made)
        assert (one.item == other.item).all()


def test_no_images_are_no_items() -> None:
    assert make(from_config({"kind": "image", "steps": CHAINS["flagship"]}), [], None, "cpu") == []


def test_a_position_in_a_wide_image_is_as_good_as_float32_can_say_it() -> None:
    generator = np.random.default_rng(8)
    matrices = np.zeros((50, 9))
    matrices[:, :6] = generator.normal(0, 1, (50, 6)) * (1, 0.1, 300, 0.1, 1, 300)
    matrices[:, 8] = 1
    kind, table = split(matrices, first=True)
    assert kind == sampling.AFFINE
    for matrix, numbers in zip(matrices, table.astype(np.float32), strict=True):
        x, y = generator.integers(0, 4096, 2)
        found = sampling.carried(numbers, 0, kind, np.float32(x), np.float32(y))
        for one, (a, b, c) in zip(found, (matrix[:3], matrix[3:6]), strict=True):
            assert abs(one - (a * x + b * y + c)) <= np.spacing(np.float32(1 + abs(a * x) + abs(b * y) + abs(c)))


class Broken(Photometric):
    """Makes one value that is no number."""


def broken_pixel(value: Any, x: Any, y: Any, row: Any) -> Any:
    """Not finite at pixel (2, 1) where the brightness is above one."""
    return value + (np.float32(np.inf) if x == 2 and y == 1 and row[0] > 1 else np.float32(0))


Broken.pixel = staticmethod(broken_pixel)


@pytest.mark.parametrize(
    "after", [(), (Step("flip", from_config({"kind": "image", "steps": {"flip": op("flip")}}).steps[0].op),)]
)
def test_a_value_that_is_not_finite_is_that_items_error_alone(after: tuple[Step, ...]) -> None:
    recipe = Recipe("image", (Step("broken", Broken()), *after), (), {}, {})
    image = np.full((5, 3, 1), 100, np.uint8)
    rows = [{"broken.brightness": b, "broken.contrast": 1.0, "broken.gamma": 1.0} for b in (1.0, 2.0, 1.0)]
    flips = {"flip.horizontal": True, "flip.vertical": False}
    first, second, third = make(recipe, [Task(image, 0, row | flips) for row in rows], None, "cpu")
    assert isinstance(second, InputError)
    assert second.reason == "non_finite"
    for one in (first, third):
        assert isinstance(one, Made)
        assert (one.item == 100).all()


def test_a_donor_without_a_bank_is_an_error_of_its_items_and_a_map_that_folds_one_of_the_recipe() -> None:
    recipe = load_recipe("steel/paste")
    tasks = tasks_of(recipe, [(17, 33, 1)] * 2)
    for one in make(recipe, tasks, None, "cpu"):
        assert isinstance(one, InputError)
        assert one.reason == "empty"
    recipe = from_config({"kind": "image", "steps": {"affine": op("affine")}})
    (task,) = tasks_of(recipe, [(5, 3, 1)])
    with pytest.raises(SettingError, match="no sensible map"):
        make(recipe, [Task(task.parent, 0, task.row | {"affine.scale": np.inf})], None, "cpu")
