"""Lhotse, NeMo and WebDataset from other hands: parts of recordings, alignments, members of tars."""

import gzip
import io
import json
import tarfile
from pathlib import Path
from typing import Any

import lhotse
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import soundfile
from harness import tree
from lhotse.supervision import AlignmentItem

from sliceforge.engine.banks import Shelf
from sliceforge.engine.cli import main
from sliceforge.engine.errors import InputError, SettingError
from sliceforge.engine.manifest import read
from sliceforge.engine.read import read_audio

RATE = 8000
SETTINGS = ("recipe=speech/car_noise", "workers=1", "device=cpu", "max_rejects=1", "sink=folder", "sink.audio=wav")


@pytest.fixture
def long(tmp_path: Path) -> Path:
    """A recording of 3 s whose seconds are tones of 200, 400 and 800 Hz."""
    t = np.arange(RATE) / RATE
    wave = np.concatenate([0.3 * np.sin(2 * np.pi * tone * t) for tone in (200, 400, 800)])
    (tmp_path / "audio").mkdir()
    soundfile.write(tmp_path / "audio" / "long.wav", wave, RATE, subtype="PCM_16")
    return tmp_path / "audio" / "long.wav"


def pitch(wave: np.ndarray, rate: int) -> float:
    """The frequency that most of a sound's energy has, in hertz."""
    return float(np.argmax(np.abs(np.fft.rfft(wave))) * rate / len(wave))


def recording(path: Path) -> lhotse.Recording:
    found = lhotse.Recording.from_file(path, recording_id="long")
    found.sources[0].source = f"audio/{path.name}"
    return found


def supervised(path: Path) -> Path:
    """A RecordingSet of one recording and a SupervisionSet of its three seconds, as lhotse writes them."""
    said = [
        lhotse.SupervisionSegment(
            id=f"s{second}",
            recording_id="long",
            start=float(second),
            duration=1.0,
            text=f"tone {second}",
            speaker="sine",
            custom={"label": f"l{second}", "deep": {"x": 1}},
            alignment={"word": [AlignmentItem("tone", second + 0.25, 0.5)]},
        )
        for second in range(3)
    ]
    folder = path.parent.parent
    lhotse.RecordingSet.from_recordings([recording(path)]).to_file(folder / "my_recordings_train.jsonl.gz")
    lhotse.SupervisionSet.from_segments(said).to_file(folder / "my_supervisions_train.jsonl.gz")
    return folder / "my_recordings_train.jsonl.gz"


def test_each_supervision_is_an_item_and_only_its_part_is_heard(long: Path, tmp_path: Path) -> None:
    path = supervised(long)
    found = {row["id"]: row for row in read(str(path), "audio").table.to_pylist()}
    assert sorted(found) == ["s0", "s1", "s2"]
    row = found["s1"]
    assert (row["transcript"], row["speaker"], row["label"], row["path"]) == ("tone 1", "sine", "l1", "audio/long.wav")
    assert row["words"] == [{"word": "tone", "start": 0.25, "end": 0.75}]
    out = tmp_path / "RUN"
    assert main(["generate", *SETTINGS, f"data={path}", f"out={out}", "rate=null", "steps.mix.snr=40"]) == 0
    for made in pq.read_table(out / "manifest.parquet").to_pylist():
        wave, rate = soundfile.read(out / made["path"])
        assert (len(wave), rate, made["duration"]) == (RATE, RATE, 1.0)
        assert pitch(wave, rate) == pytest.approx(200 * 2 ** int(made["parents"][0][1]), abs=2)
        assert made["words"] == [{"word": "tone", "start": 0.25, "end": 0.75}]
    again = tmp_path / "AGAIN"
    assert (
        main(["generate", *SETTINGS, f"data={path}", f"out={again}", "rate=null", "steps.mix.snr=40", "batch=1"]) == 0
    )
    assert tree(again) == tree(out)


def test_cuts_are_items_with_what_is_said_in_them(long: Path) -> None:
    folder = long.parent.parent
    said = [
        lhotse.SupervisionSegment("b", "long", 1.0, 0.5, text="world", speaker="sine"),
        lhotse.SupervisionSegment("a", "long", 0.0, 0.5, text="hello"),
    ]
    cut = lhotse.MonoCut("cut", start=1.0, duration=2.0, channel=0, recording=recording(long), supervisions=said)
    whole = lhotse.MonoCut("whole", start=0.0, duration=3.0, channel=0, recording=recording(long))
    lhotse.CutSet.from_cuts([cut, whole]).to_file(folder / "cuts.jsonl.gz")
    rows = {row["id"]: row for row in read(str(folder / "cuts.jsonl.gz"), "audio").table.to_pylist()}
    assert (rows["cut"]["transcript"], rows["cut"]["clip_start"], rows["cut"]["clip_seconds"]) == ("hello world", 1, 2)
    assert rows["whole"]["clip_start"] is None
    assert rows["cut"]["rate"] == RATE


def test_a_recording_that_is_no_plain_file_is_a_reject(long: Path) -> None:
    folder = long.parent.parent
    good = {"id": "long", "sampling_rate": RATE, "num_samples": 24000, "duration": 3.0}
    lines: list[dict[str, Any]] = [
        {**good, "sources": [{"type": "file", "channels": [0], "source": "audio/long.wav"}]},
        {**good, "id": "piped", "sources": [{"type": "command", "channels": [0], "source": "cat x"}]},
        {**good, "id": "out", "sources": [{"type": "file", "channels": [0], "source": "../x.wav"}]},
        {**good, "id": "abs", "sources": [{"type": "file", "channels": [0], "source": "/etc/passwd"}]},
        {**good, "id": "fast", "transforms": [{}], "sources": [{"type": "file", "channels": [0], "source": "a"}]},
        {"id": "odd", "sources": 7},
        {"id": "mixed", "type": "MixedCut", "tracks": []},
    ]
    (folder / "recordings.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    found = read(str(folder / "recordings.jsonl"), "audio")
    assert found.table["id"].to_pylist() == ["long"]
    assert {reject.id: reject.reason for reject in found.rejects} == {
        "piped": "unreadable",
        "out": "outside",
        "abs": "outside",
        "fast": "unreadable",
        "odd": "unreadable",
        "mixed": "unreadable",
    }


@pytest.mark.parametrize("damage", ["cut", "junk", "second"])
def test_a_damaged_packed_manifest_is_one_line(damage: str, long: Path) -> None:
    path = supervised(long)
    whole = path.read_bytes()
    made = {
        "cut": whole[:-20],
        "junk": whole[:30] + b"\0" * 30,
        "second": gzip.compress(gzip.decompress(whole) + b"[]\n"),
    }
    path.write_bytes(made[damage])
    with pytest.raises(SettingError) as caught:
        read(str(path), "audio")
    assert str(caught.value).startswith("data: ")
    assert "\n" not in str(caught.value)


def test_a_packed_bomb_stays_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    line = b'{"id": "a", "sources": [], "x": "' + b" " * 1000 + b'"}\n'
    (tmp_path / "recordings.jsonl.gz").write_bytes(gzip.compress(line * 5000))
    monkeypatch.setattr("sliceforge.engine.inputs.lhotse.MOST_BYTES", 1 << 20)
    with pytest.raises(SettingError, match="once it is unpacked"):
        read(str(tmp_path / "recordings.jsonl.gz"), "audio")


def test_nemo_offsets_are_parts_of_recordings(long: Path, tmp_path: Path) -> None:
    lines: list[dict[str, Any]] = [
        {"audio_filepath": "audio/long.wav", "id": "one", "offset": 1, "duration": 1.0, "text": "b"},
        {"audio_filepath": "audio/long.wav", "id": "rest", "offset": 2.0, "duration": None, "text": "c"},
        {"audio_filepath": "audio/long.wav", "id": "whole", "offset": None, "duration": 3.0, "text": "all"},
        {"audio_filepath": "audio/long.wav", "id": "past", "offset": 2.5, "duration": 1.0, "text": "d"},
    ]
    path = tmp_path / "nemo.jsonl"
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    out = tmp_path / "RUN"
    assert main(["generate", *SETTINGS, f"data={path}", f"out={out}", "rate=16000", "steps.mix.snr=40"]) == 0
    made = {row["parents"][0]: row for row in pq.read_table(out / "manifest.parquet").to_pylist()}
    assert {name: row["got.seconds"] for name, row in made.items()} == {"one": 1.0, "rest": 1.0, "whole": 3.0}
    assert pitch(*soundfile.read(out / made["one"]["path"])) == pytest.approx(400, abs=2)
    assert pitch(*soundfile.read(out / made["rest"]["path"])) == pytest.approx(800, abs=2)
    assert pq.read_table(out / "rejects.parquet")["reason"].to_pylist() == ["unreadable"]


def test_a_part_that_no_recording_has_is_refused(long: Path) -> None:
    assert len(read_audio(long, span=(0.5, 0.25))[0]) == RATE // 4
    assert len(read_audio(long, span=(2.5, 0.52))[0]) == RATE // 2
    for span in ((-0.1, 1.0), (0.0, 0.0), (3.0, None), (0.0, float("nan")), (0.0, 3.2)):
        with pytest.raises(InputError, match="unreadable"):
            read_audio(long, span=span)


def test_a_bank_takes_no_part_of_a_recording(long: Path) -> None:
    shelf_path = supervised(long)
    with pytest.raises(SettingError, match="none of its 3 items can be used"):
        Shelf.open({"noise": str(shelf_path)}, "audio").inventories()


def packed(path: Path, members: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w") as tar:
        for name, data in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return path


def sound(seed: int) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, np.random.default_rng(seed).normal(0, 0.1, RATE), RATE, format="FLAC", subtype="PCM_16")
    return file.getvalue()


@pytest.mark.parametrize("how", ["folder", "one", "pattern"])
def test_webdataset_shards_are_read_where_they_are(how: str, tmp_path: Path) -> None:
    said = json.dumps({"speaker": "ann", "label": "go", "path": "elsewhere", "deep": {"x": 1}}).encode()
    first = {"a/one.flac": sound(1), "a/one.json": said, "two.cls": b"3\n", "two.txt": b"hello", "two.flac": sound(2)}
    odd = {"bad.flac": sound(3), "bad.json": b"[]", "../out.flac": sound(4), "note.txt": b"no item"}
    packed(tmp_path / "train-000.tar", first | odd)
    packed(tmp_path / "train-001.tar", {"three.flac": sound(5)})
    (tmp_path / "train-002.tar").write_bytes(b"no tar" * 200)
    place = {"folder": tmp_path, "one": tmp_path / "train-000.tar", "pattern": tmp_path / "train-*.tar"}[how]
    found = read(str(place), "audio")
    rows = {row["path"]: row for row in found.table.to_pylist()}
    assert rows["train-000.tar/a/one.flac"]["speaker"] == "ann"
    assert rows["train-000.tar/a/one.flac"]["label"] == "go"
    two = rows["train-000.tar/two.flac"]
    assert (two["label"], two["transcript"], two["split"]) == ("3", "hello", "train")
    assert len(rows) == 2 + (how != "one")
    reasons = sorted(reject.reason for reject in found.rejects)
    assert reasons == ["outside", "unreadable", *(["unreadable"] if how != "one" else [])]
    wave, rate = read_audio(found.root / "train-000.tar" / "two.flac")
    assert (len(wave), rate) == (RATE, RATE)


def test_the_shards_of_a_run_are_a_webdataset(tmp_path: Path) -> None:
    out = tmp_path / "RUN"
    settings = ("recipe=speech/car_noise", "count=4", "shard=2", "workers=1", "device=cpu")
    assert main(["generate", *settings, f"out={out}"]) == 0
    made = pq.read_table(out / "manifest.parquet")
    found = read(str(out / "shards"), "audio").table
    names = ["id", "label", "speaker", "transcript", "snr"]
    assert found.select(names).cast(made.select(names).schema).equals(made.select(names).sort_by("id").combine_chunks())
    assert pa.types.is_string(found["path"].type)
