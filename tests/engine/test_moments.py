"""Alignments move with the sound: through a run, to the manifest and to KEY.json."""

import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import soundfile

from sliceforge.engine.cli import main

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
