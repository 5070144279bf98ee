"""The loop from end to end on tasks of a few seconds: noise, a scarce word, wrong labels; stopped and gone on with."""

import csv
import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import loop_tasks
import pyarrow.parquet as pq
import pytest
import yaml
from playwright.sync_api import sync_playwright

from sliceforge.engine.cli import main
from sliceforge.engine.loop import splits
from sliceforge.engine.loop.story import TITLES
from sliceforge.engine.loop.trial import count

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

STEPS = ["1_baseline", "2_find", "3_diagnose", "4_trial", "5_allocate", "6_generate", "7_retrain", "8_verify"]


def settings(folder: Path, train: str, evaluation: str, *more: str) -> list[str]:
    command = f"train={loop_tasks.command(folder)}"
    common = [command, f"data={train}", f"eval={evaluation}", "recipes=[speech/car_noise]", "workers=1"]
    return ["loop", *common, *more]


def receipt(home: Path, step: str) -> dict:
    return json.loads((home / step / "step.json").read_text("utf-8"))["found"]


def ids(place: Path) -> set[str]:
    return set(pq.read_table(place)["id"].to_pylist())


@pytest.fixture(scope="module")
def noise(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """A finished loop over a task with noise, and how it was called."""
    folder = tmp_path_factory.mktemp("noise")
    train, evaluation = loop_tasks.noise_task(folder)
    arguments = settings(folder, train, evaluation, f"out={folder / 'LOOP'}", "budget=60", "folds=2", "seeds=2")
    assert main(arguments) == 0
    return folder / "LOOP", arguments


def test_noise_that_nobody_told_of_is_found_made_and_shown_to_help(noise: tuple[Path, list[str]]) -> None:
    home, _ = noise
    (slice_, *_) = yaml.safe_load((home / "3_diagnose" / "slices.yaml").read_text("utf-8"))["slices"]
    assert slice_["cause"] == "nuisance"
    verdict = receipt(home, "8_verify")
    weak = verdict["verdict"]["changes"][0]
    assert verdict["decision"] == "accept"
    assert weak["low"] > 0
    assert weak["gain"] > 0.1
    made = pq.read_table(verdict["train"])
    assert made["made"].to_pylist().count(True) <= 60
    page = (home / "index.html").read_text("utf-8")
    assert slice_["name"] in page
    assert "http" not in page.replace("http-equiv", "")


def test_no_row_that_finds_or_tunes_reports_and_none_of_them_trains(noise: tuple[Path, list[str]]) -> None:
    home, _ = noise
    part = splits.read(home / "splits.parquet")
    assert ids(home / "2_find" / "predictions.parquet") == part["find"]
    assert ids(home / "8_verify" / "used.parquet") == part["find"] | part["tune"]
    verdict = receipt(home, "8_verify")["verdict"]["changes"]
    assert sum(one["rows"] for one in verdict if one["slice"] == "the rest") + verdict[0]["rows"] == len(part["report"])
    trained = pq.read_table(home / "6_generate" / "made" / "train.parquet")
    assert not set(trained["path"].to_pylist()) & {str(path) for path in home.parent.glob("eval/*.wav")}


def test_the_same_command_finds_it_finished_and_another_is_told_what_differs(
    noise: tuple[Path, list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    home, arguments = noise
    before = {path: path.stat().st_mtime_ns for path in home.glob("*/step.json")}
    assert main(arguments) == 0
    assert {path: path.stat().st_mtime_ns for path in home.glob("*/step.json")} == before
    assert [path.parent.name for path in sorted(before)] == STEPS
    capsys.readouterr()
    assert main([*arguments, "budget=100"]) == 2
    assert "budget was 60, now 100" in capsys.readouterr().err


def test_a_dry_run_counts_trainings_and_seconds_and_does_nothing(
    noise: tuple[Path, list[str]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home, arguments = noise
    assert main([*arguments, f"out={tmp_path / 'LOOP'}", "dry_run=true"]) == 0
    said = capsys.readouterr().out
    assert not (tmp_path / "LOOP").exists()
    most = 3 * count(7)
    assert f"{2 + 2 + most + 2} trainings at most are left" in said
    assert main([*arguments, "dry_run=true"]) == 0
    assert "0 trainings at most are left, 0 s" in capsys.readouterr().out
    assert sorted(path.name for path in home.glob("[0-9]*")) == STEPS


def test_killed_between_and_within_steps_it_goes_on_to_the_same_end(noise: tuple[Path, list[str]]) -> None:
    home, arguments = noise
    expected = {step: receipt(home, step) for step in STEPS}
    page = (home / "index.html").read_bytes()
    for step in STEPS[4:]:
        shutil.rmtree(home / step)
    (home / "4_trial" / "step.json").unlink()
    lost = sorted((home / "4_trial" / "trainings").iterdir())[::6]
    for training in lost:
        shutil.rmtree(training)
    (home / "index.html").unlink()
    process = [sys.executable, "-m", "sliceforge.engine.cli", *arguments]
    child = subprocess.Popen(process, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while not (home / "6_generate" / "made").exists() and child.poll() is None:
        time.sleep(0.01)
    child.send_signal(signal.SIGKILL)
    assert child.wait() == -signal.SIGKILL
    assert all(training.exists() for training in lost)
    assert not (home / "8_verify").exists()
    assert main(arguments) == 0
    assert {step: receipt(home, step) for step in STEPS} == expected
    assert (home / "index.html").read_bytes() == page


def test_what_cannot_be_judged_is_refused_before_anything_is_trained(
    noise: tuple[Path, list[str]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, arguments = noise
    train = next(one for one in arguments if one.startswith("data="))
    for given, told in (
        ("cluster=label", "values of label report; 8 are needed"),
        ("cluster=speakr", "no such column of eval; did you mean speaker"),
        (f"eval={train.removeprefix('data=')}", "is evaluated: its file is"),
        ("train=python train.py", "no {train} in it"),
        ("recipes=[speech/car_nois]", "speech/car_nois: no such recipe; did you mean speech/car_noise"),
        ("recipes=[steel/scratches]", "makes image, and data is audio"),
        ("banks.noise=nowhere", "banks.noise: nowhere: no such file or folder"),
    ):
        assert main([*arguments, f"out={tmp_path / 'LOOP'}", given]) == 2
        said = capsys.readouterr().err
        assert told in said
        assert said.count("\n") == 1
        assert not list(tmp_path.glob("LOOP/[0-9]*"))


@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium: install it (Debian: apt-get install chromium)")
def test_its_page_opens_without_a_network_says_nothing_on_the_console_and_fits_a_phone(
    noise: tuple[Path, list[str]],
) -> None:
    home, _ = noise
    with sync_playwright() as engines:
        browser = engines.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page, said = browser.new_context(offline=True, viewport={"width": 390, "height": 800}).new_page(), []
        page.on("console", lambda message: said.append(message.text))
        page.goto((home / "index.html").as_uri())
        titles = page.locator("h2").all_inner_texts()
        assert titles == list(TITLES.values())
        assert page.locator("svg.plot").count() == 3
        assert page.evaluate("document.documentElement.scrollWidth") == 390
        for link in page.locator("main a[href$='.html']").all():
            assert (home / str(link.get_attribute("href"))).is_file()
        browser.close()
    assert said == []


def test_of_a_scarce_word_the_trial_says_to_repeat_what_there_is(tmp_path: Path) -> None:
    train, evaluation = loop_tasks.scarce_task(tmp_path)
    home = tmp_path / "LOOP"
    more = ["budget=100", "recipes=[]", "folds=0", "seeds=2", f"out={home}"]
    assert main(settings(tmp_path, train, evaluation, *more)) == 0
    (said,) = receipt(home, "4_trial")["slices"].values()
    assert said["chosen"] == "oversample"
    table = pq.read_table(home / "6_generate" / "made" / "train.parquet")
    assert not any(table["made"].to_pylist())
    assert table["label"].to_pylist().count("aw") == 5 * 6
    verdict = receipt(home, "8_verify")["verdict"]
    assert verdict["changes"][0]["says"] == "gained"


def test_where_labels_are_wrong_it_asks_for_labels_and_makes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    train, evaluation = loop_tasks.label_task(tmp_path)
    home = tmp_path / "LOOP"
    assert main(settings(tmp_path, train, evaluation, "budget=100", "seeds=1", f"out={home}")) == 0
    said = capsys.readouterr().out
    assert "labels first" in said
    assert "nothing was made" in said
    with (home / "relabel.csv").open(newline="") as file:
        doubted = [row["id"] for row in csv.DictReader(file) if row["id"].startswith("train")]
    assert len(doubted) >= 15
    assert [path.name for path in sorted(home.glob("[0-9]*"))] == STEPS[:3]
