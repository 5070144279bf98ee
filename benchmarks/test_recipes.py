"""Items per second of every recipe found under recipes/, stage by stage on one thread, and of the whole command.

make bench
"""

import itertools
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from sliceforge.engine import plan, work
from sliceforge.engine.banks import Shelf
from sliceforge.engine.compose import compose
from sliceforge.engine.manifest import read
from sliceforge.engine.parse import from_config
from sliceforge.engine.run import generate

ROOT = Path(__file__).resolve().parents[1]
RECIPES = sorted(f"{path.parent.name}/{path.stem}" for path in ROOT.glob("recipes/*/*.yaml"))
BATCH = 64
STAGES = ("draw", "read", "apply", "measure", "encode")


class Bench:
    """A recipe over the built-in material, ready for any stage."""

    def __init__(self, name: str) -> None:
        config = compose("generate", [f"recipe={name}"])
        recipe = from_config(config)
        manifest = read(None, recipe.kind)
        parents = plan.survey(manifest, np.ones(len(manifest.table), bool), recipe, 7)
        self.parents = pa.concat_tables([parents] * (BATCH // len(parents) + 1)).slice(0, BATCH).combine_chunks()
        suffix = config["sink"][recipe.kind]
        spec = work.Spec(
            "", json.dumps(dict(recipe.source)), (), str(manifest.root), (), 7, None, 0, BATCH, "folder", suffix
        )
        self.shop, self.recipe = work.Workshop(spec), recipe
        self.rows = plan.draw(recipe, self.parents, 7, 1, {}).to_pylist()
        self.read = [self.shop.parent(row) for row in self.rows]
        self.outcomes = [work.Outcome(row) for row in self.rows]
        for outcome, (parent, rate) in zip(self.outcomes, self.read, strict=True):
            outcome.made = work.stepwise.make(recipe, parent, rate, outcome.row, Shelf.open({}))

    def stage(self, stage: str) -> Any:
        """One pass of a stage over the batch."""
        if stage == "draw":
            return plan.draw(self.recipe, self.parents, 7, 1, {})
        if stage == "read":
            return [self.shop.parent(row) for row in self.rows]
        if stage == "apply":
            pairs = zip(self.rows, self.read, strict=True)
            return [work.stepwise.make(self.recipe, parent, rate, row) for row, (parent, rate) in pairs]
        if stage == "measure":
            return [work.stepwise.measure(self.recipe, one.made, one.row) for one in self.outcomes if one.made]
        return [self.shop.item(one) for one in self.outcomes]


@pytest.fixture(scope="module", params=RECIPES)
def bench(request: pytest.FixtureRequest) -> Bench:
    return Bench(request.param)


@pytest.mark.parametrize("stage", STAGES)
def test_stage(stage: str, bench: Bench, benchmark: Any, request: pytest.FixtureRequest) -> None:
    bench.stage(stage)  # compile
    benchmark.extra_info |= {"recipe": request.node.callspec.params["bench"], "stage": stage, "items": BATCH}
    benchmark.pedantic(bench.stage, (stage,), rounds=15, warmup_rounds=2)


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("name", RECIPES)
def test_generate(name: str, workers: int, benchmark: Any, tmp_path: Path) -> None:
    counter = itertools.count()
    variants = 1000 // len(read(None, from_config(compose("generate", [f"recipe={name}"])).kind).table)

    def whole() -> int:
        out = tmp_path / f"RUN{next(counter)}"
        settings = [f"recipe={name}", f"out={out}", f"variants={variants}", f"workers={workers}"]
        made = generate(compose("generate", settings)).made
        shutil.rmtree(out)
        return made

    made = whole()
    benchmark.extra_info |= {"recipe": name, "stage": f"generate, {workers} workers", "items": made}
    benchmark.pedantic(whole, rounds=3)
