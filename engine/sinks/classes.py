"""Class folders and nothing else in them: what `torchvision.datasets.ImageFolder("classes")` reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from sliceforge.engine.filing import Files, classes, place
from sliceforge.engine.item import Item


@dataclass(frozen=True)
class Classes(Files):
    """`classes/LABEL/KEY.png` or `.flac`; what has no label is in `unlabelled`, and masks are outside, in `masks/`."""

    folder: ClassVar[str] = "classes"

    def path(self, shard: str, item: Item) -> str:
        return f"{self.folder}/{classes(item.label)}/{place(item)}.{item.suffix}"

    def part(self, item: Item, path: str) -> Mapping[str, Any]:
        return {}
