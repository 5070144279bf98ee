"""What every operator and every recipe owes, found by walking `conf/op` and `recipes`; there is no list to forget."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from lawful import PARTS, RECIPES, ROOT, Noise, every_recipe, make, material, part, rows_of, shapes_of

from sliceforge.engine import plan, stepwise
from sliceforge.engine.compose import load_recipe
from sliceforge.engine.keys import Keys
from sliceforge.engine.op import FORMS, Apply, Mix, Op
from sliceforge.engine.operators import APART, find
from sliceforge.engine.parse import from_config


@pytest.mark.parametrize("name", PARTS)
def test_a_part_names_its_own_file_and_every_setting(name: str) -> None:
    settings = part(name)
    assert settings["op"] == name
    kind = find(name)
    assert kind.__name__.lower() == name.split("/")[1].replace("_", "")
    assert issubclass(kind, Op)
    assert issubclass(kind, FORMS)
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
