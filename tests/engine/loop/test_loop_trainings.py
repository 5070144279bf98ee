"""The user's command, its trainings, the steps' folders, and which rows are for what."""

import json
import os
import shlex
import signal
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import csv

from sliceforge.engine.errors import RunError, SettingError
from sliceforge.engine.loop import splits, steps
from sliceforge.engine.loop.command import Command
from sliceforge.engine.loop.trainings import Training, Trainings, load, write_manifest

PYTHON = shlex.quote(sys.executable)


def script(folder: Path, text: str) -> str:
    path = folder / "train it.py"
    path.write_text(text, "utf-8")
    return f"{PYTHON} {shlex.quote(str(path))} {{train}} {{predictions}} {{seed}}"


ECHO = """\
import pathlib, sys
train, predictions, seed = sys.argv[1:]
rows = pathlib.Path(train).read_text().splitlines()[1:]
print("training on", len(rows), "with", seed)
said = "".join(f"e{i},a,{'ab'[(i + int(seed)) % 2]}\\n" for i in range(4))
pathlib.Path(predictions).write_text("id,label,pred\\n" + said)
with open(pathlib.Path(__file__).with_name("count"), "a") as file:
    file.write("x")
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    write_manifest(tmp_path / "eval.csv", pa.table({"id": ["e0", "e1", "e2", "e3"]}))
    write_manifest(tmp_path / "train.csv", pa.table({"id": ["a", "b"], "tags": [["x"], None]}))
    return tmp_path


def trainings(home: Path, text: str, jobs: int = 1) -> Trainings:
    return Trainings(home, Command.of(text, 2), home / "eval.csv", frozenset(["e0", "e1", "e2", "e3"]), jobs)


def wanted(home: Path, seeds: range = range(2), step: str = "1_baseline") -> list[Training]:
    return [Training(home / "train.csv", seed, home / step, f"seed_{seed}") for seed in seeds]


def quiet(done: int, wanted: int) -> None:
    assert 0 <= done <= wanted


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (None, "is not given"),
        ("python train.py {train}", "no {predictions}"),
        ("python train.py {train} {predictions}", "no {seed} in it with seeds=2"),
        ("python train.py {train} {prediction} {seed}", "did you mean predictions?"),
        ("python 'train.py {train} {predictions} {seed}", "No closing quotation"),
        ("python {train} {predictions} {seed} {", "expected a command"),
    ],
)
def test_a_wrong_template_is_refused_in_one_line(text: str | None, told: str) -> None:
    with pytest.raises(SettingError, match=r"^train: ") as caught:
        Command.of(text, 2)
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_template_of_plain_words_needs_no_shell_and_paths_stay_single_words() -> None:
    plain = Command.of("run {train} --out={predictions} {{x}}", 1)
    assert plain.words({"train": "a b; rm c", "predictions": "p"}) == ["run", "a b; rm c", "--out=p", "{x}"]
    shell = Command.of("run {train} > {predictions}", 1)
    assert shell.words({"train": "a b; rm c", "predictions": "p"})[2] == "run 'a b; rm c' > p"


def test_a_training_is_made_once_and_found_again_by_every_step(home: Path) -> None:
    every = trainings(home, script(home, ECHO), jobs=2)
    first = every.done(wanted(home), quiet)
    again = every.done(wanted(home, range(3), "4_trial"), quiet)
    assert again[:2] == first
    assert (home / "count").read_text() == "xxx"
    assert every.missing(wanted(home)) == 0
    assert len(every.seconds()) == 3
    assert "training on 2 with 1" in (home / "1_baseline" / "log" / "seed_1.txt").read_text()
    one, two = load(first, ["e3", "e0"])
    assert one.loss.tolist() == [1.0, 0.0]
    assert two.loss.tolist() == [0.0, 1.0]
    write_manifest(home / "train.csv", pa.table({"id": ["a", "b", "c"]}))
    assert every.missing(wanted(home)) == 2


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("print('hm'); raise ValueError('no data')", "ended with 1: ValueError: no data"),
        ("print('done')", "wrote no {predictions}"),
        (ECHO.replace("range(4)", "range(3)"), "1 of 4 evaluation rows are not in it, such as 'e3'"),
        (ECHO.replace("label,pred", "label,guess"), "expected id and one of"),
    ],
)
def test_a_command_that_fails_is_one_line_and_goes_on_once_it_is_mended(home: Path, text: str, told: str) -> None:
    with pytest.raises(SettingError) as caught:
        trainings(home, script(home, text)).done(wanted(home), quiet)
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(trainings(home, script(home, ECHO)).done(wanted(home), quiet)) == 2


def test_a_program_that_is_not_there_is_a_wrong_setting(home: Path) -> None:
    with pytest.raises(SettingError, match="no-such-program: No such file"):
        trainings(home, "no-such-program {train} {predictions} {seed}").done(wanted(home), quiet)


def test_a_command_that_a_signal_ends_runs_once_more(home: Path) -> None:
    once = "import os, pathlib, signal\nmark = pathlib.Path(__file__).with_name('killed')\n"
    once += "if not mark.exists():\n    mark.touch()\n    os.kill(os.getpid(), signal.SIGKILL)\n"
    assert trainings(home, script(home, once + ECHO)).done(wanted(home, range(1)), quiet)
    always = "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n"
    with pytest.raises(RunError, match="ended by SIGKILL"):
        trainings(home, script(home, always)).done(wanted(home, range(5, 6)), quiet)


def test_with_an_interrupt_the_command_ends_and_leaves_no_training(home: Path) -> None:
    slow = "import os, time, pathlib\nname = pathlib.Path(__file__).with_name\n"
    slow += "name('new').write_text(str(os.getpid()))\nname('new').rename(name('began'))\ntime.sleep(60)\n"
    every = trainings(home, script(home, slow))

    def interrupt() -> None:
        while not (home / "began").exists():
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt).start()
    with pytest.raises(KeyboardInterrupt):
        every.done(wanted(home, range(1)), quiet)
    with pytest.raises(ProcessLookupError):
        os.kill(int((home / "began").read_text()), 0)
    assert list((home / "1_baseline" / "trainings").glob("[!.]*")) == []
    every.sweep()
    assert list((home / "1_baseline" / "trainings").iterdir()) == []


def test_lists_of_a_manifest_are_json_in_a_csv(home: Path) -> None:
    assert csv.read_csv(home / "train.csv")["tags"].to_pylist() == [json.dumps(["x"]), ""]


def test_a_step_is_done_once_and_other_inputs_are_told(tmp_path: Path) -> None:
    calls = []

    def action(folder: Path) -> dict:
        calls.append(folder)
        return {"answer": 42}

    folder = steps.place(tmp_path, "find")
    assert steps.found(folder) is None
    for _ in range(2):
        assert steps.done(folder, {"data": "x"}, action) == {"answer": 42}
    assert calls == [folder]
    with pytest.raises(SettingError, match='data was "x", now "y"; name another folder'):
        steps.done(folder, {"data": "y"}, action)
    (folder / "step.json").write_text("{")
    with pytest.raises(RunError, match="is damaged"):
        steps.done(folder, {"data": "x"}, action)


def test_a_step_that_was_interrupted_goes_on_from_the_same_inputs_alone(tmp_path: Path) -> None:
    def broken(folder: Path) -> dict:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        steps.done(tmp_path / "1_x", {"data": "x"}, broken)
    with pytest.raises(SettingError, match="was begun from something else: data"):
        steps.done(tmp_path / "1_x", {"data": "y"}, broken)
    assert steps.done(tmp_path / "1_x", {"data": "x"}, lambda folder: {"n": 1}) == {"n": 1}


def test_a_folder_with_something_else_in_it_is_refused(tmp_path: Path) -> None:
    (tmp_path / "log").mkdir()
    steps.agree(tmp_path, {"budget": 100})
    steps.agree(tmp_path, {"budget": 100})
    with pytest.raises(SettingError, match="budget was 100, now 200"):
        steps.agree(tmp_path, {"budget": 200})
    (tmp_path / "loop.yaml").write_text("- x")
    with pytest.raises(SettingError, match="cannot be read"):
        steps.agree(tmp_path, {"budget": 100})
    (tmp_path / "loop.yaml").rename(tmp_path / "other")
    with pytest.raises(SettingError, match="is not empty and holds no loop"):
        steps.agree(tmp_path, {"budget": 100})


@pytest.mark.parametrize("clusters", [None, 100])
def test_no_row_and_no_cluster_is_in_two_parts_whatever_the_order(clusters: int | None) -> None:
    generator = np.random.default_rng(4)
    ids = [f"row {i}" for i in range(3000)]
    own = None if clusters is None else generator.integers(0, clusters, len(ids)).astype(str)
    part = splits.parts(ids, own, seed=3)
    order = generator.permutation(len(ids))
    turned = splits.parts([ids[i] for i in order], None if own is None else own[order], seed=3)
    assert (turned == part[order]).all()
    assert (splits.parts(ids, own, seed=4) != part).any()
    for name, share in splits.PARTS.items():
        assert abs((part == name).mean() - share) < (0.001 if clusters is None else 0.02)
    if own is not None:
        assert all(len(set(part[own == one])) == 1 for one in set(own))


def test_rows_in_two_parts_are_a_breach_that_is_told(tmp_path: Path) -> None:
    splits.write(tmp_path / "a.parquet", ["a", "b", "c"], np.array(["find", "tune", "report"]), None)
    assert splits.read(tmp_path / "a.parquet") == {
        "find": frozenset("a"),
        "tune": frozenset("b"),
        "report": frozenset("c"),
    }
    splits.write(tmp_path / "b.parquet", ["a", "b", "a"], np.array(["find", "tune", "report"]), None)
    with pytest.raises(RunError, match="id a is in find and in report"):
        splits.read(tmp_path / "b.parquet")
    splits.write(tmp_path / "c.parquet", ["a", "b"], np.array(["find", "tune"]), ["theo", "theo"])
    with pytest.raises(RunError, match="cluster theo is in find and in tune"):
        splits.read(tmp_path / "c.parquet")
    with pytest.raises(SettingError, match="2 clusters"):
        splits.parts(["a", "b", "c"], ["x", "x", "y"])
