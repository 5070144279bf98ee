"""A run is data like any other: alone, beside a table, and with its originals."""

import hashlib
import io
import json
import tarfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import soundfile
from harness import tree

from sliceforge.engine import Share, SliceDataset, load
from sliceforge.engine.audit import audit
from sliceforge.engine.banks import Shelf
from sliceforge.engine.cli import main
from sliceforge.engine.codecs import audio
from sliceforge.engine.compose import compose
from sliceforge.engine.errors import InputError, SettingError
from sliceforge.engine.manifest import read
from sliceforge.engine.sources import split

PATTERN = "pattern={label}_{speaker}_{index}"
SMALL = ("batch=16", "shard=8", "seed=7", "workers=1")


def make(data: object, out: Path, *more: str) -> Path:
    assert main(["generate", "recipe=speech/car_noise", f"data={data}", f"out={out}", *SMALL, *more]) == 0
    return out


def rows(run: Path) -> list[dict]:
    return pq.read_table(run / "manifest.parquet").to_pylist()


@pytest.fixture(scope="module")
def run(clips: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(clips, tmp_path_factory.mktemp("first") / "RUN", PATTERN)


@pytest.fixture(scope="module")
def table(clips: Path) -> Path:
    """The clips as a table beside them."""
    names = sorted(path.name for path in clips.glob("*.wav"))
    fields = [name.removesuffix(".wav").split("_") for name in names]
    path = clips / "train.parquet"
    labels, speakers, numbers = zip(*fields, strict=True)
    pq.write_table(
        pa.table({"path": names, "label": labels, "speaker": speakers, "index": [int(n) for n in numbers]}), path
    )
    return path


def test_a_run_lists_the_items_of_its_manifest_and_each_can_be_read(run: Path) -> None:
    found = read(str(run), "audio")
    assert not found.rejects
    assert found.table["id"].to_pylist() == sorted(row["id"] for row in rows(run))
    for path, sha256 in zip(found.table["path"].to_pylist(), found.table["sha256"].to_pylist(), strict=True):
        shard, _, member = path.partition(".tar/")
        with tarfile.open(run / f"{shard}.tar") as tar:
            data = tar.extractfile(member).read()
        assert hashlib.sha256(data).hexdigest() == sha256
        meant, rate = soundfile.read(io.BytesIO(data), dtype="float32")
        got, own = audio.decode(found.root / path)
        assert (np.array_equal(got[:, 0], meant), own) == (True, rate)


def test_sinks_make_no_difference_to_what_is_made_of_a_run(run: Path, clips: Path, tmp_path: Path) -> None:
    plain = make(clips, tmp_path / "PLAIN", PATTERN, "sink=folder")
    one, two = (make(data, tmp_path / f"TWO{i}") for i, data in enumerate((run, plain)))
    assert [row["sha256"] for row in rows(one)] == [row["sha256"] for row in rows(two)]
    for row in rows(one):
        assert row["id"] == f"{row['parents'][0]}~1"
        assert row["parents"][0].endswith("~1")
    with tarfile.open(next((one / "shards").glob("*.tar"))) as tar:
        member = next(member for member in tar if member.name.endswith(".json"))
        drawn = json.load(tar.extractfile(member))["plan"]
    assert not {name for name in drawn if name.split(".")[0] in ("read", "got", "asked", "gate")}


def test_a_table_and_a_run_are_one_manifest_with_unique_ids(table: Path, run: Path, tmp_path: Path) -> None:
    data = f"[{table}, {run}]"
    found = read(data, "audio")
    assert len(found.table) == 46
    assert not found.rejects
    both = make(data, tmp_path / "BOTH", "parents=speaker = 'ann'")
    lines = rows(both)
    ids = [row["id"] for row in lines]
    assert len(set(ids)) == len(ids) == 24
    # What was made of a clip before is a~1, so that what is made of it now is a~~1.
    assert not set(ids) & set(found.table["id"].to_pylist())
    assert {row["id"].count("~") for row in lines} == {2}
    _, findings = audit({"run": str(both), "share": 0.3})
    assert not findings
    assert main(["replay", f"run={both}", f"id={ids[0]}", f"out={tmp_path / 'a.flac'}"]) == 0


def test_the_order_of_sources_changes_no_byte(table: Path, run: Path, tmp_path: Path) -> None:
    one, two = (
        make(data, tmp_path / f"RUN{i}") for i, data in enumerate((f"[{table}, {run}]", f'["{run}" , {table}]'))
    )
    assert tree(one) == tree(two)


def test_originals_are_copied_in_and_everything_still_holds(clips: Path, run: Path, tmp_path: Path) -> None:
    with_them = make(clips, tmp_path / "RUN", PATTERN, "keep_originals=true")
    lines = rows(with_them)
    originals = [row for row in lines if row["variant"] == 0]
    assert lines[: len(originals)] == originals
    assert len(originals) == 23
    assert [row["sha256"] for row in lines[23:]] == [row["sha256"] for row in rows(run)]
    for row in originals:
        assert (row["parents"], row["slice"], row["noise"], row["asked.snr"]) == ([], None, None, None)
        assert row["path"].startswith("shards/v000-")
        meant, rate = soundfile.read(clips / f"{row['id']}.wav", dtype="float32")
        got, own = audio.decode(with_them / row["path"])
        assert np.array_equal(got[:, 0], meant)
        assert own == rate
    _, findings = audit({"run": str(with_them), "share": 1.0})
    assert not findings
    assert main(["replay", f"run={with_them}", f"id={originals[0]['id']}", f"out={tmp_path / 'a.flac'}"]) == 0
    workers = make(clips, tmp_path / "RUN2", PATTERN, "keep_originals=true", "workers=2")
    assert tree(workers) == tree(with_them)
    assert len(read(f"[{clips}, {with_them}]", "audio", PATTERN.partition("=")[2]).table) == 46


def test_a_count_is_of_made_items_and_originals_are_beside_them(clips: Path, tmp_path: Path) -> None:
    out = make(clips, tmp_path / "RUN", PATTERN, "keep_originals=true", "count=5")
    assert [row["variant"] for row in rows(out)] == [0] * 23 + [1] * 5


def test_a_later_run_beside_its_sources_gives_no_id_twice(clips: Path, tmp_path: Path) -> None:
    first = make(clips, tmp_path / "A", PATTERN, "keep_originals=true")
    second = make(first, tmp_path / "B", "keep_originals=true", "seed=8")
    ids = [row["id"] for row in rows(second)]
    assert len(ids) == len(set(ids)) == 92


def test_a_run_can_be_a_bank_and_feed_a_loader(clips: Path, run: Path) -> None:
    shelf = Shelf.open({"noise": str(run)})
    assert len(shelf.inventories()["noise"].ids) == 23
    share = Share(load("speech/car_noise", "rate=16000"), share=0.5)
    dataset = SliceDataset([str(clips), str(run)], [share], pattern=PATTERN.partition("=")[2])
    assert len(dataset) == 46
    some = [dataset[i] for i in range(0, 46, 5)]
    dataset.make(some)
    assert all(draft.item is not None for draft in some)


def test_names_are_split_at_commas_outside_quotes(tmp_path: Path) -> None:
    assert split('[a.csv, "b, c" ,d]') == ["a.csv", "b, c", "d"]
    odd = tmp_path / "[odd, name]"
    odd.mkdir()
    assert split(str(odd)) == [str(odd)]
    for text in ("[]", "[a,,b]"):
        with pytest.raises(SettingError, match="expected names between commas"):
            split(text)


def test_a_run_that_is_unfinished_or_of_another_kind_or_damaged_says_so(run: Path, tmp_path: Path) -> None:
    (tmp_path / "run.yaml").write_text("a: 1\n")
    (tmp_path / "receipts").mkdir()
    with pytest.raises(SettingError, match="not finished"):
        read(str(tmp_path), "audio")
    with pytest.raises(SettingError, match="expected image"):
        read(str(run), "image")
    tar = next((run / "shards").glob("*.tar"))
    (tmp_path / "cut.tar").write_bytes(tar.read_bytes()[:700])
    (tmp_path / "none.tar").write_bytes(b"no tar at all" * 100)
    for path in (tar / "nothing.flac", tmp_path / "cut.tar" / "x.flac", tmp_path / "none.tar" / "x.flac"):
        with pytest.raises(InputError) as caught:
            audio.probe(path)
        assert caught.value.reason == "unreadable"


def test_keep_originals_is_true_or_false() -> None:
    with pytest.raises(SettingError, match="keep_originals"):
        compose("generate", ["recipe=speech/car_noise", "keep_originals=maybe"])
