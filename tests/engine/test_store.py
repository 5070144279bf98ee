"""Data in stores: read as if they lay in a folder, listed anew, fetched when first read, never half."""

import hashlib
import stat
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import fsspec
import numpy as np
import pytest
import soundfile
from fsspec.implementations.memory import MemoryFileSystem
from fsspec.registry import known_implementations
from harness import tree

from sliceforge.engine import fetch
from sliceforge.engine.banks import Shelf
from sliceforge.engine.cache import cache_folder
from sliceforge.engine.cli import main
from sliceforge.engine.errors import InputError, RunError, SettingError
from sliceforge.engine.manifest import digest, read
from sliceforge.engine.read import read_audio

SETTINGS = ("recipe=speech/car_noise", "count=6", "shard=3", "device=cpu", "workers=1", "report=false")


class Silent(MemoryFileSystem):
    """A store that gives each file but lists none, as most web servers do."""

    protocol = "silent"
    store: ClassVar[dict[str, Any]] = {}
    pseudo_dirs: ClassVar[list[str]] = [""]

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        return "/" + path.removeprefix("silent://").strip("/")

    def ls(self, path: str, detail: bool = True, **kwargs: Any) -> Any:
        raise PermissionError(path)


@pytest.fixture(autouse=True)
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MemoryFileSystem]:
    """An empty store `memory://`, an empty cache, and no pauses."""
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(cache_folder().parent.parent))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(fetch, "PAUSES", (0.0, 0.0))
    found = fsspec.filesystem("memory")
    yield found
    found.store.clear()
    Silent.store.clear()


@pytest.fixture(scope="module")
def packed(clips: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The clips in `clips/` of a zip, beside names that leave it."""
    path = tmp_path_factory.mktemp("zip") / "data.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for clip in sorted(clips.iterdir()):
            archive.write(clip, f"clips/{clip.name}")
        archive.writestr("bad/../../../../out.wav", b"x")
        archive.writestr("bad/" + "n" * 300 + ".wav", b"x")
        archive.writestr("bad/in.wav", b"x")
    return path


def tone(path: Path, hertz: float) -> bytes:
    soundfile.write(path, 0.2 * np.sin(2 * np.pi * hertz * np.arange(4000) / 8000), 8000, subtype="PCM_16")
    return path.read_bytes()


def fetched(root: Path) -> list[str]:
    return sorted(path.name for path in root.rglob("*.*") if stat.S_IMODE(path.stat().st_mode))


def test_what_a_store_has_is_what_a_folder_would_have_and_is_fetched_when_it_is_read(clips: Path, packed: Path) -> None:
    pattern = "{label}_{speaker}_{index}"
    there = read(f"zip://clips::{packed}", "audio", pattern)
    assert digest(there) == digest(read(str(clips), "audio", pattern))
    assert fetched(there.root) == []
    first = there.table["path"][0].as_py()
    assert np.array_equal(read_audio(there.root / first)[0], read_audio(clips / first)[0])
    assert fetched(there.root) == [first]


def test_another_process_fetches_what_it_reads(clips: Path, packed: Path, tmp_path: Path) -> None:
    found = read(f"zip://clips::{packed}", "audio")
    name = found.table["path"][0].as_py()
    code = "from sliceforge.engine.codecs.files import *; import sys; print(sha256(Path(sys.argv[1])))"
    line = [sys.executable, "-c", code, str(found.root / name)]
    done = subprocess.run(line, capture_output=True, text=True, check=True, cwd=tmp_path)
    assert done.stdout.strip() == hashlib.sha256((clips / name).read_bytes()).hexdigest()
    assert fetched(found.root) == [name]


def test_a_run_of_a_store_has_the_bytes_of_a_run_of_a_folder(clips: Path, packed: Path, tmp_path: Path) -> None:
    for name, data in (("near", clips), ("far", f"zip://clips::{packed}")):
        assert main(["generate", *SETTINGS, f"data={data}", f"out={tmp_path / name}"]) == 0
    assert tree(tmp_path / "far") == tree(tmp_path / "near")
    run = tmp_path / "near"
    with zipfile.ZipFile(tmp_path / "run.zip", "w") as archive:
        for path in run.rglob("*"):
            archive.write(path, path.relative_to(run.parent))
    assert digest(read(f"zip://near::{tmp_path / 'run.zip'}", "audio")) == digest(read(str(run), "audio"))
    found = read(f"zip://near/shards::{tmp_path / 'run.zip'}", "audio")
    assert len(read_audio(found.root / found.table["path"][0].as_py())[0])


def test_a_name_that_leaves_or_that_no_file_can_have_is_a_reject(packed: Path, tmp_path: Path) -> None:
    found = read(f"zip://::{packed}", "audio")
    assert sorted(reject.reason for reject in found.rejects) == ["outside", "outside"]
    assert "bad/in" in found.table["id"].to_pylist()
    assert not list(tmp_path.rglob("out.wav"))


@pytest.mark.parametrize("protocol", ["memory", "silent"])
def test_a_table_is_listed_anew_and_only_what_changed_is_fetched_again(protocol: str, tmp_path: Path) -> None:
    fsspec.register_implementation("silent", Silent, clobber=True)
    held = fsspec.filesystem(protocol)
    held.pipe("/set/t.csv", b"path,label\nx/a.wav,go\nx/b.wav,stop\nx/none.wav,stop\n")
    for name, hertz in (("a", 200.0), ("b", 400.0)):
        held.pipe(f"/set/x/{name}.wav", tone(tmp_path / "tone.wav", hertz))
    found = read(f"{protocol}://set/t.csv", "audio")
    assert found.table["label"].to_pylist() == ["go", "stop", "stop"]
    before = [read_audio(found.root / "x" / f"{name}.wav")[0] for name in "ab"]
    same = (found.root / "x" / "a.wav").stat().st_ino
    with pytest.raises(InputError, match="unreadable"):
        read_audio(found.root / "x" / "none.wav")
    held.pipe("/set/x/b.wav", tone(tmp_path / "tone.wav", 800.0))
    held.pipe("/set/t.csv", b"path,label\nx/a.wav,go\nx/b.wav,halt\n")
    again = read(f"{protocol}://set/t.csv", "audio")
    assert again.table["label"].to_pylist() == ["go", "halt"]
    after = [read_audio(again.root / "x" / f"{name}.wav")[0] for name in "ab"]
    assert np.array_equal(before[0], after[0])
    assert not np.array_equal(before[1], after[1])
    assert (again.root / "x" / "a.wav").stat().st_ino == same
    held.rm("/set/x/b.wav")
    read(f"{protocol}://set/t.csv", "audio")
    with pytest.raises(InputError, match="unreadable"):
        read_audio(again.root / "x" / "b.wav")


def test_a_bank_is_read_from_a_store_by_a_pattern(clips: Path, packed: Path) -> None:
    shelf = Shelf.open({"voices": f"zip://clips/{{digit}}_{{speaker}}_{{index}}::{packed}"}, "audio")
    near = Shelf.open({"voices": f"{clips}/{{digit}}_{{speaker}}_{{index}}"}, "audio")
    assert shelf.digests() == near.digests()
    assert shelf.inventories()["voices"].groups == near.inventories()["voices"].groups


@pytest.mark.parametrize("short", [False, True])
def test_a_store_that_fails_is_asked_again_and_then_ends_the_run_not_the_item(
    short: bool, packed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = read(f"zip://clips::{packed}", "audio")
    path = found.root / found.table["path"][0].as_py()
    kind = fsspec.get_filesystem_class("zip")
    plain, left = kind.get_file, [2]

    def failing(self: Any, place: str, part: str, **kwargs: Any) -> None:
        left[0] -= 1
        if left[0] < 0:
            plain(self, place, part, **kwargs)
        elif short:
            Path(part).write_bytes(b"half")
        else:
            raise ConnectionResetError("the line\nis dead")

    monkeypatch.setattr(kind, "get_file", failing)
    assert len(read_audio(path)[0])
    other = found.root / found.table["path"][1].as_py()
    left[0] = 99
    with pytest.raises(RunError, match="cannot be fetched") as caught:
        read_audio(other)
    assert "\n" not in str(caught.value)
    assert not any((found.root.parent / fetch.PARTS).iterdir())
    left[0] = 0
    assert len(read_audio(other)[0])


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ("memoryy://x", "did you mean memory"),
        ("memory://none", "no such file or folder"),
        ("memory://none/t.csv", "no such file or folder"),
        ("zip://::nowhere.zip", "no such file or folder"),
        ("zip://::{}", "cannot be read"),
        ("[memory://none, clips]", "memory://none"),
    ],
)
def test_what_cannot_be_reached_is_one_line(data: str, words: str, tmp_path: Path) -> None:
    (tmp_path / "no.zip").write_bytes(b"no zip")
    with pytest.raises((SettingError, RunError)) as caught:
        read(data.replace("{}", str(tmp_path / "no.zip")), "audio")
    assert words in str(caught.value)
    assert str(caught.value).startswith("data: ")
    assert "\n" not in str(caught.value)


def test_a_package_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    lacking = {"class": "no_such_package.Files", "err": "Install no_such_package to reach it"}
    monkeypatch.setitem(known_implementations, "lacking", lacking)
    with pytest.raises(SettingError, match=r"banks\.noise: lacking://x: .*Install no_such_package"):
        read("lacking://x", "audio", key="banks.noise")


def test_a_file_url_is_the_file_itself(clips: Path) -> None:
    assert read(f"file://{clips}", "audio").root == clips.resolve()


def test_what_was_begun_long_ago_is_swept(packed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = read(f"zip://clips::{packed}", "audio").root
    part = root.parent / fetch.PARTS / "left"
    part.write_bytes(b"half")
    read(f"zip://clips::{packed}", "audio")
    assert part.exists()
    later = time.time() + 2 * 86400
    monkeypatch.setattr(time, "time", lambda: later)
    read(f"zip://clips::{packed}", "audio")
    assert not part.exists()


def test_a_run_is_written_on_this_machine(capsys: pytest.CaptureFixture[str]) -> None:
    for verb in ("generate", "preview"):
        assert main([verb, "out=s3://bucket/RUN"]) == 2
        assert capsys.readouterr().err == (
            "sliceforge: out: 's3://bucket/RUN': expected a place on this machine, such as out=RUN\n"
        )
