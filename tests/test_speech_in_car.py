"""The example of the loop: its data, its training script, and a loop that begins with them."""

import csv
import shlex
import sys
from pathlib import Path

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
    """What comes with Sliceforge."""
    folder = tmp_path_factory.mktemp("prepared") / "data"
    prepare.main(str(folder))
    return folder


def rows(table: Path) -> list[dict[str, str]]:
    with table.open(newline="") as file:
        return [{**row, "path": str(table.parent / row["path"])} for row in csv.DictReader(file)]


def test_prepared_rows_name_files_that_lie_beside_the_table(prepared: Path) -> None:
    sides = {name: rows(prepared / f"{name}.csv") for name in ("train", "eval")}
    for side in sides.values():
        assert all(Path(row["path"]).is_file() for row in side)
        assert list(side[0]) == ["id", "path", "label", "speaker"]
        assert len({row["label"] for row in side}) == 8
    assert not {row["id"] for row in sides["train"]} & {row["id"] for row in sides["eval"]}


def test_own_clips_are_mixed_with_own_recordings(tmp_path: Path) -> None:
    (tmp_path / "clips").mkdir()
    (tmp_path / "noises").mkdir()
    tone = 0.5 * np.sin(2 * np.pi * 500 * np.arange(8000) / 16000)
    for index in (7, *range(40, 50)):
        soundfile.write(tmp_path / "clips" / f"up_ann_{index}.wav", tone, 16000)
    soundfile.write(tmp_path / "noises" / "road.flac", np.random.default_rng(8).normal(0, 0.1, 48000), 16000)
    prepare.main(str(tmp_path / "data"), str(tmp_path / "clips"), str(tmp_path / "noises"))
    (clean,) = rows(tmp_path / "data" / "train.csv")
    noisy = 0
    for row in (clean, *rows(tmp_path / "data" / "eval.csv")):
        sound, rate = soundfile.read(row["path"])
        power = np.abs(np.fft.rfft(sound)) ** 2
        noisy += power[np.abs(np.fft.rfftfreq(len(sound), 1 / rate) - 500) > 50].sum() > 0.01 * power.sum()
        assert (rate, len(sound)) == (8000, 4000)
    assert 0 < noisy < 10


def test_the_script_is_short_and_tells_words_that_it_did_not_hear(
    prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert len((FOLDER / "train.py").read_text("utf-8").splitlines()) <= 60
    for name in ("train", "eval"):
        whole = rows(prepared / f"{name}.csv")
        with (tmp_path / f"{name}.csv").open("w", newline="") as file:
            out = csv.DictWriter(file, whole[0])
            out.writeheader()
            out.writerows(whole)
    monkeypatch.setattr(train, "STEPS", 40)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # more of them wait for one another longer than these small layers take
    train.main(str(tmp_path / "train.csv"), str(tmp_path / "p.csv"), str(tmp_path / "eval.csv"), "0")
    torch.set_num_threads(threads)
    told = predictions.load(str(tmp_path / "p.csv"))
    assert told.probabilities is not None
    assert told.mean() < 0.6  # of eight words seven are wrong by chance


def test_the_command_of_its_readme_is_one_that_the_loop_takes(
    prepared: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (FOLDER / "README.md").read_text("utf-8").replace("\\\n", " ")
    line = next(line for line in text.splitlines() if line.startswith("sliceforge loop"))
    command, *words = shlex.split(line)[2:]
    assert "{train} {predictions} {eval} {seed}" in command
    words = [word for word in words if not word.startswith(("data=", "eval=", "out="))]
    place = [f"data={prepared / 'train.csv'}", f"eval={prepared / 'eval.csv'}", f"out={tmp_path / 'LOOP'}"]
    command = command.replace("python", sys.executable, 1).replace("train.py", str(FOLDER / "train.py"))
    assert main(["loop", command, *place, *words, "dry_run=true"]) == 0
    assert "baseline" in capsys.readouterr().out
    assert not (tmp_path / "LOOP").exists()
