"""Sinks of plain files: what items have in common there, and the annotation files that speak of all of them."""

from __future__ import annotations

import hashlib
import json
import zlib
from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import pyarrow as pa

from sliceforge.engine.commit import committed
from sliceforge.engine.errors import RunError
from sliceforge.engine.item import Item, key, line
from sliceforge.engine.shards import numbers
from sliceforge.engine.sink import Sink

Whole = tuple[Path, Callable[[], Iterable[bytes]]]

MOST = 240
"""Bytes of a name before its suffix; file systems take 255."""


def short(name: str) -> str:
    """A name that a file system takes: of a longer one its beginning and its hash."""
    if len(name.encode()) <= MOST:
        return name
    return f"{name.encode()[:200].decode(errors='ignore')}%{hashlib.sha256(name.encode()).hexdigest()[:32]}"


def place(item: Item) -> str:
    """An item's place below a folder, without a suffix: its encoded id."""
    return "/".join(map(short, key(item.id).split("/")))


def classes(label: str | None, none: str = "unlabelled") -> str:
    """A label as the name of one folder."""
    return short(key(label).replace("/", "%2F")) if label else none


def digest(run: Path, names: Iterable[str]) -> str:
    """SHA-256 over the names and contents of those files that are there."""
    whole = hashlib.sha256()
    for name in names:
        if (run / name).is_file():
            whole.update(f"{name}\0{hashlib.sha256((run / name).read_bytes()).hexdigest()}\n".encode())
    return whole.hexdigest()


class Files(Sink):
    """Plain files, one for each item, and for each shard a part of what `finish` puts together.

    A part, `parts/v001-000017.jsonl`, is a line of JSON for each item: `id`, and what the kind of sink adds. Items lie
    in `FOLDER/KEY.png`, their masks in `masks/KEY.png`.
    """

    folder: ClassVar[str]
    """Where items lie."""

    more: ClassVar[Mapping[str, str]] = {}
    """Folder → suffix of further files that an item may have, of the same name."""

    late: ClassVar[bool] = False
    """Whether `finish` writes those further files, so that a shard's digest is without them."""

    def path(self, shard: str, item: Item) -> str:
        return f"{self.folder}/{place(item)}.{item.suffix}"

    def mask_path(self, shard: str, item: Item) -> str:
        return f"masks/{self._stem(self.path(shard, item))}.png"

    def beside(self, item: Item, path: str) -> Mapping[str, bytes]:
        """Further files of an item, path → bytes; `path` is its own."""
        return {}

    @abstractmethod
    def part(self, item: Item, path: str) -> Mapping[str, Any]:
        """What `finish` wants to know of an item beside its row of the manifest."""

    def write(self, run: Path, shard: str, items: Iterator[Item]) -> str:
        paths, lines = [], []
        for item in items:
            path = self.path(shard, item)
            files = {path: item.media, **self.beside(item, path)}
            files |= {self.mask_path(shard, item): item.mask} if item.mask is not None else {}
            for name, data in files.items():
                with committed(run / name) as file:
                    file.write(data)
            paths.append(path)
            lines.append(line({"id": item.id, **self.part(item, path)}))
        with committed(self._part(run, shard)) as file:
            file.writelines(lines)
        return self.digest(run, shard, paths)

    def digest(self, run: Path, shard: str, paths: Sequence[str]) -> str:
        count = 2 if self.late else None
        names = [name for path in paths for name in self._names(path)[:count]]
        return digest(run, (f"parts/{shard}.jsonl", *names))

    def media(self, run: Path, shard: str, paths: Sequence[str]) -> dict[str, bytes]:
        return {path: (run / path).read_bytes() for path in paths if (run / path).is_file()}

    def prune(self, run: Path, kept: Mapping[str, Sequence[str]]) -> None:
        names = {name for paths in kept.values() for path in paths for name in self._names(path)}
        for folder in (self.folder, "masks", *self.more):
            for path in (run / folder).rglob("*"):
                if path.is_file() and path.relative_to(run).as_posix() not in names:
                    path.unlink()
        for path in (run / "parts").glob("*.jsonl"):
            if path.stem not in kept:
                path.unlink()

    def whole(self, run: Path, table: pa.Table) -> Iterator[Whole]:
        """What speaks of all items: each file, and what gives its bytes, one part after the other, each time anew."""
        yield from ()

    def finish(self, run: Path, table: pa.Table) -> None:
        for path, parts in self.whole(run, table):
            settle(path, parts)

    def altered(self, run: Path, table: pa.Table) -> Iterator[str]:
        changed = (path for path, parts in self.whole(run, table) if _hashed(parts()) != _digest(path))
        yield from (path.relative_to(run).as_posix() for path in changed)

    def rows(self, run: Path, table: pa.Table) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
        """(manifest row, part) of each item, in the manifest's order.

        Raises:
            RunError: a part is missing.
        """
        parts = self._parts(run)
        for batch in table.to_batches(4096):
            for row in batch.to_pylist():
                part = next((part for part in parts if part.get("id") == row["id"]), None)
                if part is None:
                    raise RunError(f"{run / 'parts'}: nothing there speaks of {row['id']}; take its receipt away too")
                yield row, part

    def _parts(self, run: Path) -> Iterator[dict[str, Any]]:
        for path in sorted((run / "parts").glob("*.jsonl"), key=lambda path: numbers(path.stem)):
            with path.open("rb") as file:
                for text in file:
                    try:
                        yield json.loads(text)
                    except ValueError:
                        raise RunError(f"{path}: is damaged; take it and its receipt away") from None

    def _part(self, run: Path, shard: str) -> Path:
        return run / "parts" / f"{shard}.jsonl"

    def _stem(self, path: str) -> str:
        return path.removeprefix(f"{self.folder}/").rpartition(".")[0]

    def _names(self, path: str) -> list[str]:
        stem = self._stem(path)
        return [path, f"masks/{stem}.png", *(f"{folder}/{stem}.{suffix}" for folder, suffix in self.more.items())]


def settle(path: Path, parts: Callable[[], Iterable[bytes]]) -> None:
    """Write a file whole and by rename, unless it has these bytes already.

    Args:
        path: the file.
        parts: gives its bytes, one part after the other, each time from the beginning.
    """
    if _hashed(parts()) != _digest(path):
        with committed(path) as file:
            file.writelines(parts())


def packed(parts: Iterable[bytes]) -> Iterator[bytes]:
    """The same as gzip, with no clock and no name in it."""
    packer = zlib.compressobj(6, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
    for part in parts:
        yield packer.compress(part)
    yield packer.flush()


def _hashed(parts: Iterable[bytes]) -> str:
    whole = hashlib.sha256()
    for part in parts:
        whole.update(part)
    return whole.hexdigest()


def _digest(path: Path) -> str:
    if not path.is_file():
        return ""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def facts(row: Mapping[str, Any]) -> dict[str, Any]:
    """What a manifest's row says of an item that any reader can take: its plain values, where there are any."""
    left_out = ("id", "path", "mask", "sha256", "parent_path")
    plain = {name: value for name, value in row.items() if name not in left_out and "." not in name}
    return {name: value for name, value in plain.items() if isinstance(value, str | int | float) and value == value}
