"""Items per second of every recipe found under recipes/, stage by stage on one thread, and of the whole command.

make bench
"""

import itertools
import shutil
from pathlib import Path
from typing import Any

import pytest

from sliceforge.engine.bench import machine
from sliceforge.engine.compose import compose
from sliceforge.engine.errors import SettingError
from sliceforge.engine.manifest import read
from sliceforge.engine.parse import from_config
from sliceforge.engine.run import generate
from sliceforge.engine.stages import STAGES, Stages, copy_rate

HOME = Path(__file__).resolve().parents[1] / "recipes"
RECIPES = sorted(path.relative_to(HOME).with_suffix("").as_posix() for path in HOME.rglob("*.yaml"))
MADE = 1500
"""Items, at least, that a whole command makes."""


@pytest.fixture(scope="module", params=RECIPES)
def stages(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Stages:
    try:
        return Stages(compose("bench", [f"recipe={request.param}"]), tmp_path_factory.mktemp("shards"))
    except SettingError as error:
        pytest.skip(str(error))  # a bank that the package does not bring along


@pytest.mark.parametrize("stage", [*STAGES, "whole", "decode", "code"])
def test_stage(stage: str, stages: Stages, benchmark: Any, request: pytest.FixtureRequest) -> None:
    work = stages.of(stage)
    benchmark.extra_info |= {"recipe": request.node.callspec.params["stages"], "stage": stage, "items": work()}
    benchmark.extra_info |= {"bytes": stages.bytes_of_an_item()}
    benchmark.pedantic(work, rounds=11, warmup_rounds=1)


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("name", RECIPES)
def test_generate(name: str, workers: int, benchmark: Any, tmp_path: Path) -> None:
    counter = itertools.count()
    recipe = from_config(compose("generate", [f"recipe={name}"]))
    if recipe.banks():
        pytest.skip(f"banks.{min(recipe.banks())}: the package does not bring it along")
    material = read(None, recipe.kind)
    paths = [material.root / path for path in material.table["path"].to_pylist()]
    (tmp_path / "data").mkdir()
    for i, path in zip(range(MADE), itertools.cycle(paths), strict=False):
        shutil.copyfile(path, tmp_path / "data" / f"{path.stem}_{i}{path.suffix}")

    def whole() -> int:
        out = tmp_path / f"RUN{next(counter)}"
        settings = [f"recipe={name}", f"data={tmp_path / 'data'}", f"out={out}", f"workers={workers}", "shard=125"]
        made = generate(compose("generate", settings), name).made
        shutil.rmtree(out)
        return made

    stage = f"generate, {workers} worker{'s' * (workers > 1)}"
    benchmark.extra_info |= {"recipe": name, "stage": stage, "items": whole()}
    benchmark.pedantic(whole, rounds=3)


def test_copy(benchmark: Any) -> None:
    benchmark.extra_info |= {"recipe": "", "stage": "copy", "items": copy_rate(), **machine()}
    benchmark.pedantic(lambda: copy_rate(1), rounds=3)
