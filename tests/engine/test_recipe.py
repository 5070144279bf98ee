"""Recipes: skipped steps, branches, what they set, and one line for what is wrong."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from sliceforge.engine import plan
from sliceforge.engine.errors import SettingError
from sliceforge.engine.keys import Keys
from sliceforge.engine.op import Gain, Shapes
from sliceforge.engine.parse import from_config
from sliceforge.engine.recipe import Recipe

LEVEL = {"op": "audio/level", "level": [-35, -15]}
CABIN, MIX = {"op": "audio/cabin"}, {"op": "audio/mix"}


def rows(recipe: Recipe, count: int = 4000, seed: int = 1) -> list[dict[str, Any]]:
    none = np.zeros(count, np.int64)
    shapes = Shapes(none + 8000, none + 8000, none + 64, none + 64)
    columns = recipe.draw(Keys.of(seed, [str(i) for i in range(count)]), shapes)
    table: list[dict[str, Any]] = pa.table(plan.nulled(recipe, columns)).to_pylist()
    return table


def test_p_is_the_share_of_items_and_a_skipped_step_has_no_numbers() -> None:
    recipe = from_config({"steps": {"level": {**LEVEL, "p": 0.3}}})
    table = rows(recipe)
    share = np.mean([row["level.on"] for row in table])
    assert abs(share - 0.3) < 5 * np.sqrt(0.3 * 0.7 / 4000)
    assert all((row["level.level"] is None) is (row["level.on"] is False) for row in table)
    assert [bool(recipe.active(recipe.step("level"), row)) for row in table] == [row["level.on"] for row in table]


def test_one_of_takes_one_branch_by_weight() -> None:
    branches = {"soft": {**LEVEL, "level": -30}, "loud": {**LEVEL, "level": -10}}
    recipe = from_config({"steps": {"loudness": {"one_of": branches, "weights": {"soft": 3, "loud": 1}, "p": 0.8}}})
    table = rows(recipe)
    taken = [[bool(recipe.active(step, row)) for step in recipe.steps] for row in table]
    assert max(sum(both) for both in taken) == 1
    assert abs(np.mean([sum(both) for both in taken]) - 0.8) < 0.04
    soft = [row for row in table if row["loudness.on"] and row["loudness.choice"] == "soft"]
    assert abs(len(soft) / 4000 - 0.6) < 0.04
    assert all(row["loudness.soft.level"] == -30 and row["loudness.loud.level"] is None for row in soft)


def test_a_step_draws_the_same_whatever_stands_beside_it() -> None:
    alone = rows(from_config({"steps": {"level": LEVEL}}), 50)
    beside = rows(from_config({"steps": {"cabin": CABIN, "mix": MIX, "level": LEVEL}}), 50)
    assert [row["level.level"] for row in alone] == [row["level.level"] for row in beside]


def test_an_operator_may_stand_twice_and_draws_apart() -> None:
    table = rows(from_config({"steps": {"first": LEVEL, "second": LEVEL}}), 50)
    assert all(row["first.level"] != row["second.level"] for row in table)


def test_a_source_that_no_mix_uses_has_no_numbers() -> None:
    recipe = from_config({"steps": {"cabin": CABIN, "mix": {**MIX, "p": 0.5}}, "sets": {"speed": "cabin.speed"}})
    for row in rows(recipe, 100):
        assert (row["cabin.speed"] is None) is (row["mix.on"] is False)
        assert recipe.facts(row) == {"speed": row["cabin.speed"]}


def test_the_digest_sees_settings_and_versions_and_not_the_text_about_it() -> None:
    base = from_config({"about": "one", "steps": {"level": LEVEL}})
    assert base.digest == from_config({"about": "two", "steps": {"level": dict(LEVEL)}}).digest
    assert base.digest != from_config({"steps": {"level": {**LEVEL, "level": -20}}}).digest
    assert base.digest != from_config({"steps": {"louder": LEVEL}}).digest


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({}, "steps: a recipe needs at least one"),
        ({"steps": {"level": {"op": "audio/levl"}}}, "did you mean audio/level"),
        ({"steps": {"level": {"op": "os.system"}}}, r"need trust=\[os\]"),
        ({"steps": {"level": {"op": "gate/snr"}}}, "no operator"),
        ({"steps": {"level": {"op": "../audio/level"}}}, "expected family/noun"),
        ({"steps": {"level": {"level": -20}}}, "steps.level.op: None"),
        ({"steps": {"level": {**LEVEL, "levle": 3}}}, "did you mean level"),
        ({"steps": {"level": {**LEVEL, "level": 300}}}, "at most"),
        ({"steps": {"level": {**LEVEL, "p": 1.5}}}, "steps.level.p: 1.5"),
        ({"steps": {"level": -20}}, "expected settings"),
        ({"steps": {"Level": LEVEL}}, "lower-case word"),
        ({"steps": {"got": LEVEL}}, "lower-case word"),
        ({"steps": {"a": {"one_of": {"x": LEVEL}}}}, "at least two"),
        ({"steps": {"a": {"one_of": {"x": LEVEL, "y": LEVEL}, "weights": {"x": 1}}}}, "a share for each of x, y"),
        ({"steps": {"mix": MIX}}, "steps.mix.source: cabin: no earlier step"),
        ({"steps": {"mix": MIX, "cabin": CABIN}}, "no earlier step"),
        ({"steps": {"level": LEVEL, "affine": {"op": "image/affine"}}}, "steps for audio and image"),
        ({"steps": {"level": LEVEL}, "kind": "image"}, "kind: image"),
        ({"steps": {"level": LEVEL}, "rate": "fast"}, "rate: 'fast'"),
        ({"steps": {"level": LEVEL}, "guard_db": 3}, "guard_db: 3"),
        ({"steps": {"level": LEVEL}, "size": {"height": 3}}, "size: "),
        ({"steps": {"level": LEVEL}, "sets": {"x": "level.lvl"}}, "did you mean level.level"),
        ({"steps": {"level": LEVEL}, "gates": {"snr": {"step": "mix"}}}, "gates.snr.step: mix: no such step"),
        ({"steps": {"level": LEVEL}, "gates": {"snr": {"step": "level"}}}, "nothing that this gate measures"),
        ({"steps": {"level": LEVEL}, "sets": {"x": "levle.level"}}, "no step levle; did you mean level"),
        ({"steps": {"level": LEVEL}, "gates": {"snrr": {"step": "level"}}}, "did you mean gate/snr"),
    ],
)
def test_what_is_wrong_is_one_line_that_names_the_key(config: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingError, match=message) as error:
        from_config(config)
    assert "\n" not in str(error.value)


def test_own_operators_need_trust(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "my_ops").mkdir()
    (tmp_path / "my_ops" / "__init__.py").write_text("")
    (tmp_path / "my_ops" / "half.py").write_text(
        "from dataclasses import dataclass\n"
        "from sliceforge.engine.op import Gain\n"
        "@dataclass(frozen=True)\n"
        "class Half(Gain):\n"
        "    def factor(self, audio, rate, /, **plan):\n"
        "        return 0.5\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    config = {"steps": {"half": {"op": "my_ops.half"}}}
    with pytest.raises(SettingError, match="trust"):
        from_config(config)
    assert "my_ops" not in sys.modules
    op = from_config(config, ["my_ops"]).steps[0].op
    assert isinstance(op, Gain)
    assert op.factor(np.zeros(1), 8000) == 0.5
