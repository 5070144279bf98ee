"""The only output: what a run's items are written into, one whole shard after the other."""

from __future__ import annotations

import importlib
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import pyarrow as pa

from sliceforge.engine.errors import SettingError, did_you_mean
from sliceforge.engine.item import Item


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

    def altered(self, run: Path, table: pa.Table) -> Iterator[str]:
        """The files that `finish` wrote and that are no longer what it would write.

        Raises:
            RunError: that cannot be told, since a part is missing.
        """
        yield from ()


def named(kind: str, **settings: Any) -> Sink:
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
    if kind not in named(settings["kind"]).kinds or kind not in settings:
        fits = {"audio": "lhotse", "image": "coco"}[kind]
        raise SettingError(f"sink: {settings['kind']}: holds no items of kind {kind}; such as sink={fits}")
    return str(settings[kind])


def own(settings: Mapping[str, Any]) -> dict[str, Any]:
    """A sink's settings beyond its kind and the files' suffixes."""
    return {name: value for name, value in settings.items() if name not in ("kind", "audio", "image")}
