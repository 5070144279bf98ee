"""Names cannot leave their folder, files appear whole, the same items give the same bytes."""

import gc
import hashlib
import io
import json
import os
import tarfile
import unicodedata
from pathlib import Path
from types import MappingProxyType

import pyarrow as pa
import pytest
import webdataset

from sliceforge.engine import commit
from sliceforge.engine.commit import committed, write_table
from sliceforge.engine.errors import SettingError
from sliceforge.engine.item import Item, key
from sliceforge.engine.sink import named
from sliceforge.engine.sinks.webdataset import header

ODD = ["a", "7_theo_1.5", "../../etc/passwd", "/abs", "a//b", "a/", ".", "..", "50%", "ü/ß", "a\nb", "a\0b", "x" * 180,
       "C:\\x", "a:b", "a\u202eb", "%2E", "k~1", "dir.with.dots/name", "-", " lead"]  # fmt: skip


def _items(ids: list[str]) -> list[Item]:
    return [Item(name, "up", "flac", name.encode() * 3, b"mask", {"id": name, "n": i}) for i, name in enumerate(ids)]


def test_keys_are_distinct_and_stay_inside() -> None:
    keys = [key(name) for name in ODD]
    assert len(set(keys)) == len(ODD)
    for name in keys:
        assert "." not in name
        assert not name.startswith("/")
        assert all(part not in ("", ".", "..") for part in name.split("/"))
        assert all(unicodedata.category(letter) != "Cc" for letter in name)


# webdataset leaves closing its files to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_webdataset_reads_a_shard_back_whole(tmp_path: Path) -> None:
    named("webdataset").write(tmp_path, "v001-000000", iter(_items(ODD)))
    url = str(tmp_path / "shards" / "v001-000000.tar")
    found = list(webdataset.WebDataset(url, shardshuffle=False))
    gc.collect()
    assert [json.loads(one["json"])["id"] for one in found] == ODD
    assert [one["flac"] for one in found] == [name.encode() * 3 for name in ODD]
    assert [one["__key__"] for one in found] == [key(name) for name in ODD]


def test_a_shard_has_the_bytes_that_tarfile_would_write(tmp_path: Path) -> None:
    items = _items([*ODD, "x" * 95, "x" * 96, "y" * 300, *map(str, range(40))])
    digest = named("webdataset").write(tmp_path, "v001-000000", iter(items))
    expected = io.BytesIO()
    with tarfile.open(fileobj=expected, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for item in items:
            for suffix, data in item.members():
                member = tarfile.TarInfo(f"{key(item.id)}.{suffix}")
                member.size = len(data)
                tar.addfile(member, io.BytesIO(data))
    written = (tmp_path / "shards" / "v001-000000.tar").read_bytes()
    assert written == expected.getvalue()
    assert digest == hashlib.sha256(written).hexdigest() == named("webdataset").digest(tmp_path, "v001-000000", [])


@pytest.mark.parametrize("size", [0, 1, 511, 512, 8**11 - 1, 8**11, 1 << 40])
def test_a_header_is_that_of_tarfile_for_any_size(size: int) -> None:
    member = tarfile.TarInfo("a/b~1.flac")
    member.size = size
    assert header("a/b~1.flac", size) == member.tobuf(tarfile.PAX_FORMAT)


def test_an_item_says_null_for_what_json_cannot_say() -> None:
    row = {"b": float("nan"), "a": [1.5, -float("inf"), (2, MappingProxyType({"z": float("inf")}))], "c": Path("x")}
    text = dict(Item("a", None, "png", b"", None, row).members())["json"]
    assert text == b'{"a":[1.5,null,[2,{"z":null}]],"b":null,"c":"x"}\n'
    plain = {"e": MappingProxyType({"k": (1, 2)}), "d": "ü"}
    assert dict(Item("a", None, "png", b"", None, plain).members())["json"] == '{"d":"ü","e":{"k":[1,2]}}\n'.encode()


def test_a_tar_says_nothing_of_when_and_who(tmp_path: Path) -> None:
    named("webdataset").write(tmp_path, "v001-000000", iter(_items(["a"])))
    with tarfile.open(tmp_path / "shards" / "v001-000000.tar") as tar:
        for member in tar:
            assert (member.mtime, member.uid, member.gid, member.uname, member.gname) == (0, 0, 0, "", "")


def test_a_folder_has_class_folders(tmp_path: Path) -> None:
    folder = named("folder")
    names = [name for name in ODD if len(name) < 100]
    digest = folder.write(tmp_path, "v001-000000", iter(_items(names)))
    assert all((tmp_path / folder.path("", item)).read_bytes() == item.media for item in _items(names))
    assert {path.parts[-2] for path in (tmp_path / "items").glob("up/*.flac")} == {"up"}
    inside = (tmp_path / "items").resolve()
    assert all(inside in path.resolve().parents for path in tmp_path.rglob("*.flac"))
    assert digest == folder.digest(tmp_path, "v001-000000", [folder.path("", item) for item in _items(names)])


@pytest.mark.parametrize("kind", ["webdataset", "folder"])
def test_the_same_items_give_the_same_bytes(kind: str, tmp_path: Path) -> None:
    digests = {named(kind).write(tmp_path / str(i), "v001-000000", iter(_items(["a", "b/c"]))) for i in range(2)}
    assert len(digests) == 1


@pytest.mark.parametrize("kind", ["webdataset", "folder"])
def test_media_and_digest_see_a_changed_byte(kind: str, tmp_path: Path) -> None:
    one = named(kind)
    digest = one.write(tmp_path, "v001-000000", iter(_items(["a", "b"])))
    paths = [one.path("v001-000000", item) for item in _items(["a", "b"])]
    assert one.media(tmp_path, "v001-000000", paths) == {paths[0]: b"aaa", paths[1]: b"bbb"}
    for path in tmp_path.rglob("*"):
        if path.is_file():
            path.write_bytes(path.read_bytes().replace(b"aaa", b"aba"))
    assert one.digest(tmp_path, "v001-000000", paths) != digest
    assert one.media(tmp_path, "v001-000000", paths)[paths[0]] == b"aba"


@pytest.mark.parametrize("kind", ["webdataset", "folder"])
def test_prune_takes_away_what_is_not_named(kind: str, tmp_path: Path) -> None:
    one = named(kind)
    one.write(tmp_path, "v001-000000", iter(_items(["a"])))
    one.write(tmp_path, "v001-000001", iter(_items(["b"])))
    kept = [one.path("v001-000000", item) for item in _items(["a"])]
    one.prune(tmp_path, {"v001-000000": kept})
    assert one.media(tmp_path, "v001-000000", kept)
    assert not one.media(tmp_path, "v001-000001", [one.path("v001-000001", item) for item in _items(["b"])])


def test_an_interrupted_write_leaves_no_file_under_its_name(tmp_path: Path) -> None:
    def half() -> None:
        with committed(tmp_path / "x.bin") as file:
            file.write(b"half")
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError):
        half()
    assert not (tmp_path / "x.bin").exists()
    assert any(tmp_path.iterdir())
    commit.sweep(tmp_path)
    assert not any(tmp_path.iterdir())


def test_a_table_is_written_with_the_same_bytes_however_it_was_put_together(tmp_path: Path) -> None:
    whole = pa.table({"a": list(range(1000)), "b": [str(i) for i in range(1000)]})
    pieces = pa.concat_tables([whole.slice(0, 10), whole.slice(10)])
    for name, table in (("one", whole), ("two", pieces)):
        write_table(tmp_path / name, table, rows=64, notes={"k": "v"})
    digests = {hashlib.sha256((tmp_path / name).read_bytes()).hexdigest() for name in ("one", "two")}
    assert len(digests) == 1


def test_json_has_no_word_that_json_does_not_know() -> None:
    item = Item("a", None, "wav", b"", None, {"x": float("nan"), "y": [float("inf"), 1.5]})
    text = dict(item.members())["json"]
    assert json.load(io.BytesIO(text), parse_constant=lambda word: pytest.fail(word)) == {"x": None, "y": [None, 1.5]}


def test_an_unknown_sink_is_named() -> None:
    with pytest.raises(SettingError, match="did you mean webdataset"):
        named("webdatset")


def test_temporary_names_of_two_processes_differ(tmp_path: Path) -> None:
    with committed(tmp_path / ("n" * 250)) as file:
        assert str(os.getpid()) in Path(file.name).name
