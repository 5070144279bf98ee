"""The example of the loop: its data, its training script, and a loop that begins with them."""

import csv
import json
import sys
from pathlib import Path

import loop_tasks
import numpy as np
import pytest
import soundfile
import torch

from examples.speech_in_car import prepare, train
from sliceforge.engine.cli import main
from sliceforge.engine.loop.rows import predictions

FOLDER = Path(__file__).resolve().parents[1] / "examples" / "speech_in_car"


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Words instead of digits, under a noise that lasts three seconds."""
    folder = tmp_path_factory.mktemp("prepared")
    (folder / "clips").mkdir()
    (folder / "noises").mkdir()
    generator = np.random.default_rng(8)
    for label in loop_tasks.WORDS:
        for index in (*range(12), *range(40, 50)):
            sound = 0.5 * loop_tasks.word(label, 0.05, generator)
            soundfile.write(folder / "clips" / f"{label}_ann_{index}.wav", sound, loop_tasks.RATE)
    soundfile.write(folder / "noises" / "road.flac", generator.normal(0, 0.1, 48000), 16000)
    prepare.main(str(folder / "clips"), str(folder / "noises"), str(folder / "data"))
    return folder / "data"


def test_the_script_is_short_and_tells_words_that_it_did_not_hear(
    prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert len((FOLDER / "train.py").read_text("utf-8").splitlines()) <= 60
    tables = {}
    for name in ("train", "eval"):
        with (prepared / f"{name}.csv").open(newline="") as file:
            rows = [{**row, "path": str(prepared / row["path"])} for row in csv.DictReader(file)]
        tables[name] = tmp_path / f"{name}.csv"
        with tables[name].open("w", newline="") as file:
            out = csv.DictWriter(file, rows[0])
            out.writeheader()
            out.writerows(rows)
    monkeypatch.setattr(train, "STEPS", 40)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # more of them wait for one another longer than these small layers take
    train.main(str(tables["train"]), str(tmp_path / "p.csv"), str(tables["eval"]), "0")
    torch.set_num_threads(threads)
    told = predictions.load(str(tmp_path / "p.csv"))
    assert told.probabilities is not None
    assert told.mean() < 0.6  # of five words four are wrong by chance


def test_the_command_of_its_readme_is_one_that_the_loop_takes(
    prepared: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (FOLDER / "README.md").read_text("utf-8")
    line = next(line for line in text.replace("\\\n", " ").splitlines() if line.startswith("sliceforge loop"))
    command = line.split('"')[1].replace("train=", "")
    assert "{train} {predictions} {eval} {seed}" in command
    words = [word for word in line.split('"')[2].split() if not word.startswith(("data=", "eval=", "out="))]
    place = [f"data={prepared / 'train.csv'}", f"eval={prepared / 'eval.csv'}", f"out={tmp_path / 'LOOP'}"]
    command = command.replace("python", sys.executable, 1).replace("train.py", str(FOLDER / "train.py"))
    assert main(["loop", f"train={command}", *place, *words, "dry_run=true"]) == 0
    assert "baseline" in capsys.readouterr().out
    assert not (tmp_path / "LOOP").exists()


def test_prepared_rows_name_files_that_lie_beside_the_table(prepared: Path) -> None:
    for name in ("train", "eval"):
        with (prepared / f"{name}.csv").open(newline="") as file:
            rows = list(csv.DictReader(file))
        assert rows
        assert all((prepared / row["path"]).is_file() for row in rows)
        assert json.dumps(sorted(rows[0])) == json.dumps(["id", "label", "path", "speaker"])
