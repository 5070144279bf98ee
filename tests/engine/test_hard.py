"""What went wrong once under hard use, each kept right by a test."""

import datetime
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import soundfile
from signals import voice

from sliceforge.engine import cache
from sliceforge.engine.cli import main
from sliceforge.engine.codecs import audio
from sliceforge.engine.commit import committed
from sliceforge.engine.errors import RunError

SMALL = ("batch=16", "shard=8", "seed=7", "workers=1")
RECIPE = "# @package _global_\nkind: audio\nsteps:\n"


def generate(data: Path, out: Path, *more: str) -> int:
    return main(["generate", f"data={data}", f"out={out}", *SMALL, *more])


def rows(run: Path) -> list[dict[str, object]]:
    found: list[dict[str, object]] = pq.read_table(run / "manifest.parquet").to_pylist()
    return found


@pytest.fixture
def few(clips: Path, tmp_path: Path) -> Path:
    """A folder of four clips of its own."""
    folder = tmp_path / "few"
    folder.mkdir()
    for path in sorted(clips.glob("*.wav"))[:4]:
        shutil.copy(path, folder)
    return folder


def table(folder: Path, **columns: object) -> Path:
    """A Parquet table over a folder's clips."""
    paths = sorted(path.name for path in folder.glob("*.wav"))
    pq.write_table(pa.table({"path": paths, **columns}), folder / "table.parquet")
    return folder / "table.parquet"


@pytest.mark.parametrize("name", ["accepted", "reason", "variant", "mix.snr"])
def test_metadata_called_as_our_own_columns_neither_breaks_nor_changes_a_run(
    name: str, few: Path, tmp_path: Path
) -> None:
    for values in ([7, 8, 9, 10], ["a", "b", "c", "d"], [[1], [2], [3], [4]]):
        out = tmp_path / f"RUN{type(values[0]).__name__}"
        assert generate(table(few, **{name: values}), out) == 0
        assert len(rows(out)) == 4
        assert main(["audit", f"run={out}", "share=1"]) == 0


def test_a_constant_stays_a_constant_beside_a_column_of_that_name(few: Path, tmp_path: Path) -> None:
    assert generate(table(few, car=["w", "x", "y", "z"]), tmp_path / "RUN") == 0
    assert {(row["noise"], row["car"]) for row in rows(tmp_path / "RUN")} == {("car", v) for v in "wxyz"}


def test_nanoseconds_are_kept_as_microseconds(few: Path, tmp_path: Path) -> None:
    moments = pa.array([1_234_567_890_123_456_789] * 4, pa.timestamp("ns"))
    spans = pa.array([[{"t": 1_001}]] * 4, pa.list_(pa.struct([("t", pa.duration("ns"))])))
    assert generate(table(few, at=moments, spans=spans), tmp_path / "RUN") == 0
    row = rows(tmp_path / "RUN")[0]
    assert row["at"] == datetime.datetime(2009, 2, 13, 23, 31, 30, 123456)
    assert row["spans"] == [{"t": datetime.timedelta(microseconds=1)}]


def test_an_empty_object_in_a_table_is_kept_as_json(few: Path, tmp_path: Path) -> None:
    lines = [json.dumps({"path": path.name, "extra": {}}) for path in sorted(few.glob("*.wav"))]
    (few / "t.jsonl").write_text("\n".join(lines))
    assert generate(few / "t.jsonl", tmp_path / "RUN") == 0
    assert {row["extra"] for row in rows(tmp_path / "RUN")} == {"{}"}


def test_a_rate_in_the_metadata_is_that_of_the_made_file(few: Path, tmp_path: Path) -> None:
    rates = [soundfile.info(path).samplerate for path in sorted(few.glob("*.wav"))]
    assert set(rates) == {8000, 16000}
    assert generate(table(few, rate=rates, sample_rate=[None, *rates[1:]]), tmp_path / "RUN", "rate=16000") == 0
    assert {row["rate"] for row in rows(tmp_path / "RUN")} == {16000}
    assert {row["sample_rate"] for row in rows(tmp_path / "RUN")} == {16000, None}


def test_a_nested_sha256_is_a_wrong_setting(few: Path, tmp_path: Path) -> None:
    assert generate(table(few, sha256=[[1]] * 4), tmp_path / "RUN") == 2


def test_long_ids_and_labels_fit_into_a_folder(few: Path, tmp_path: Path) -> None:
    ids = ["x" * 400, "%" * 300, "ü" * 200 + "1", "ü" * 200 + "2"]
    out = tmp_path / "RUN"
    assert generate(table(few, id=ids, label=["y" * 300] * 4), out, "sink=folder") == 0
    assert len({row["path"] for row in rows(out)}) == 4
    assert all((out / str(row["path"])).is_file() for row in rows(out))
    assert main(["audit", f"run={out}", "share=1"]) == 0


def test_a_run_inside_its_own_data_goes_on(few: Path) -> None:
    for variants in (1, 1, 2):
        assert generate(few, few / "RUN", "sink=folder", f"variants={variants}") == 0
    assert len(rows(few / "RUN")) == 8


def test_a_wrong_setting_does_not_occupy_the_folder(few: Path, tmp_path: Path) -> None:
    out = tmp_path / "RUN"
    assert generate(few, out, "parents=label = 'nobody'") == 2
    assert generate(few, out, "slice=noise = 'car' AND snr < -50") == 2
    assert generate(few, out) == 0
    assert generate(few, out, "parents=label = 'nobody'") == 2
    assert len(rows(out)) == 4


def test_a_skipped_choice_is_null_and_keeps_no_promise(clips: Path, tmp_path: Path) -> None:
    loud, soft = "{op: audio/level, level: -20}", "{op: audio/level, level: -40}"
    step = f"  v: {{p: 0.5, one_of: {{loud: {loud}, soft: {soft}}}}}\n"
    (tmp_path / "mine.yaml").write_text(RECIPE + step + "sets: {which: v.choice, level: v.loud.level}\n")
    recipe = f"recipe={tmp_path / 'mine.yaml'}"
    assert generate(clips, tmp_path / "RUN", recipe) == 0
    assert {(row["which"], row["level"]) for row in rows(tmp_path / "RUN")} == {
        ("loud", -20.0),
        ("soft", None),
        (None, None),
    }
    assert generate(clips, tmp_path / "RUN2", recipe, "slice=which = 'loud'") == 0
    assert {row["level"] for row in rows(tmp_path / "RUN2")} == {-20.0}


def test_a_column_of_words_is_one_in_the_plan_of_every_variant(few: Path, tmp_path: Path) -> None:
    steps = "  cabin: {op: audio/cabin}\n  mix: {op: audio/mix, source: cabin, p: 0}\n"
    (tmp_path / "mine.yaml").write_text(RECIPE + steps)
    assert generate(few, tmp_path / "RUN", f"recipe={tmp_path / 'mine.yaml'}") == 0
    planned = pq.read_schema(tmp_path / "RUN" / "plan-v001.parquet")
    assert planned.field("mix.source").type == planned.field("mix.item").type == pa.string()


@pytest.mark.parametrize(
    "line",
    [
        "sets: {id: x}",
        "sets: {accepted: 1}",
        "sets: {gate.snr: 1}",
        "sets: {x: [1, 2]}",
        "sets: {x: 99999999999999999999}",
        "gates: {snr: 5}",
        "gates: {snr: {}}",
    ],
)
def test_what_a_recipe_cannot_mean_is_refused_in_one_line(
    line: str, few: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine.yaml").write_text(f"{RECIPE}  l: {{op: audio/level}}\n{line}\n")
    assert generate(few, tmp_path / "RUN", f"recipe={tmp_path / 'mine.yaml'}") == 2
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize("weights", ["3", "{a: b, c: 1}", "{a: 1}", "{}", "{a: true, c: 1}"])
def test_weights_that_are_no_shares_are_refused(weights: str, few: Path, tmp_path: Path) -> None:
    step = f"  v: {{one_of: {{a: {{op: audio/level}}, c: {{op: audio/level}}}}, weights: {weights}}}\n"
    (tmp_path / "mine.yaml").write_text(RECIPE + step)
    assert generate(few, tmp_path / "RUN", f"recipe={tmp_path / 'mine.yaml'}") == 2


def test_a_rate_that_flac_cannot_state_is_refused_before_the_work(few: Path, tmp_path: Path) -> None:
    soundfile.write(few / "fast.wav", voice(0.1, 96001, 110), 96001)
    assert generate(few, tmp_path / "RUN", "rate=null") == 2
    assert not (tmp_path / "RUN" / "shards").exists()
    assert generate(few, tmp_path / "RUN", "rate=null", "sink.audio=wav") == 0


def test_flac_holds_what_it_is_said_to_hold() -> None:
    for rate in (1000, 65535, 65536, 65537, 88200, 96001, 384000, 655350, 655360, 768000):
        try:
            held = bool(audio.encode(np.zeros(8, np.int16), rate, "flac"))
        except soundfile.LibsndfileError:
            held = False
        assert audio.holds("flac", rate) is held, rate


def test_an_image_that_jpeg_cannot_hold_is_refused_before_the_work(strips: Path, tmp_path: Path) -> None:
    from PIL import Image

    data = tmp_path / "data"
    shutil.copytree(strips, data)
    Image.fromarray(np.full((40, 40), 30000, np.uint16)).save(data / "plain" / "deep.png")
    arguments = ("recipe=steel/scratches", "sink.image=jpeg")
    assert generate(data, tmp_path / "RUN", *arguments) == 2
    assert not (tmp_path / "RUN" / "shards").exists()
    (data / "plain" / "deep.png").unlink()
    assert generate(data, tmp_path / "RUN", *arguments) == 0


def test_replay_refuses_to_pass_off_changed_material(few: Path, tmp_path: Path) -> None:
    run = tmp_path / "RUN"
    assert generate(few, run) == 0
    item = rows(run)[0]
    arguments = ["replay", f"run={run}", f"id={item['id']}", f"out={tmp_path / 'item.flac'}"]
    assert main(arguments) == 0
    path = few / str(item["parent_path"])
    sound, rate = soundfile.read(path)
    soundfile.write(path, sound[::-1], rate)
    assert main(arguments) == 2
    assert main(["audit", f"run={run}", "share=1"]) == 1


def test_replay_says_where_material_is_no_more(few: Path, tmp_path: Path) -> None:
    run = tmp_path / "RUN"
    assert generate(few, run) == 0
    few.rename(tmp_path / "moved")
    arguments = ["replay", f"run={run}", f"id={rows(run)[0]['id']}", f"out={tmp_path / 'item.flac'}"]
    assert main(arguments) == 2
    assert main([*arguments, f"data={tmp_path / 'moved'}"]) == 0
    for text in ("[]", '{"data": 5}', '{"data": "x", "banks": 5}'):
        (run / "log" / "command.json").write_text(text)
        assert main(arguments) == 2


@pytest.mark.parametrize("name", ["plan-v001.parquet", "receipts/v001-000000.parquet", "manifest.parquet"])
def test_a_damaged_table_of_a_run_is_one_line_and_can_be_made_again(
    name: str, few: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "RUN"
    assert generate(few, run) == 0
    whole = (run / name).read_bytes()
    (run / name).write_bytes(whole[:40])
    if name == "manifest.parquet":
        assert main(["audit", f"run={run}"]) == 3
    else:
        capsys.readouterr()
        assert generate(few, run) == 3
        assert capsys.readouterr().err.count("\n") == 1
        (run / name).unlink()
    assert generate(few, run) == 0
    assert (run / name).read_bytes() == whole


def test_a_full_disk_is_named_with_its_file(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No space") as caught, committed(tmp_path / "shard.tar"):
        raise OSError(28, "No space left on device")
    assert caught.value.filename == str(tmp_path / "shard.tar")


def test_a_user_without_a_home_has_a_kernel_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def homeless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", homeless)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path))
    monkeypatch.setattr("numba.config.CACHE_DIR", "")
    assert tmp_path in cache.cache_folder.__wrapped__().parents


def test_a_name_that_is_no_text_is_refused_as_out_and_read_as_data(few: Path, tmp_path: Path) -> None:
    odd = Path(os.fsdecode(os.fsencode(tmp_path) + b"/d\xff"))
    assert generate(few, odd) == 2
    few.rename(odd)
    assert generate(odd, tmp_path / "RUN") == 0
    assert main(["audit", f"run={tmp_path / 'RUN'}", "share=1"]) == 0


def test_an_interrupt_while_workers_start_is_one_line(clips: Path, tmp_path: Path) -> None:
    arguments = ["generate", f"data={clips}", f"out={tmp_path / 'RUN'}", "workers=2", "shard=1", "seed=7", "device=cpu"]
    line = [sys.executable, "-m", "sliceforge.engine.cli", *arguments]
    process = subprocess.Popen(line, stderr=subprocess.PIPE, text=True, start_new_session=True)
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    while process.poll() is None and len(children.read_text().split()) < 3:
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGINT)
    _, error = process.communicate(timeout=60)
    assert (process.returncode, error.count("\n")) == (3, 1), error


def test_a_pool_that_broke_before_the_next_task_is_one_line() -> None:
    from sliceforge.engine.pool import Pool, result

    with Pool(2) as pool:
        with pytest.raises(RunError, match="a worker process died"):
            result(pool.submit(os._exit, 1))
        with pytest.raises(RunError, match="a worker process died"):
            pool.submit(os.getpid)
