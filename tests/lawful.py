"""What the laws walk: every operator and every recipe, items of awkward sizes, and a bank that holds anything."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import yaml
from signals import voice

from sliceforge.engine import plan, stepwise
from sliceforge.engine.compose import load_recipe
from sliceforge.engine.donors import Donor
from sliceforge.engine.errors import InputError
from sliceforge.engine.keys import Keys
from sliceforge.engine.op import Inventory, Mix, Shapes, Source
from sliceforge.engine.operators import find
from sliceforge.engine.parse import from_config
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
