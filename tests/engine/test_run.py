"""The main job: real files in, a run out; the same bytes however it was made."""

import csv
import json
import random
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import soundfile
from harness import command, killed, tree

from sliceforge.engine.cli import main

SMALL = ("batch=16", "shard=8", "seed=7", "workers=1")


def speech(clips: Path, out: Path, *more: str) -> list[str]:
    pattern = "pattern={label}_{speaker}_{index}"
    return ["generate", "recipe=speech/car_noise", f"data={clips}", pattern, f"out={out}", *SMALL, *more]


@pytest.fixture(scope="module")
def run(clips: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An unbroken run of two variants."""
    out = tmp_path_factory.mktemp("runs") / "RUN"
    assert main(speech(clips, out, "variants=2")) == 0
    return out


def test_every_planned_item_is_accepted_or_rejected(run: Path) -> None:
    manifest, rejects = pq.read_table(run / "manifest.parquet"), pq.read_table(run / "rejects.parquet")
    planned = [item for v in (1, 2) for item in pq.read_table(run / f"plan-v00{v}.parquet")["id"].to_pylist()]
    assert sorted(planned) == sorted(manifest["id"].to_pylist() + rejects["id"].to_pylist())
    assert len(manifest) == 46


def test_labels_and_speakers_are_carried_and_facts_are_set(run: Path) -> None:
    for row in pq.read_table(run / "manifest.parquet").to_pylist():
        label, speaker, index = row["parents"][0].split("_")
        assert (row["label"], row["speaker"], row["index"]) == (label, speaker, index)
        assert row["noise"] == "car"
        assert -5 <= row["snr"] <= 20
        assert row["snr"] == pytest.approx(row["asked.snr"])


def test_plan_order_mixes_classes(run: Path) -> None:
    labels = [row.split("_")[0] for row in pq.read_table(run / "plan-v001.parquet")["parent"].to_pylist()]
    assert labels != sorted(labels)
    assert len(set(labels[:8])) > 3


@pytest.mark.parametrize("more", [("batch=1",), ("batch=7",), ("batch=64",), ("workers=2",)], ids=lambda more: more[0])
def test_batch_and_workers_change_no_byte(more: tuple[str, ...], run: Path, clips: Path, tmp_path: Path) -> None:
    assert main(speech(clips, tmp_path / "RUN", "variants=2", *more)) == 0
    assert tree(tmp_path / "RUN") == tree(run)


def test_the_order_of_a_manifest_changes_no_byte(clips: Path, tmp_path: Path) -> None:
    paths = sorted(path.name for path in clips.glob("*.wav"))
    runs = []
    for turn in range(2):
        random.Random(turn).shuffle(paths)
        table = clips / f"table{turn}.csv"
        with table.open("w", newline="") as file:
            csv.writer(file).writerows([("path", "label"), *((path, path[0]) for path in paths)])
        runs.append(tmp_path / f"RUN{turn}")
        code = main(["generate", f"data={table}", f"out={runs[-1]}", *SMALL])
        table.unlink()
        assert code == 0
    assert tree(runs[0]) == tree(runs[1])


def test_a_third_variant_is_all_that_is_made(run: Path, clips: Path, tmp_path: Path) -> None:
    out = tmp_path / "RUN"
    assert main(speech(clips, out, "variants=2")) == 0
    before = {path: path.stat().st_mtime_ns for path in (out / "shards").iterdir()}
    assert main(speech(clips, out, "variants=3")) == 0
    after = {path: path.stat().st_mtime_ns for path in (out / "shards").iterdir()}
    assert all(after[path] == moment for path, moment in before.items())
    assert {path.name[:4] for path in set(after) - set(before)} == {"v003"}
    assert main(speech(clips, tmp_path / "WHOLE", "variants=3")) == 0
    assert tree(out) == tree(tmp_path / "WHOLE")


def test_a_finished_run_says_so_and_is_left_alone(run: Path, clips: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = {path: path.stat().st_mtime_ns for path in run.rglob("*") if "log" not in path.parts and path.is_file()}
    assert main(speech(clips, run, "variants=2")) == 0
    assert "finished already" in capsys.readouterr().out
    assert all(path.stat().st_mtime_ns == moment for path, moment in before.items())


# Renames of a run of two variants in one process: run.yaml, two plans, six shards and receipts, rejects, manifest.
BEFORE, AFTER = "before", "after"
POINTS = [(1, BEFORE), (2, BEFORE), (3, AFTER), (4, BEFORE), (4, AFTER), (9, AFTER), (16, BEFORE), (17, BEFORE)]


@pytest.mark.parametrize(("point", "when"), POINTS)
def test_killed_anywhere_the_same_command_ends_with_the_same_bytes(
    point: int, when: str, run: Path, clips: Path, tmp_path: Path
) -> None:
    arguments = speech(clips, tmp_path / "RUN", "variants=2")
    assert killed(point, when, *arguments) == -9
    assert tree(tmp_path / "RUN") != tree(run)
    assert main(arguments) == 0
    assert tree(tmp_path / "RUN") == tree(run)


def test_count_makes_the_first_accepted_and_can_grow(run: Path, clips: Path, tmp_path: Path) -> None:
    ids = pq.read_table(run / "manifest.parquet")["id"].to_pylist()
    out = tmp_path / "RUN"
    for count in (5, 8, 30):
        assert main(speech(clips, out, f"count={count}")) == 0
        assert pq.read_table(out / "manifest.parquet")["id"].to_pylist() == ids[:count]
        fresh = tmp_path / f"FRESH{count}"
        assert main(speech(clips, fresh, f"count={count}", "workers=2")) == 0
        assert tree(out) == tree(fresh)
    assert main(speech(clips, out, "count=3")) == 2


def test_a_run_of_another_plan_is_refused_and_what_differs_is_named(
    run: Path, clips: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for change, named in (
        ("seed=8", "seed was 7, now 8"),
        ("steps.mix.snr=[0,1]", "steps.mix.snr"),
        ("shard=9", "shard"),
    ):
        before = tree(run)
        assert main(speech(clips, run, "variants=2", change)) == 2
        error = capsys.readouterr().err
        assert named in error
        assert error.count("\n") == 1
        assert tree(run) == before


def test_a_folder_that_holds_something_else_is_left_alone(clips: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    assert main(speech(clips, tmp_path)) == 2
    assert {path.name for path in tmp_path.iterdir()} == {"mine.txt", "log"}


def test_bad_input_becomes_rejects_and_the_run_goes_on(clips: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    for path in sorted(clips.glob("*.wav"))[:12]:
        (data / path.name).write_bytes(path.read_bytes())
    (data / "0_ann_100.wav").write_bytes(b"")
    (data / "0_ann_101.wav").write_bytes(b"RIFF no wave")
    soundfile.write(data / "0_ann_102.wav", np.zeros(4000), 8000)
    soundfile.write(data / "0_ann_103.wav", np.full(4000, np.nan, np.float32), 8000, subtype="FLOAT")
    whole = next(path for path in sorted(clips.glob("*.wav"))).read_bytes()
    (data / "0_ann_104.wav").write_bytes(whole[: len(whole) // 2])
    assert main(speech(data, tmp_path / "RUN")) == 1
    rejects = pq.read_table(tmp_path / "RUN" / "rejects.parquet").to_pylist()
    reasons = {row["parents"][0]: row["reason"] for row in rejects}
    assert reasons == {
        "0_ann_100": "empty",
        "0_ann_101": "unreadable",
        "0_ann_102": "silent",
        "0_ann_103": "non_finite",
        "0_ann_104": "unreadable",
    }
    assert pq.read_table(tmp_path / "RUN" / "manifest.parquet").num_rows == 12
    assert main(speech(data, tmp_path / "RUN2", "max_rejects=0.5")) == 0


def test_a_slice_is_a_promise_that_every_made_row_keeps(clips: Path, tmp_path: Path) -> None:
    promise = "slice=noise = 'car' AND snr < 0 AND speed > 60"
    assert main(speech(clips, tmp_path / "RUN", promise)) == 0
    rows = pq.read_table(tmp_path / "RUN" / "manifest.parquet").to_pylist()
    assert len(rows) == 23
    assert all(row["snr"] < 0 and row["speed"] > 60 and row["slice"] == promise[6:] for row in rows)
    assert main(speech(clips, tmp_path / "RUN2", "slice=snr < -20")) == 2
    assert main(speech(clips, tmp_path / "RUN3", "slice=snr < 0 AND label = '3'")) == 2


def test_parents_choose_who_is_enlarged(clips: Path, tmp_path: Path) -> None:
    assert main(speech(clips, tmp_path / "RUN", "parents=speaker = 'ann'")) == 0
    assert set(pq.read_table(tmp_path / "RUN" / "manifest.parquet")["speaker"].to_pylist()) == {"ann"}
    assert main(speech(clips, tmp_path / "RUN2", "parents=speeker = 'ann'")) == 2


def test_a_bank_is_mixed_in(clips: Path, noises: Path, tmp_path: Path) -> None:
    more = (f"banks.noise={noises}", "steps.mix.source=bank", "variants=2")
    assert main(speech(clips, tmp_path / "RUN", *more)) == 0
    plan = pq.read_table(tmp_path / "RUN" / "plan-v001.parquet").to_pylist()
    assert {row["mix.item"] for row in plan} == {"hum", "street", "wind"}
    assert main(speech(clips, tmp_path / "RUN2", "steps.mix.source=bank")) == 2


def test_images_carry_masks_boxes_and_a_class(strips: Path, tmp_path: Path) -> None:
    out = tmp_path / "RUN"
    code = main(["generate", "recipe=steel/scratches", f"data={strips}", f"out={out}", "sink=folder", *SMALL])
    assert code == 0
    from PIL import Image

    for row in pq.read_table(out / "manifest.parquet").to_pylist():
        after = np.asarray(Image.open(out / row["path"])).astype(int)
        before = np.asarray(Image.open(strips / row["parent_path"])).astype(int)
        mask = np.asarray(Image.open((out / row["path"]).with_suffix(".mask.png"))) > 0
        assert after.shape == before.shape == mask.shape
        assert (after == before)[~mask].mean() > 0.98
        assert (after != before)[mask].mean() > 0.9
        rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
        hull = [min(b[0] for b in row["boxes"]), min(b[1] for b in row["boxes"])]
        hull += [max(b[2] for b in row["boxes"]), max(b[3] for b in row["boxes"])]
        assert hull == [columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]
        assert row["label"] == "scratches"
        said = json.loads((out / row["path"]).with_suffix(".json").read_text())
        assert said["id"] == row["id"]
        assert said["boxes"] == row["boxes"]


def test_replay_gives_the_same_bytes_and_stems_add_up(run: Path, tmp_path: Path) -> None:
    row = pq.read_table(run / "manifest.parquet").to_pylist()[5]
    out = tmp_path / "item.flac"
    assert main(["replay", f"run={run}", f"id={row['id']}", f"out={out}", "stems=true"]) == 0
    import hashlib

    assert hashlib.sha256(out.read_bytes()).hexdigest() == row["sha256"]
    parts = [soundfile.read(tmp_path / f"item.{name}.wav", dtype="float32")[0] for name in ("foreground", "mix")]
    item = soundfile.read(out, dtype="float32")[0]
    assert np.abs(parts[0] + parts[1] - item).max() <= 0.51 / 32768
    assert main(["replay", f"run={run}", "id=nobody~1", f"out={out}"]) == 2


def test_audit_passes_a_good_run_and_finds_a_changed_byte(run: Path, clips: Path, tmp_path: Path) -> None:
    assert main(["audit", f"run={run}", "share=0.2"]) == 0
    out = tmp_path / "RUN"
    assert main(speech(clips, out)) == 0
    shard = next((out / "shards").iterdir())
    data = bytearray(shard.read_bytes())
    data[1000] ^= 1
    shard.write_bytes(data)
    assert main(["audit", f"run={out}"]) == 1


def test_two_processes_do_not_write_one_run(run: Path, clips: Path) -> None:
    from sliceforge.engine import folder

    with folder.locked(run):
        done = command(*speech(clips, run, "variants=2"))
    assert done.returncode == 3
    assert "another process" in done.stderr
