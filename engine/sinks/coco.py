"""COCO: what `pycocotools.COCO("annotations.json")` and `torchvision.datasets.CocoDetection` read."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa

from sliceforge.engine.codecs import polygon, rle
from sliceforge.engine.filing import Files, Whole
from sliceforge.engine.item import Item
from sliceforge.engine.objects import Thing

NAMELESS = "object"
"""The category of what has no label."""


@dataclass(frozen=True)
class Coco(Files):
    """Images in `images/`, and `annotations.json` with an annotation for each object of `engine/objects.py`.

    Images and annotations are numbered from 1 in the manifest's order, categories from 1 by name; `file_name` is below
    `images/`, and an image's `item` is its id in the manifest. A mask's area is its pixels, and its box is tight. A
    brought box without a mask has an empty segmentation and its own area.

    Args:
        segmentation: rle, or polygon: outlines along the pixels' edges, which give the mask back bit for bit; a mask
            with a hole is run lengths even so, because COCO joins polygons and none can be cut out.
    """

    segmentation: str = "rle"

    kinds: ClassVar[tuple[str, ...]] = ("image",)
    folder: ClassVar[str] = "images"

    def part(self, item: Item, path: str) -> Mapping[str, Any]:
        return {"size": item.size[:2], "objects": [_object(thing) for thing in item.objects]}

    def whole(self, run: Path, table: pa.Table) -> Iterator[Whole]:
        names = {one["label"] for _, part in self.rows(run, table) for one in part["objects"]}
        numbers = {name: number for number, name in enumerate(sorted(names), 1)}

        def parts() -> Iterator[bytes]:
            yield b'{"info":{"description":"made by Sliceforge"},\n"categories":'
            yield _json([{"id": number, "name": name, "supercategory": ""} for name, number in numbers.items()])
            yield b',\n"images":['
            yield from _listed(self._images(run, table))
            yield b'],\n"annotations":['
            yield from _listed(self._annotations(run, table, numbers))
            yield b"]}\n"

        yield run / "annotations.json", parts

    def _images(self, run: Path, table: pa.Table) -> Iterator[dict[str, Any]]:
        for number, (row, part) in enumerate(self.rows(run, table), 1):
            height, width = part["size"]
            name = row["path"].removeprefix(f"{self.folder}/")
            yield {"id": number, "file_name": name, "height": height, "width": width, "item": row["id"]}

    def _annotations(self, run: Path, table: pa.Table, numbers: Mapping[str, int]) -> Iterator[dict[str, Any]]:
        count = 0
        for image, (_, part) in enumerate(self.rows(run, table), 1):
            for one in part["objects"]:
                count += 1
                known = {"id": count, "image_id": image, "category_id": numbers[one["label"]], "iscrowd": 0}
                yield {**known, "bbox": one["box"], "area": one["area"], "segmentation": self._outline(one)}

    def _outline(self, one: Mapping[str, Any]) -> Any:
        """An object's segmentation: no polygon where there is no mask, or where its mask has a hole."""
        runs = one["segmentation"]
        if not runs or self.segmentation == "rle":
            return runs
        outline = polygon.trace(rle.mask(rle.parsed(runs["counts"]), *runs["size"]))
        return runs if outline is None else outline


def _object(thing: Thing) -> dict[str, Any]:
    """What a part says of an object; its mask as run lengths, from which polygons are made at the end."""
    x0, y0, x1, y1 = thing.box
    box = [x0, y0, round(x1 - x0, 3), round(y1 - y0, 3)]
    known = {"label": thing.label or NAMELESS, "box": box}
    if thing.mask is None:
        return {**known, "area": round((x1 - x0) * (y1 - y0), 3), "segmentation": []}
    runs = {"size": thing.mask.shape, "counts": rle.text(rle.counts(thing.mask))}
    return {**known, "area": int(np.count_nonzero(thing.mask)), "segmentation": runs}


def _listed(rows: Iterator[dict[str, Any]]) -> Iterator[bytes]:
    """Rows of JSON, one a line, with commas between them."""
    for number, row in enumerate(rows):
        yield (b",\n" if number else b"\n") + _json(row)


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "backslashreplace")
