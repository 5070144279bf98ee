"""Sweeps: the jobs are Hydra's, each has a folder of its own, and nothing is made before all are known to be right."""

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from harness import tree
from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.override_parser.overrides_parser import OverridesParser

from sliceforge.engine import multirun
from sliceforge.engine.cli import main
from sliceforge.engine.errors import RunError, SettingError
from sliceforge.engine.multirun import jobs
from sliceforge.engine.settings import CHOICES

SMALL = ("batch=16", "shard=8", "workers=1")
SWEEPS = [
    ("recipe=speech/car_noise,steel/scratches", "seed=1,2"),
    ("seed=range(1,4)", "variants=choice(1,2)", "batch=8"),
    ("steps.mix.snr=[0,10],[normal,5,2,0,9]", "rate=8000,16000"),
    ("steps.mix.snr=range(0,1,0.25)",),
    ("seed=sort(3,1,2)", "sink=folder,webdataset"),
    ("seed=1,2", "variants=3,4", "seed=5"),
    ("+op/audio@steps.extra=level,mix", "seed=tag(a,choice(1,2))"),
    ("sets.noise='a,b',\"c d\"",),
]


@pytest.mark.parametrize("arguments", SWEEPS, ids=" ".join)
def test_jobs_are_those_of_hydras_basic_sweeper_in_its_order(arguments: tuple[str, ...]) -> None:
    overrides = OverridesParser.create().parse_overrides(list(arguments))
    expected = [sorted(job) for job in BasicSweeper.split_arguments(overrides, None)[0]]
    assert [sorted(job.settings) for job in jobs(arguments)] == expected


def test_the_last_setting_varies_fastest() -> None:
    found = jobs(["recipe=speech/car_noise,steel/scratches", "seed=1,2", "out=S"])
    assert [(job.config["name"], job.config["seed"]) for job in found] == [
        ("speech/car_noise", 1),
        ("speech/car_noise", 2),
        ("steel/scratches", 1),
        ("steel/scratches", 2),
    ]
    assert found[1].title == "recipe=speech/car_noise seed=2"


def test_names_can_be_globbed() -> None:
    assert [job.config["name"] for job in jobs(["recipe=glob(*/sc*)"])] == ["steel/scratches"]
    assert [job.config["sink"]["kind"] for job in jobs(["sink=glob(*)"])] == sorted(CHOICES["sink.kind"])


def test_texts_are_taken_as_typed_and_never_split() -> None:
    texts = {"data": "a,b", "slice": "snr < 3 AND noise IN ('car', 'x')", "parents": "choice(1,2)"}
    given = [f"{key}={text}" for key, text in texts.items()]
    found = jobs([*given, "banks.noise=[a,b],c", "out=x,y", "seed=1,2"])
    assert len(found) == 2
    for number, job in enumerate(found, 1):
        assert {key: job.config[key] for key in texts} == texts
        assert job.config["banks"] == {"noise": "[a,b],c"}
        assert job.config["out"] == str(Path("x,y") / f"seed={number}")


def test_a_folder_is_named_by_what_varies_sorted_and_safe_as_a_path() -> None:
    found = jobs(["steps.mix.snr=[0,10],[-5,5]", "seed=1"])
    assert [Path(job.config["out"]).name for job in found] == ["steps.mix.snr=_0,10_", "steps.mix.snr=_-5,5_"]
    found = jobs(["seed=1,2", "recipe=speech/car_noise,steel/scratches", "batch=8", "out=S"])
    assert found[0].config["out"] == str(Path("S/recipe=speech_car_noise,seed=1"))
    assert jobs(["seed=1,2"])[0].config["out"] == str(Path("runs/multirun/seed=1"))


def test_no_two_jobs_share_a_folder_and_no_name_is_too_long() -> None:
    found = jobs(["sets.noise='a b',a_b,'a/b'"])
    assert len({job.config["out"] for job in found}) == 3
    long = ",".join(f"'{letter * 300}'" for letter in "ab")
    names = [Path(job.config["out"]).name for job in jobs([f"sets.noise={long}"])]
    assert len(set(names)) == 2
    assert max(map(len, names)) < 255


def test_with_nothing_that_varies_it_is_one_run_as_without() -> None:
    (job,) = jobs(["seed=3", "out=RUN"])
    assert job.config["out"] == "RUN"
    assert job.title == "speech/car_noise"
    (single,) = jobs(["seed=choice(3)", "out=RUN"])
    assert single.config["out"] == str(Path("RUN/seed=3"))


@pytest.mark.parametrize(
    ("argument", "named"),
    [
        ("seed=interval(0,1)", "range(1,9)"),
        ("seed=range(1,1)", "no values"),
        ("seed=range(1,5,0)", "no values"),
        ("seed=shuffle(1,2)", "no values"),
        ("seed=choice()", "no values"),
        ("recipe=glob(zzz*)", "recipe=speech/car_noise,"),
        ("seed=range(0,1000000000)", "at most 10,000"),
        ("sed=1,2", "did you mean seed"),
        ("seed=1,x", "seed=x: seed: 'x'"),
        ("steps.mix.snr=3,loud", "steps.mix.snr=loud"),
        ("steps.mix.source=either,bank", "banks.noise"),
        ("recipe=speech/car_noise,steel/scratch", "did you mean steel/scratches"),
        ("hydra/launcher=a,b", "no hydra"),
        ("sets.noise=a,'${oc.env:HOME}'", "references"),
    ],
)
def test_a_wrong_sweep_is_one_line_that_names_it(argument: str, named: str) -> None:
    with pytest.raises(SettingError) as caught:
        jobs([argument])
    assert named in str(caught.value)
    assert "\n" not in str(caught.value)


def test_nothing_is_made_while_any_job_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "SWEEP"
    assert main(["generate", "-m", "steps.mix.snr=3,loud", f"out={out}"]) == 2
    assert main(["generate", "--multirun", "recipe=speech/car_noise,steel/scratches", "steps.mix.snr=3"]) == 2
    assert "recipe=steel/scratches: steps.mix: no such key" in capsys.readouterr().err
    assert not out.exists()


def test_a_folder_that_is_a_run_takes_no_sweep(tmp_path: Path) -> None:
    (tmp_path / "run.yaml").write_text("")
    with pytest.raises(SettingError, match="holds a run"):
        jobs(["seed=1,2", f"out={tmp_path}"])


def test_every_job_is_made_and_the_exit_code_is_the_greatest(capsys: pytest.CaptureFixture[str]) -> None:
    seen = []

    def make(config: dict[str, Any], settings: list[str], folders: list[str]) -> int:
        seen.append(config["seed"])
        if config["seed"] == 2:
            raise RunError("the disk\nis full")
        return 1 if config["seed"] == 3 else 0

    assert multirun.multirun(["seed=1,2,3"], [], make) == 3
    assert seen == [1, 2, 3]
    shown = capsys.readouterr()
    assert shown.out.splitlines() == ["[1/3] seed=1", "[2/3] seed=2", "[3/3] seed=3"]
    assert shown.err == "sliceforge: the disk is full\n"


def test_each_run_of_a_sweep_is_the_run_made_alone(
    clips: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pattern = "pattern={label}_{speaker}_{index}"
    common = [f"data={clips}", pattern, "count=5", *SMALL]
    sweep = ["generate", "-m", *common, "seed=1,2", f"out={tmp_path / 'SWEEP'}"]
    assert main(sweep) == 0
    shown = capsys.readouterr().out.splitlines()
    assert [line for line in shown if line.startswith("[")] == ["[1/2] seed=1", "[2/2] seed=2"]
    assert sorted(path.name for path in (tmp_path / "SWEEP").iterdir()) == ["seed=1", "seed=2"]
    assert main(["generate", *common, "seed=2", f"out={tmp_path / 'ALONE'}"]) == 0
    assert tree(tmp_path / "SWEEP" / "seed=2") == tree(tmp_path / "ALONE")
    assert pq.read_table(tmp_path / "ALONE" / "manifest.parquet").num_rows == 5
    capsys.readouterr()
    assert main(sweep) == 0
    assert capsys.readouterr().out.count("finished already") == 2


def test_only_generate_sweeps_and_cfg_shows_every_job(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["audit", "-m", "run=a,b"]) == 2
    assert "expected sliceforge generate --multirun" in capsys.readouterr().err
    assert main(["generate", "-m", "seed=1,2", "--cfg", "job"]) == 0
    shown = capsys.readouterr().out.splitlines()
    assert [line for line in shown if line.startswith(("[", "seed:"))] == [
        "[1/2] seed=1",
        "seed: 1",
        "[2/2] seed=2",
        "seed: 2",
    ]
