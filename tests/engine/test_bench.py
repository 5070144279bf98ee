"""The benchmark: what it says, what it counts, and that it leaves nothing behind."""

import json
from pathlib import Path
from typing import Any

import pytest

from sliceforge.engine import cli
from sliceforge.engine.bench import WARM_UP, Speed, bench, measured, table
from sliceforge.engine.compose import compose
from sliceforge.engine.errors import SettingError
from sliceforge.engine.stages import STAGES

SMALL = ("batch=5", "rounds=3")


def benched(*settings: str) -> dict[str, Any]:
    config = compose("bench", [*SMALL, *settings])
    return bench(config, config["name"])


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_median_and_the_quartiles_are_those_of_the_seconds():
    assert Speed(10, (1.0, 2.0, 4.0, 5.0, 10.0)).rates() == (2.0, 2.5, 5.0)


def test_rounds_take_turns_and_the_first_ones_do_not_count():
    done = []

    def work(name: str, items: int) -> int:
        done.append(name)
        return items

    speeds = measured({"a": lambda: work("a", 3), "b": lambda: work("b", 4)}, 5, lambda *_: None)
    assert done == ["a", "b"] * (5 + WARM_UP)
    assert [(name, speed.items, len(speed.seconds)) for name, speed in speeds.items()] == [("a", 3, 5), ("b", 4, 5)]


@pytest.mark.parametrize("recipe", ["speech/car_noise", "steel/scratches"])
def test_each_stage_and_limit_is_in_the_json_and_nothing_else_is_left(recipe: str, here: Path):
    found = benched(f"recipe={recipe}", "out=deep/bench.json")
    assert json.loads((here / "deep" / "bench.json").read_text("utf-8")) == found
    assert [path.name for path in here.rglob("*")] == ["deep", "bench.json"]
    assert list(found["stages"]) == [*STAGES, "whole"]
    for speed in found["stages"].values():
        assert 0 < speed["q1"] <= speed["median"] <= speed["q3"]
        assert (speed["items"], len(speed["seconds"])) == (5, 3)
    assert set(found["limits"]) == {"decode alone", "code alone", "copy"}
    assert all(limit["median"] > 0 for limit in found["limits"].values())
    assert found["machine"]["cores_used"] == 1
    assert found["machine"]["ram_gib"] > 0
    assert {"python", "numpy", "numba", "torch", "sliceforge"} <= set(found["versions"])


def test_a_batch_larger_than_the_data_takes_items_again_with_draws_of_their_own(here: Path):
    from sliceforge.engine.stages import Stages

    stages = Stages(compose("bench", ["recipe=steel/scratches", "batch=40"]), here)
    rows = stages._draw().to_pylist()
    assert len({row["id"] for row in rows}) == 40
    assert len({row["path"] for row in rows}) < 40
    assert len({row["scratch.amplitude"] for row in rows}) == 40


@pytest.mark.parametrize("recipe", ["speech/car_noise", "steel/scratches"])
def test_apply_is_within_a_step_of_the_step_by_step_executor(recipe: str, here: Path):
    from sliceforge.engine.stages import Stages

    # Twelve of nine clips: some are nearly the same, and would be turned down.
    stages = Stages(compose("bench", [f"recipe={recipe}", "batch=12", "gates.duplicate=null"]), here)
    assert stages.of("step by step")() == stages.of("apply")() == 12
    assert 0 <= stages.error() <= 1


def test_the_table_names_every_stage_and_the_machine(here: Path):
    found = benched("recipe=speech/car_noise")
    text = table(found)
    assert found["machine"]["cpu"] in text
    for stage in (*STAGES, "whole", "decode alone", "code alone", "copy", "GB/s"):
        assert stage in text
    assert max(map(len, text.splitlines())) < 120


def test_cuda_is_refused_in_a_line(here: Path, capsys: pytest.CaptureFixture[str]):
    assert cli.main(["bench", "recipe=steel/scratches", "device=cuda"]) == 2
    assert capsys.readouterr().err == (
        "sliceforge: device: cuda: no CUDA device is visible; device=cpu makes the same items\n"
    )


def test_a_recipe_of_which_nothing_passes_is_refused(here: Path):
    with pytest.raises(SettingError, match="none of the items passed"):
        benched("recipe=steel/scratches", "gates.visible.cnr=1000", "retries=0")


def test_data_of_which_nothing_can_be_read_is_refused(here: Path):
    (here / "data").mkdir()
    (here / "data" / "a.png").write_bytes(b"nothing")
    with pytest.raises(SettingError, match="nothing in it can be read"):
        benched("recipe=steel/scratches", "data=data")


def test_an_out_that_is_no_place_for_a_file_is_refused(here: Path):
    (here / "file").write_text("")
    with pytest.raises(SettingError, match=r"^out: file/bench\.json"):
        benched("recipe=steel/scratches", "out=file/bench.json")
