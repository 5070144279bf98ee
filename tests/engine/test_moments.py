"""Alignments move with the sound: through a run, to the manifest and to KEY.json."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import soundfile

from sliceforge.engine.cli import main
from sliceforge.engine.compose import load_recipe
from sliceforge.engine.keys import Keys
from sliceforge.engine.moments import moved
from sliceforge.engine.op import Shapes

RATE = 8000


def click_at(second: float, seconds: float) -> np.ndarray:
    """A quiet hiss with a click in it."""
    sound = np.random.default_rng(0).normal(0, 0.003, round(seconds * RATE))
    sound[round(second * RATE)] = 0.9
    return sound


def test_a_word_stays_where_its_sound_is(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    rows = []
    for i, second in enumerate((0.1, 0.25, 0.4)):
        soundfile.write(data / f"{i}.wav", click_at(second, 0.6), RATE, subtype="FLOAT")
        words = [{"word": "click", "start": second, "end": 0.5}]
        rows.append({"path": f"{i}.wav", "start": second, "end": 0.5, "duration": 0.6, "words": words})
    (data / "items.jsonl").write_text("\n".join(map(json.dumps, rows)))
    recipe = tmp_path / "moved.yaml"
    recipe.write_text(
        "# @package _global_\n"
        "kind: audio\n"
        "steps:\n"
        "  speed: {op: audio/speed, factor: 0.8}\n"
        "  shift: {op: audio/shift, shift: 0.05}\n"
    )
    out = tmp_path / "RUN"
    code = main(
        ["generate", f"recipe={recipe}", f"data={data / 'items.jsonl'}", f"out={out}", "sink=folder", "workers=1"]
    )
    assert code == 0
    for row in pq.read_table(out / "manifest.parquet").to_pylist():
        made, rate = soundfile.read(out / row["path"])
        heard = int(np.abs(made).argmax()) / rate
        assert row["start"] == pytest.approx(heard, abs=1.5 / RATE)
        assert row["duration"] == pytest.approx(0.75)
        assert row["end"] == pytest.approx(0.5 / 0.8 + 0.05)
        assert row["words"][0] == pytest.approx({"word": "click", "start": row["start"], "end": row["end"]})
        said = json.loads((out / row["path"]).with_suffix(".json").read_text())
        assert said["words"] == row["words"]


SPOKEN = {
    "start": 0,  # whole seconds, which a speed makes fractions of
    "end": 1,
    "duration": 2.0,
    "words": [{"word": "go", "start": 0, "end": 1}, {"word": "on", "start": 1, "duration": 1}],
    "segments": [{"start": 0.5, "end": 1.5, "words": [{"word": "go", "start": 0.5, "end": 0.75, "score": 0.9}]}],
    "alignment": {"word": {"text": ["go", "on"], "start": [0.25, 1.0], "duration": [0.5, 0.25]}},
    "phones": {"start": [0.0, 0.5], "end": [0.5, 1.0]},
    "transcript": "go on",
}
"""What a row may say of moments, in every shape that is understood."""


def scaled(value: Any, factor: float, key: str = "") -> Any:
    """The same with every moment and duration divided by the factor."""
    if isinstance(value, dict):
        return {name: scaled(one, factor, name) for name, one in value.items()}
    if isinstance(value, list):
        return [scaled(one, factor, key) for one in value]
    return value / factor if key in ("start", "end", "duration") and value is not None else value


def flat(value: Any, place: str = "") -> dict[str, Any]:
    """Place → value of all that is in it, but for fields without one."""
    if isinstance(value, dict | list):
        pairs = value.items() if isinstance(value, dict) else enumerate(value)
        return {inner: one for name, part in pairs for inner, one in flat(part, f"{place}/{name}").items()}
    return {} if value is None else {place: value}


def test_the_speeds_of_a_run_move_every_alignment_along(tmp_path: Path) -> None:
    for i in range(6):
        soundfile.write(tmp_path / f"{i}.wav", click_at(1.0, 2.0), RATE, subtype="FLOAT")
    rows = [json.dumps({"path": f"{i}.wav", **SPOKEN}) for i in range(6)]
    (tmp_path / "items.jsonl").write_text("\n".join(rows))
    out = tmp_path / "RUN"
    given = ["recipe=speech/speed", f"data={tmp_path / 'items.jsonl'}", f"out={out}", "sink=folder", "workers=1"]
    assert main(["generate", *given]) == 0
    made = pq.read_table(out / "manifest.parquet").to_pylist()
    for row in made:
        factor = round(row["speed"], 6)
        sound, rate = soundfile.read(out / row["path"])
        assert int(np.abs(sound).argmax()) / rate == pytest.approx(1.0 / factor, abs=1.5 / RATE)
        expected = flat(scaled(SPOKEN, factor) | {"duration": len(sound) / rate})
        assert {key: value for key, value in flat(row).items() if key in expected} == pytest.approx(expected)
    assert {round(row["speed"], 6) for row in made} <= {0.9, 1.0, 1.1}
    assert len({row["speed"] for row in made}) > 1


@pytest.mark.parametrize("name", ["phone", "levels"])
def test_a_recipe_that_moves_nothing_leaves_every_moment(name: str) -> None:
    recipe = load_recipe(f"speech/{name}")
    one = np.ones(1, np.int64)
    columns = recipe.draw(Keys.of(1, ["a"]), Shapes(2 * RATE * one, RATE * one, 0 * one, 0 * one))
    found = moved(recipe, {key: column[0] for key, column in columns.items()} | SPOKEN, 2.0)
    assert flat(found) == pytest.approx(flat({key: SPOKEN[key] for key in found}))
    assert set(SPOKEN) - set(found) == {"transcript"}


def test_a_slower_voice_moves_its_words() -> None:
    recipe = load_recipe("speech/car_lombard", "steps.lombard.noise=80", "steps.lombard.tempo=0.95")
    one = np.ones(1, np.int64)
    columns = recipe.draw(Keys.of(1, ["a"]), Shapes(2 * RATE * one, RATE * one, 0 * one, 0 * one))
    row = {key: column[0] for key, column in columns.items()} | SPOKEN
    assert flat(moved(recipe, row, 2 / 0.95)["segments"]) == pytest.approx(flat(scaled(SPOKEN["segments"], 0.95)))


def test_no_moment_lies_outside_its_clip() -> None:
    recipe = load_recipe("speech/speed", "steps.speed.factor=0.9")
    words = [{"start": 1.8, "end": 2.5}, {"start": 1.8, "duration": 0.7}, {"start": None, "end": float("nan")}]
    found = moved(recipe, {"speed.factor": np.float32(0.9), "words": words}, 2.0)["words"]
    assert found[0] == {"start": 2.0, "end": 2.0}
    assert found[1] == {"start": 2.0, "duration": 0.0}
    assert found[2]["start"] is None
