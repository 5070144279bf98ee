"""WebDataset: what `webdataset.WebDataset("shards/*.tar")` reads."""

from __future__ import annotations

import hashlib
import io
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from sliceforge.engine.shards import Item, Sink, committed, key


class Webdataset(Sink):
    """One tar for each shard, `shards/v001-000017.tar`, of KEY.flac, KEY.mask.png and KEY.json; no clock is in it."""

    def path(self, shard: str, item: Item) -> str:
        return f"shards/{shard}.tar/{key(item.id)}.{item.suffix}"

    def write(self, run: Path, shard: str, items: Iterator[Item]) -> str:
        with (
            committed(run / "shards" / f"{shard}.tar") as file,
            tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as tar,
        ):
            for item in items:
                for suffix, data in item.members():
                    member = tarfile.TarInfo(f"{key(item.id)}.{suffix}")
                    member.size = len(data)
                    tar.addfile(member, io.BytesIO(data))
        return self.digest(run, shard, ())

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
