"""YOLO: a folder of images, one of text files with normalised boxes, and a `data.yaml` that names the classes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import pyarrow as pa

from sliceforge.engine.filing import Files, Whole
from sliceforge.engine.item import Item
from sliceforge.engine.sinks.coco import NAMELESS


@dataclass(frozen=True)
class Yolo(Files):
    """Images in `images/`, and for each `labels/KEY.txt` with `class cx cy w h` of each object, in shares of the image.

    Classes are numbered from 0 by name in `data.yaml`. An image without an object has an empty file.
    """

    kinds: ClassVar[tuple[str, ...]] = ("image",)
    folder: ClassVar[str] = "images"
    more: ClassVar[Mapping[str, str]] = {"labels": "txt"}
    late: ClassVar[bool] = True

    def part(self, item: Item, path: str) -> Mapping[str, Any]:
        height, width, _ = item.size
        objects = []
        for thing in item.objects:
            x0, y0, x1, y1 = thing.box
            shares = ((x0 + x1) / 2 / width, (y0 + y1) / 2 / height, (x1 - x0) / width, (y1 - y0) / height)
            objects.append([thing.label or NAMELESS, " ".join(f"{share:.8f}" for share in shares)])
        return {"objects": objects}

    def whole(self, run: Path, table: pa.Table) -> Iterator[Whole]:
        names = {name for _, part in self.rows(run, table) for name, _ in part["objects"]}
        numbers = {name: number for number, name in enumerate(sorted(names))}
        for row, part in self.rows(run, table):
            lines = [f"{numbers[name]} {shares}\n".encode() for name, shares in part["objects"]]
            yield run / self._names(row["path"])[-1], partial(iter, lines)

        def said() -> Iterator[bytes]:
            yield b"# The images are for training; add val: with held-out ones of your own.\n"
            yield b"path: .\ntrain: images\nnames:\n"
            for name, number in numbers.items():
                yield f"  {number}: {json.dumps(name, ensure_ascii=False)}\n".encode()

        yield run / "data.yaml", said
