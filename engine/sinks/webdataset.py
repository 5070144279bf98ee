"""WebDataset: what `webdataset.WebDataset("shards/*.tar")` reads."""

from __future__ import annotations

import hashlib
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO

from sliceforge.engine.commit import committed
from sliceforge.engine.item import Item, key
from sliceforge.engine.sink import Sink

BLOCK = tarfile.BLOCKSIZE
_NAME, _SIZE, _SUM = slice(0, 100), slice(124, 136), slice(148, 156)


@cache
def _plain() -> tuple[bytes, int]:
    """A member's header without its name and its size, and the sum of its bytes, the sum's own place as blanks."""
    empty = bytearray(tarfile.TarInfo("").tobuf(tarfile.PAX_FORMAT))
    empty[_SIZE], empty[_SUM] = bytes(12), b" " * 8
    return bytes(empty), sum(empty)


def header(name: str, size: int) -> bytes:
    """What tarfile writes in front of a member, with no clock and no owner in it.

    Args:
        name: of the member.
        size: its bytes.
    """
    if not name.isascii() or len(name) > 100 or size >= 1 << 33:
        member = tarfile.TarInfo(name)
        member.size = size
        return member.tobuf(tarfile.PAX_FORMAT)
    empty, total = _plain()
    text, number = name.encode(), b"%011o\0" % size
    block = bytearray(empty)
    block[: len(text)], block[_SIZE] = text, number
    block[_SUM] = b"%06o\0 " % (total + sum(text) + sum(number))
    return bytes(block)


def _put(file: BinaryIO, whole: Any, *parts: bytes) -> int:
    """Write and hash; returns how many bytes that were."""
    for part in parts:
        file.write(part)
        whole.update(part)
    return sum(map(len, parts))


class Webdataset(Sink):
    """One tar for each shard, `shards/v001-000017.tar`, of KEY.flac, KEY.mask.png and KEY.json; no clock is in it."""

    def path(self, shard: str, item: Item) -> str:
        return f"shards/{shard}.tar/{key(item.id)}.{item.suffix}"

    def write(self, run: Path, shard: str, items: Iterator[Item]) -> str:
        whole = hashlib.sha256()
        with committed(run / "shards" / f"{shard}.tar") as file:
            size = 0
            for item in items:
                stem = key(item.id)
                for suffix, data in item.members():
                    size += _put(file, whole, header(f"{stem}.{suffix}", len(data)), data, b"\0" * (-len(data) % BLOCK))
            # Two empty blocks end a tar, and zeros fill its last record.
            end = 2 * BLOCK
            _put(file, whole, b"\0" * (end + -(size + end) % tarfile.RECORDSIZE))
        return whole.hexdigest()

    def digest(self, run: Path, shard: str, paths: Sequence[str]) -> str:
        try:
            with (run / "shards" / f"{shard}.tar").open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest()
        except OSError:
            return ""

    def media(self, run: Path, shard: str, paths: Sequence[str]) -> dict[str, bytes]:
        found, wanted = {}, set(paths)
        try:
            with tarfile.open(run / "shards" / f"{shard}.tar") as tar:
                for member in tar:
                    file = tar.extractfile(member)
                    if file and f"shards/{shard}.tar/{member.name}" in wanted:
                        found[f"shards/{shard}.tar/{member.name}"] = file.read()
        except (OSError, tarfile.TarError):
            pass
        return found

    def prune(self, run: Path, kept: Mapping[str, Sequence[str]]) -> None:
        for path in (run / "shards").glob("*.tar"):
            if path.stem not in kept:
                path.unlink()
