"""Folders and tables as manifests: ids, labels, and every bad row a reject or one line."""

import json
import os
import random
import unicodedata
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from listing import reasons, refused, rows, table, touch

from sliceforge.engine.errors import REASONS, SettingError
from sliceforge.engine.folders import compiled
from sliceforge.engine.manifest import COLUMNS, digest, read


def test_class_folders_give_labels_and_ids_without_suffix(tmp_path: Path) -> None:
    touch(tmp_path, "go/a.wav", "go/sub/b.FLAC", "stop/a.wav", "stop/notes.txt", ".hidden/c.wav", "go/.d.wav", "e.mp3")
    found = read(str(tmp_path), "audio")
    assert rows(found) == [
        ("e", "e.mp3", None, None, None),
        ("go/a", "go/a.wav", "go", None, None),
        ("go/sub/b", "go/sub/b.FLAC", "go", None, None),
        ("stop/a", "stop/a.wav", "stop", None, None),
    ]
    assert found.rejects == ()
    assert found.table.column_names[:5] == list(COLUMNS)


def test_files_that_share_a_stem_keep_their_suffixes(tmp_path: Path) -> None:
    touch(tmp_path, "a.wav", "a.flac", "b.wav")
    assert read(str(tmp_path), "audio").table["id"].to_pylist() == ["a.flac", "a.wav", "b"]


def test_top_folders_that_are_all_splits_are_splits(tmp_path: Path) -> None:
    touch(tmp_path, "Train/go/a.wav", "test/go/b.wav", "dev/c.wav")
    assert rows(read(str(tmp_path), "audio")) == [
        ("Train/go/a", "Train/go/a.wav", "go", "train", None),
        ("dev/c", "dev/c.wav", None, "dev", None),
        ("test/go/b", "test/go/b.wav", "go", "test", None),
    ]
    touch(tmp_path, "go/d.wav")
    assert set(read(str(tmp_path), "audio").table["label"].to_pylist()) == {"Train", "test", "dev", "go"}


def test_a_pattern_gives_columns_and_what_does_not_fit_is_a_reject(tmp_path: Path) -> None:
    touch(tmp_path, "7_ann_03.wav", "x/8_bob_4_b.wav", "noise.wav")
    found = read(str(tmp_path), "audio", "{label}_{speaker}_{index}")
    assert [(row["label"], row["speaker"], row["index"]) for row in found.table.to_pylist()] == [
        ("7", "ann", "03"),
        ("8", "bob", "4_b"),
    ]
    assert reasons(found) == {"noise.wav": "label_missing"}
    refused(str(tmp_path), "pattern", "fits none of 3 files", pattern="{label}+{speaker}")


def test_a_pattern_with_a_slash_is_matched_on_the_whole_path(tmp_path: Path) -> None:
    touch(tmp_path, "ann/go/1.wav", "bob/2.wav")
    found = read(str(tmp_path), "audio", "{speaker}/{label}/{index}")
    assert found.table.select(["speaker", "label", "index"]).to_pylist() == [
        {"speaker": "ann", "label": "go", "index": "1"}
    ]
    assert reasons(found) == {"bob/2.wav": "label_missing"}


@pytest.mark.parametrize("pattern", ["", "plain", "{}", "{a b}", "{label}_{label}", "{label", "{path}", "{id}_{x}"])
def test_a_wrong_pattern_is_refused_with_one_that_works(pattern: str) -> None:
    with pytest.raises(SettingError, match=r"\{label\}_\{speaker\}_\{index\}"):
        compiled(pattern)


def test_marks_of_regular_expressions_in_a_pattern_are_literal() -> None:
    assert compiled("{label}.({index})").fullmatch("go.(3)")
    assert not compiled("{label}.{index}").fullmatch("go_3")


def test_links_that_leave_are_rejects_and_links_inside_are_read_once(tmp_path: Path) -> None:
    outside, root = touch(tmp_path / "outside", "secret.wav"), touch(tmp_path / "root", "go/a.wav")
    (root / "go" / "out.wav").symlink_to(outside / "secret.wav")
    (root / "away").symlink_to(outside)
    (root / "again").symlink_to(root / "go")
    (root / "loop").symlink_to(root)
    (root / "in.wav").symlink_to(root / "go" / "a.wav")
    found = read(str(root), "audio")
    assert found.table["id"].to_pylist() == ["go/a", "in"]
    assert reasons(found) == {"go/out.wav": "outside", "away": "outside"}


def test_names_that_no_table_can_hold_are_rejects(tmp_path: Path) -> None:
    touch(tmp_path, "a.wav", "new\nline.wav", "\u202eleft.wav", os.fsdecode(b"latin\xe9.wav"))
    found = read(str(tmp_path), "audio")
    assert found.table["id"].to_pylist() == ["a", "\u202eleft"]
    assert sorted(reject.reason for reject in found.rejects) == ["outside", "unreadable"]
    assert all("\n" not in reject.id and reject.id.encode() for reject in found.rejects)


def test_two_spellings_of_one_name_are_a_duplicate_and_two_cases_are_not(tmp_path: Path) -> None:
    composed, apart = (unicodedata.normalize(form, "café") for form in ("NFC", "NFD"))
    touch(tmp_path, f"{composed}.wav", f"{apart}.wav", "B.wav", "b.wav")
    found = read(str(tmp_path), "audio")
    assert found.table["id"].to_pylist() == ["B", "b", composed]
    assert reasons(found) == {composed: "duplicate"}


def test_an_empty_folder_a_missing_one_and_a_run_say_so(tmp_path: Path) -> None:
    refused(str(tmp_path), "no media file", ".wav")
    refused(str(tmp_path / "none"), "no such file or folder")
    refused("a\0b", "no such file or folder")
    refused(str(tmp_path / "none"), "banks.noise: ", key="banks.noise")
    touch(tmp_path, "run.yaml", "manifest.parquet", "a.wav")
    refused(str(tmp_path), "is a run")
    refused(table(tmp_path, "a.xlsx", "x"), ".parquet, .csv, .jsonl")
    os.mkfifo(tmp_path / "pipe.csv")
    refused(str(tmp_path / "pipe.csv"), "expected a folder, or a table")
    with pytest.raises(SettingError, match="audio or image"):
        read(None, "video")


def test_the_material_that_comes_along_is_read_without_data() -> None:
    assert len(read(None, "audio").table) >= 12
    assert set(read("", "image").table.column_names) >= {*COLUMNS, "coil"}


def test_the_same_rows_have_one_digest_in_any_order_form_and_place(tmp_path: Path) -> None:
    lines = [{"path": f"c/{i}.wav", "label": str(i % 3), "snr": i / 7, "take": i} for i in range(50)]
    found = set()
    for turn in range(3):
        random.Random(turn).shuffle(lines)
        root = tmp_path / str(turn)
        root.mkdir()
        names = list(lines[0])[:: -1 if turn else 1]
        pq.write_table(pa.Table.from_pylist(lines).select(names), root / "t.parquet", row_group_size=7)
        body = "".join(",".join(str(line[name]) for name in names) + "\n" for line in lines)
        table(root, "t.csv", ",".join(names) + "\n" + body)
        table(root, "t.jsonl", "\n\n".join(json.dumps(line) for line in lines))
        found |= {digest(read(str(root / name), "audio")) for name in ("t.parquet", "t.csv", "t.jsonl")}
    assert len(found) == 1
    lines[0]["snr"] += 1e-9
    table(tmp_path, "t.jsonl", "\n".join(json.dumps(line) for line in lines))
    assert digest(read(str(tmp_path / "t.jsonl"), "audio")) not in found


def test_of_rows_with_one_id_the_same_one_counts_in_any_order(tmp_path: Path) -> None:
    lines = ["x,a.wav,1", "x,b.wav,2", "y,c.wav,4", "y,c.wav,3", "z,d.wav,5"]
    found = []
    for turn in range(4):
        random.Random(turn).shuffle(lines)
        found.append(read(table(tmp_path, "t.csv", "id,path,n\n" + "\n".join(lines) + "\n"), "audio"))
    assert len({digest(one) for one in found}) == 1
    assert found[0].table["id"].to_pylist() == ["x", "y", "z"]
    assert found[0].table["n"].to_pylist()[0] == 1
    assert [(reject.id, reject.path, reject.reason) for reject in found[0].rejects] == [
        ("x", "b.wav", "duplicate"),
        ("y", "c.wav", "duplicate"),
    ]


OUTSIDE = (
    *("../a.wav", "a/../../b.wav", "a/../b.wav", "/etc/passwd", "//etc/passwd", "/dev/stdin", "..", "link.wav"),
    *("away/secret.wav", "away", "a\0.wav", "a\nb.wav", "pipe:cat /etc/passwd |", "http://x/a.wav", "S3://x/a.wav"),
    *("file:///etc/passwd", "data:audio/wav;base64,AA", "gs://b/a.wav", "a\x7f.wav", "a\x85.wav", "/proc/self/environ"),
)
UNREADABLE = ("", "  ", None, "x" * 5000)


@pytest.mark.parametrize("form", ["jsonl", "parquet"])
def test_no_path_leaves_the_folder_of_its_table(form: str, tmp_path: Path) -> None:
    outside, root = touch(tmp_path / "outside", "secret.wav"), touch(tmp_path / "root", "sub/a.wav")
    (root / "link.wav").symlink_to(outside / "secret.wav")
    (root / "away").symlink_to(outside)
    (root / "inner.wav").symlink_to(root / "sub" / "a.wav")
    good = {"sub/a.wav": "sub/a.wav", "./sub/./b.wav": "sub/b.wav", "inner.wav": "inner.wav", "missing.wav": None}
    good |= {str(root / "sub" / "c.wav"): "sub/c.wav", "a:b.wav": None, "..a.wav": None, "back\\slash.wav": None}
    paths = [*OUTSIDE, *UNREADABLE, *good]
    lines = [{"id": f"r{i}", "path": path} for i, path in enumerate(paths)]
    if form == "parquet":
        pq.write_table(pa.Table.from_pylist(lines), root / "t.parquet")
    else:
        table(root, "t.jsonl", "\n".join(map(json.dumps, lines)))
    found = read(str(root / f"t.{form}"), "audio")
    assert len(found.table) + len(found.rejects) == len(lines)
    assert sorted(found.table["path"].to_pylist()) == sorted(to or path for path, to in good.items())
    expected = dict.fromkeys(OUTSIDE, "outside") | dict.fromkeys(UNREADABLE, "unreadable")
    assert reasons(found) == {f"r{i}": expected[path] for i, path in enumerate(paths) if path in expected}
    assert {reject.reason for reject in found.rejects} <= set(REASONS)


def test_a_table_takes_no_pattern_and_an_id_has_a_length(tmp_path: Path) -> None:
    data = table(tmp_path, "t.csv", f"id,path\n{'i' * 2000},a.wav\nb,b.wav\n")
    refused(data, "is a table", pattern="{label}_{index}")
    found = read(data, "audio")
    assert [reject.reason for reject in found.rejects] == ["too_large"]
    assert found.table["id"].to_pylist() == ["b"]


def test_real_digits_are_read_by_their_names(real: Path) -> None:
    found = read(str(real / "fsdd"), "audio", "{label}_{speaker}_{index}")
    assert len(found.table) == 3000
    assert set(found.table["label"].to_pylist()) == set("0123456789")
    assert found.rejects == ()


def test_a_split_is_one_however_it_is_written(tmp_path: Path) -> None:
    text = "path,split\na.wav,Train\nb.wav,TRAIN\nc.wav,test\n"
    (tmp_path / "list.csv").write_text(text)
    assert read(str(tmp_path / "list.csv"), "audio").table["split"].to_pylist() == ["train", "train", "test"]
