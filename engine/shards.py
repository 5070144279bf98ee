"""The only output: a shard becomes visible whole, by rename, and counts when its receipt exists."""

from __future__ import annotations

import hashlib
import importlib
import json
import os
import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, ClassVar
from urllib.parse import quote

import pyarrow as pa
import pyarrow.parquet as pq

from sliceforge.engine.errors import RunError, SettingError, did_you_mean

if TYPE_CHECKING:
    from sliceforge.engine.objects import Thing

ROWS = 65536
"""Rows in a row group of manifest.parquet and rejects.parquet."""

TEMPORARY = ".sliceforge-"
"""How the names of files begin that are being written."""

_ODD = re.compile(r"[%.\\:\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
_EMPTY = re.compile(r"^/|/$|(?<=/)/")


@contextmanager
def committed(path: Path) -> Iterator[BinaryIO]:
    """Write a file under a temporary name beside its place; it is flushed to disk and renamed at the end."""
    path.parent.mkdir(parents=True, exist_ok=True)
    stem = hashlib.sha256(path.name.encode()).hexdigest()[:16]
    temporary = path.with_name(f"{TEMPORARY}{stem}.{os.getpid()}")
    try:
        with temporary.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise OSError(error.errno, error.strerror or str(error), error.filename or str(path)) from None
    temporary.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def sweep(root: Path) -> None:
    """Remove what an interrupted writer left under temporary names."""
    for path in root.rglob(f"{TEMPORARY}*"):
        path.unlink(missing_ok=True)


def read_table(path: Path, columns: Sequence[str] | None = None) -> pa.Table:
    """A table of a run.

    Raises:
        RunError: it is damaged.
    """
    try:
        return pq.read_table(path, columns=columns)
    except pa.ArrowInvalid:
        raise RunError(f"{path}: is damaged; without it, the command that began the run makes it again") from None


def write_table(path: Path, table: pa.Table, rows: int = ROWS, notes: Mapping[str, str] | None = None) -> None:
    """A Parquet file, whole and by rename; the same table gives the same bytes."""
    table = table.replace_schema_metadata(notes).combine_chunks()
    with committed(path) as file:
        pq.write_table(table, file, row_group_size=rows)


def key(item: str) -> str:
    """An item's id as a name inside a tar or a folder: `%`, `.`, control characters and odd slashes percent-encoded.

    webdataset cuts a name at its first dot; an encoded name also cannot leave its folder.

    >>> key("a/b.c~1"), key("../x")
    ('a/b%2Ec~1', '%2E%2E/x')
    """
    encoded = _ODD.sub(lambda m: quote(m[0], safe=""), item).replace(".", "%2E")
    return _EMPTY.sub("%2F", encoded) if "/" in encoded else encoded


@dataclass(frozen=True)
class Item:
    """What is written for one accepted item.

    Args:
        id: the made item's id.
        label: its class, or None.
        suffix: flac, wav, png or jpeg.
        media: the encoded file.
        mask: an encoded PNG, or None.
        row: what KEY.json says.
        size: (height, width, channels) of an image.
        objects: what is in an image.
    """

    id: str
    label: str | None
    suffix: str
    media: bytes
    mask: bytes | None = None
    row: Mapping[str, Any] = field(default_factory=dict)
    size: tuple[int, int, int] = (0, 0, 0)
    objects: Sequence[Thing] = ()

    def members(self) -> Iterator[tuple[str, bytes]]:
        """(suffix, bytes) of each file, in a fixed order."""
        yield self.suffix, self.media
        if self.mask is not None:
            yield "mask.png", self.mask
        yield "json", line(self.row)


def _other(value: Any) -> Any:
    return dict(value) if isinstance(value, Mapping) else str(value)


_JSON = json.JSONEncoder(ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"), default=_other)


def line(row: Mapping[str, Any]) -> bytes:
    """A row as a line of JSON, with sorted keys, and null for numbers that JSON cannot say."""
    return _text(row).encode("utf-8", "backslashreplace") + b"\n"


def _text(row: Mapping[str, Any]) -> str:
    try:
        return _JSON.encode(row)
    except ValueError:  # one of them is not finite, which is rare
        return _JSON.encode(_finite(row))


def _finite(value: Any) -> Any:
    """The same, with null for what is no finite number."""
    if isinstance(value, Mapping):
        return {name: _finite(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(inner) for inner in value]
    return None if isinstance(value, float) and value - value != 0 else value


class Sink(ABC):
    """Where a shard's items go, and what a manifest calls their places; its fields are its settings."""

    kinds: ClassVar[tuple[str, ...]] = ("audio", "image")
    """What it can hold."""

    @abstractmethod
    def path(self, shard: str, item: Item) -> str:
        """The item's place, relative to the run."""

    def mask_path(self, shard: str, item: Item) -> str:
        """The place of the item's mask."""
        return f"{self.path(shard, item).removesuffix(item.suffix)}mask.png"

    @abstractmethod
    def write(self, run: Path, shard: str, items: Iterator[Item]) -> str:
        """Write a whole shard; returns the SHA-256 of what was written, or of its list of files."""

    @abstractmethod
    def digest(self, run: Path, shard: str, paths: Sequence[str]) -> str:
        """What `write` returned, from the files that lie there; empty where they are gone."""

    @abstractmethod
    def media(self, run: Path, shard: str, paths: Sequence[str]) -> dict[str, bytes]:
        """path → bytes of those items that can be read."""

    @abstractmethod
    def prune(self, run: Path, kept: Mapping[str, Sequence[str]]) -> None:
        """Take away every item that is not named; `kept` is shard → the paths of its items."""

    def finish(self, run: Path, table: pa.Table) -> None:
        """Write what speaks of all items, such as an annotation file; called again it changes nothing.

        Args:
            run: the run's folder, all shards of it written.
            table: the manifest, which is written after this: a run with a manifest is whole.
        """


def sink(kind: str, **settings: Any) -> Sink:
    """The sink of that name: `folder` is `Folder` in engine/sinks/folder.py.

    Args:
        kind: its name.
        settings: its own, beyond those of the files.

    Raises:
        SettingError: no such sink.
    """
    known = sorted(path.stem for path in (Path(__file__).parent / "sinks").glob("[a-z]*.py"))
    if kind not in known:
        raise SettingError(f"sink.kind: {kind}: no such sink{did_you_mean(kind, known)}")
    module = importlib.import_module(f"sliceforge.engine.sinks.{kind}")
    found: Sink = getattr(module, kind.capitalize())(**settings)
    return found


def suffix(settings: Mapping[str, Any], kind: str) -> str:
    """The suffix of the files that a sink writes.

    Args:
        settings: of the sink, as composed.
        kind: audio or image.

    Raises:
        SettingError: it cannot hold items of that kind.
    """
    if kind not in sink(settings["kind"]).kinds or kind not in settings:
        fits = {"audio": "lhotse", "image": "coco"}[kind]
        raise SettingError(f"sink: {settings['kind']}: holds no items of kind {kind}; such as sink={fits}")
    return str(settings[kind])


def own(settings: Mapping[str, Any]) -> dict[str, Any]:
    """A sink's settings beyond its kind and the files' suffixes."""
    return {name: value for name, value in settings.items() if name not in ("kind", "audio", "image")}


def name(variant: int, index: int) -> str:
    """A shard's name, such as v001-000017."""
    return f"v{variant:03d}-{index:06d}"


def numbers(shard: str) -> tuple[int, int]:
    """(variant, index) of a shard's name."""
    variant, _, index = shard.removeprefix("v").partition("-")
    return int(variant), int(index)


def receipt(run: Path, shard: str) -> Path:
    """Where a shard's receipt lies: one row for each plan row, accepted or not."""
    return run / "receipts" / f"{shard}.parquet"
