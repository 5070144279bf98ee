"""The user's command, and the trainings that it makes."""

import json
import os
import shlex
import signal
import sys
import threading
import time
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import csv

from sliceforge.engine.errors import RunError, SettingError
from sliceforge.engine.loop.command import Command
from sliceforge.engine.loop.rows import predictions
from sliceforge.engine.loop.trainings import Rows, Training, Trainings, load, write_manifest

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
    return Trainings(home, Command.of(text, 2), Rows(home / "eval.csv", frozenset(["e0", "e1", "e2", "e3"])), jobs)


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
        (ECHO.replace("range(4)", "range(5)"), "1 ids are not evaluated ones, such as 'e4'"),
        (ECHO.replace("'ab'[(i + int(seed)) % 2]", "''"), "pred: is nothing for 'e0' and 3 more rows"),
        (ECHO.replace("label,pred", "label,guess"), "expected id and one of"),
    ],
)
def test_a_command_that_fails_is_one_line_and_goes_on_once_it_is_mended(home: Path, text: str, told: str) -> None:
    with pytest.raises(SettingError) as caught:
        trainings(home, script(home, text)).done(wanted(home), quiet)
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(trainings(home, script(home, ECHO)).done(wanted(home), quiet)) == 2


def test_a_seed_that_says_something_else_is_named(home: Path) -> None:
    other = ECHO.replace(
        '"id,label,pred\\n" + said',
        '"id,label,pred\\n" + said if seed == "0" else "id,loss\\ne0,1\\ne1,1\\ne2,1\\ne3,1\\n"',
    )
    paths = trainings(home, script(home, other)).done(wanted(home), quiet)
    with pytest.raises(SettingError, match=r"predictions: seed_1\.csv: has other columns"):
        load(paths, ["e0"])


def test_rows_of_its_own_are_what_a_training_judges(home: Path) -> None:
    held = Rows(write_manifest(home / "held.csv", pa.table({"id": ["e0", "e1"]})), frozenset(["e0", "e1"]))
    count = "range(len(pathlib.Path(judged).read_text().split()) - 1)"
    text = script(home, ECHO.replace("range(4)", count).replace("seed =", "seed, judged ="))
    every = trainings(home, f"{text} {{eval}}")
    one = Training(home / "train.csv", 0, home / "3_diagnose", "fold_0", held)
    own, whole = every.done([one, *wanted(home, range(1))], quiet)
    assert [len(predictions.load(str(path)).ids) for path in (own, whole)] == [2, 4]


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
