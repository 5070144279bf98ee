"""Plain files in class folders."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from sliceforge.engine.commit import committed
from sliceforge.engine.filing import classes, digest, place
from sliceforge.engine.item import Item
from sliceforge.engine.sink import Sink


class Folder(Sink):
    """Plain files in class folders, `items/LABEL/KEY.flac`, as torchvision's ImageFolder expects them."""

    def path(self, shard: str, item: Item) -> str:
        folder = f"items/{classes(item.label)}" if item.label else "items"
        return f"{folder}/{place(item)}.{item.suffix}"

    def write(self, run: Path, shard: str, items: Iterator[Item]) -> str:
        paths = []
        for item in items:
            paths.append(self.path(shard, item))
            stem = paths[-1].removesuffix(f".{item.suffix}")
            for suffix, data in item.members():
                with committed(run / f"{stem}.{suffix}") as file:
                    file.write(data)
        return self.digest(run, shard, paths)

    def digest(self, run: Path, shard: str, paths: Sequence[str]) -> str:
        stems = [(path, path.rpartition(".")[0]) for path in paths]
        return digest(run, [name for path, stem in stems for name in (path, f"{stem}.mask.png", f"{stem}.json")])

    def media(self, run: Path, shard: str, paths: Sequence[str]) -> dict[str, bytes]:
        return {path: (run / path).read_bytes() for path in paths if (run / path).is_file()}

    def prune(self, run: Path, kept: Mapping[str, Sequence[str]]) -> None:
        stems = {path.rpartition(".")[0] for paths in kept.values() for path in paths}
        for path in (run / "items").rglob("*"):
            # No dot is left in an encoded name, so that the first one ends it.
            stem = path.relative_to(run).with_name(path.name.partition(".")[0]).as_posix()
            if path.is_file() and stem not in stems:
                path.unlink()
