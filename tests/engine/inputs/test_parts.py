"""Parts of recordings as other tools list them, and members of tars as other tools pack them."""

import io
import json
import tarfile
from pathlib import Path

import lhotse
import numpy as np
import pytest
import soundfile
from lhotse.supervision import AlignmentItem

from sliceforge.engine.codecs import audio
from sliceforge.engine.manifest import read
from sliceforge.engine.read import read_audio

RATE = 8000


@pytest.fixture
def long(tmp_path: Path) -> Path:
    """A recording of 3 s of noise."""
    noise = np.random.default_rng(1).normal(0, 0.1, 3 * RATE)
    soundfile.write(tmp_path / "long.wav", noise, RATE, subtype="PCM_16")
    return tmp_path / "long.wav"


def test_parts_of_one_recording_without_ids_are_items_each(long: Path, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "short.wav", np.full(RATE, 0.1), RATE, subtype="PCM_16")
    lines = [{"audio_filepath": "long.wav", "offset": at, "duration": 0.5, "text": str(at)} for at in (0.0, 0.5, 1.25)]
    lines += [{"audio_filepath": "short.wav", "offset": 0.0, "duration": 1.0, "text": "short"}]
    path = tmp_path / "nemo.jsonl"
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    found = read(str(path), "audio")
    assert found.rejects == ()
    ids = dict(zip(found.table["id"].to_pylist(), found.table["text"].to_pylist(), strict=True))
    assert ids == {"long@0": "0.0", "long@0.5": "0.5", "long@1.25": "1.25", "short": "short"}


def test_words_of_a_cut_are_on_its_own_clock_whichever_they_came_on(long: Path, tmp_path: Path) -> None:
    recording = lhotse.Recording.from_file(long, recording_id="long")
    recording.sources[0].source = long.name
    said = [
        lhotse.SupervisionSegment(
            f"s{at}", "long", float(at), 1.0, text="tone", alignment={"word": [AlignmentItem("tone", at + 0.25, 0.5)]}
        )
        for at in range(3)
    ]
    cuts = lhotse.CutSet.from_manifests(
        lhotse.RecordingSet.from_recordings([recording]), lhotse.SupervisionSet.from_segments(said)
    )
    theirs = list(cuts.trim_to_supervisions(keep_overlapping=False))
    # Lhotse leaves the words of such a cut where they are in the recording.
    assert [one.supervisions[0].alignment["word"][0].start for one in theirs] == [0.25, 1.25, 2.25]
    moved = [
        lhotse.MonoCut(f"moved{at}", float(at), 1.0, 0, recording=recording, supervisions=[said[0].with_offset(0.0)])
        for at in range(3)
    ]
    lhotse.CutSet.from_cuts([*theirs, *moved]).to_file(tmp_path / "cuts.jsonl.gz")
    rows = read(str(tmp_path / "cuts.jsonl.gz"), "audio").table.to_pylist()
    assert len(rows) == 6
    assert all(row["words"] == [{"word": "tone", "start": 0.25, "end": 0.75}] for row in rows)


@pytest.mark.parametrize("kind", ["WAV", "FLAC", "OGG"])
def test_sounds_of_any_kind_are_read_in_tars_whose_members_begin_with_a_dot(kind: str, tmp_path: Path) -> None:
    file = io.BytesIO()
    noise = np.random.default_rng(2).normal(0, 0.1, 2 * RATE)
    soundfile.write(file, noise, RATE, format=kind)
    with tarfile.open(tmp_path / "train-000.tar", "w") as tar:
        for name, data in ((f"./a b/one.{kind.lower()}", file.getvalue()), ("./a b/one.cls", b"4")):
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    found = read(str(tmp_path), "audio")
    row = found.table.to_pylist()[0]
    assert (row["label"], found.rejects) == ("4", ())
    # Only its header, which leaves the file where it was read to.
    assert audio.probe(found.root / row["path"]).length == 2 * RATE
    wave, rate = read_audio(found.root / row["path"])
    alone, _ = soundfile.read(io.BytesIO(file.getvalue()), dtype="float32")
    assert rate == RATE
    assert np.allclose(wave, alone, atol=1e-4)
