"""What `device=` means: the choice, and what is said of it; a run and a benchmark on a card that is feigned."""

import itertools
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import yaml
from feigned import NO_CARD, PRETEND
from harness import tree

from sliceforge.engine import bench, device, near, trial
from sliceforge.engine.cli import main
from sliceforge.engine.codecs import audio, image
from sliceforge.engine.device import Device
from sliceforge.engine.errors import SettingError


def generated(strips: Path, out: Path, *more: str) -> int:
    settings = (
        f"data={strips}",
        f"out={out}",
        "workers=1",
        "batch=6",
        "shard=9",
        "gates.visible=null",
        "gates.box=null",
    )
    return main(["generate", "recipe=steel/scratches", *settings, *more])


def clocked(monkeypatch: pytest.MonkeyPatch, took: dict[str, Iterator[float]]) -> Callable[[str], Any]:
    """What makes items on a device in as many seconds as `took` says, call after call, by the clock that is asked."""
    now = [0.0]
    monkeypatch.setattr(device.time, "perf_counter", lambda: now[0])

    def make(name: str) -> None:
        now[0] += next(took[name])

    return make


@pytest.mark.usefixtures("card")
@pytest.mark.parametrize(
    ("cpu", "cuda", "workers", "line"),
    [
        (0.5, 0.0125, 16, "device: cuda, 5 120 items/s against 2 048 on 16 cores (64 items measured)"),
        (0.5, 0.0125, 80, "device: cpu, 10 240 items/s on 80 cores against 5 120 on cuda (64 items measured)"),
        (64.0, 128.0, 1, "device: cpu, 1 items/s on 1 core against 0.5 on cuda (64 items measured)"),
    ],
)
def test_the_faster_device_is_taken_and_both_rates_are_said(
    cpu: float, cuda: float, workers: int, line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    make = clocked(monkeypatch, {"cpu": itertools.repeat(cpu), "cuda": itertools.repeat(cuda)})
    chosen = device.faster(make, 64, workers)
    assert chosen.why == line
    assert chosen.name == line.split()[1].strip(",")
    assert chosen.recorded == (PRETEND if chosen.name == "cuda" else "cpu")


@pytest.mark.usefixtures("card")
def test_neither_compiling_nor_one_slow_round_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    took = {"cpu": iter([0.0, 2.0, 2.0, 0.0]), "cuda": iter([90.0, 1.0, 50.0, 1.0])}
    assert device.faster(clocked(monkeypatch, took), 10).name == "cuda"


@pytest.mark.usefixtures("card")
def test_a_device_that_fails_is_not_taken_and_its_words_are_said() -> None:
    def make(name: str) -> None:
        if name == "cuda":
            raise RuntimeError("out of\nmemory")

    assert device.faster(make, 8) == Device(why="device: cpu, since cuda failed: out of memory")


def test_without_a_driver_torch_is_not_asked() -> None:
    program = (
        "import sys; from sliceforge.engine import device; device.PLACES = ()\n"
        "assert device.missing() == 'no CUDA device is visible'\n"
        "assert not {'torch', 'numba'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


@pytest.mark.parametrize("hidden", ["", "-1"])
def test_devices_that_are_hidden_are_not_there(hidden: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", hidden)
    assert device.missing() == "CUDA_VISIBLE_DEVICES hides every device"


def test_where_a_driver_shows_a_device_torch_and_numba_have_the_word(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "nvidia0").touch()
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(device, "PLACES", (f"{tmp_path}/nvidia[0-9]*",))
    monkeypatch.setattr(device, "check", lambda name: None)
    assert device.missing("cuda:1") == ""

    def refuse(name: str) -> None:
        raise SettingError(f"device: {name}: 1 are visible, from cuda:0; {device.SAME}")

    monkeypatch.setattr(device, "check", refuse)
    assert device.missing("cuda:1") == "1 are visible, from cuda:0"
    with pytest.raises(SettingError, match=r"^device: cuda:1: 1 are visible, from cuda:0; device=cpu makes"):
        device.named("cuda:1")


def test_few_workers_share_a_device() -> None:
    assert [Device("cuda", "x").workers(asked, 16) for asked in (None, 12)] == [8, 12]
    assert [Device("cuda", "x").workers(None, 2), Device().workers(None, 16), Device().workers(3, 16)] == [2, 16, 3]


@pytest.mark.usefixtures("no_card")
@pytest.mark.parametrize("verb", ["generate", "bench"])
def test_a_device_that_is_not_there_is_refused_in_a_line(
    verb: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main([verb, "recipe=steel/scratches", "device=cuda"]) == 2
    assert capsys.readouterr().err == f"sliceforge: device: cuda: {NO_CARD}; device=cpu makes the same items\n"


@pytest.mark.usefixtures("no_card")
def test_without_a_device_auto_is_the_cpu_says_so_and_changes_no_byte(
    strips: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert generated(strips, tmp_path / "AUTO") == generated(strips, tmp_path / "CPU", "device=cpu") == 0
    shown = capsys.readouterr()
    assert shown.out.splitlines()[0] == f"device: cpu, since {NO_CARD}"
    assert shown.out.count("device: ") == 1
    assert not shown.err
    assert tree(tmp_path / "AUTO") == tree(tmp_path / "CPU")
    assert "device" not in yaml.safe_load((tmp_path / "CPU" / "run.yaml").read_text())


def test_what_is_measured_are_rows_of_the_runs_own_plan(
    card: SimpleNamespace, strips: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: dict[str, Any] = {}

    def faster(make: Any, items: int, workers: int) -> Device:
        make("cuda")
        seen.update(items=items, workers=workers, rows=card.made[-1][1])
        return Device(why="device: cpu, whatever")

    monkeypatch.setattr(trial.device, "faster", faster)
    assert generated(strips, tmp_path / "RUN", "device=auto") == 0
    planned = {row["id"]: row for row in pq.read_table(tmp_path / "RUN" / "plan-v001.parquet").to_pylist()}
    assert (seen["items"], seen["workers"]) == (6, 1)
    assert all(row == planned[row["id"]] for row in seen["rows"])
    assert "whatever" in (tmp_path / "RUN" / "log" / "command.json").read_text()


@pytest.fixture
def run(card: SimpleNamespace, strips: Path, tmp_path: Path) -> Path:
    """A run that was made on the card."""
    assert generated(strips, tmp_path / "RUN", "device=cuda") == 0
    return tmp_path / "RUN"


def test_a_run_on_a_card_says_so(run: Path, card: SimpleNamespace) -> None:
    said = yaml.safe_load((run / "run.yaml").read_text())
    assert said["device"] == PRETEND
    assert "numba-cuda" in said["versions"]
    assert {name for name, _ in card.made} == {"cuda"}


def test_originals_take_no_way_to_the_card(card: SimpleNamespace, strips: Path, tmp_path: Path) -> None:
    assert generated(strips, tmp_path / "RUN", "device=cuda", "keep_originals=true") == 0
    assert {row["variant"] for _, rows in card.made for row in rows} == {1}


def test_a_run_goes_on_only_on_its_own_device(run: Path, strips: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert generated(strips, run, "device=cpu", "variants=2") == 2
    assert 'device was "cuda, Pretend 100", now "cpu"' in capsys.readouterr().err
    assert generated(strips, run, "device=auto", "variants=2") == 0
    assert capsys.readouterr().out.startswith(f"device: cuda, as the run was begun on {PRETEND}\n")
    assert generated(strips, run, "device=cpu", "variants=3", "allow_other_cpu=true") == 0
    assert yaml.safe_load((run / "run.yaml").read_text())["device"] == PRETEND


def test_auto_goes_on_with_a_run_of_the_cpu_on_the_cpu(card: SimpleNamespace, strips: Path, tmp_path: Path) -> None:
    assert generated(strips, tmp_path / "RUN", "device=cpu") == 0
    assert generated(strips, tmp_path / "RUN", "device=auto", "variants=2") == 0
    assert not card.made
    assert generated(strips, tmp_path / "RUN", "device=cuda", "variants=2") == 2


@pytest.mark.parametrize("there", [True, False])
def test_an_audit_takes_a_step_for_the_same_and_no_more(
    there: bool, run: Path, card: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    if not there:
        monkeypatch.setattr(device, "missing", lambda name="cuda": NO_CARD)
    card.steps = 0
    capsys.readouterr()
    assert main(["audit", f"run={run}", "share=1"]) == 0
    assert ("device: cuda" if there else f"device: cpu, since {NO_CARD}") in (said := capsys.readouterr().err)
    assert said.endswith("compared within one step\n")
    card.steps = 3
    assert main(["audit", f"run={run}", "share=1"]) == (1 if there else 0)
    assert ("made again, it is 2 steps off" in capsys.readouterr().out) is there


def test_a_replay_takes_a_step_for_the_same_and_no_more(
    run: Path, card: SimpleNamespace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    item = pq.read_table(run / "manifest.parquet")["id"][0].as_py()
    for steps, code in ((1, 0), (0, 0), (3, 2)):
        card.steps = steps
        assert main(["replay", f"run={run}", f"id={item}", f"out={tmp_path / 'item.png'}"]) == code
    assert "its bytes are not the run's" in capsys.readouterr().err


def test_a_clip_is_a_step_away_in_its_own_steps() -> None:
    wave = np.arange(-200, 200, dtype=np.int16)
    one, other = (audio.encode(wave + np.int16(off), 16000, "flac") for off in (0, 1))
    assert (near.steps_apart(one, one, "flac"), near.steps_apart(one, other, "flac")) == (0, 1)
    assert near.steps_apart(one, audio.encode(wave[:-1], 16000, "flac"), "flac") == np.inf
    assert near.steps_apart(one, b"nothing", "flac") == np.inf


def test_an_image_of_16_bit_is_a_step_away_in_its_own_steps() -> None:
    pixels = np.arange(2400, dtype=np.uint16).reshape(40, 60, 1)
    one, other = (image.encode(pixels + np.uint16(off), "png") for off in (0, 1))
    assert near.steps_apart(one, other, "png") == 1


@pytest.mark.usefixtures("card")
@pytest.mark.parametrize("asked", ["[cpu,cuda]", "auto"])
def test_a_benchmark_of_both_shows_both(
    asked: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(bench, "copy_rate_on", lambda name: 2e12)
    assert main(["bench", "recipe=steel/scratches", f"device={asked}", "batch=4", "rounds=1"]) == 0
    out = capsys.readouterr().out
    for words in ("apply ", "apply, cuda", "whole, cuda", "copy, cuda", "Pretend 100", "2,000 GB/s", "at most 1 steps"):
        assert words in out
    assert max(map(len, out.splitlines())) < 120
    assert main(["bench", "recipe=steel/scratches", "device=cuda", "batch=4", "rounds=1"]) == 0
    assert "apply " not in capsys.readouterr().out
