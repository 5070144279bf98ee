"""Pascal VOC: a folder of images, and an XML file for each."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar
from xml.etree import ElementTree

from sliceforge.engine.filing import Files
from sliceforge.engine.item import Item
from sliceforge.engine.sinks.coco import NAMELESS


@dataclass(frozen=True)
class Voc(Files):
    """Images in `JPEGImages/`, and for each `Annotations/KEY.xml` with the box of each object.

    A box is in VOC's own way of counting: the first pixel is 1, and `xmax` and `ymax` are in the box.
    """

    kinds: ClassVar[tuple[str, ...]] = ("image",)
    folder: ClassVar[str] = "JPEGImages"
    more: ClassVar[Mapping[str, str]] = {"Annotations": "xml"}

    def part(self, item: Item, path: str) -> Mapping[str, Any]:
        return {}

    def beside(self, item: Item, path: str) -> Mapping[str, bytes]:
        return {self._names(path)[-1]: document(item, path.removeprefix(f"{self.folder}/"))}


def document(item: Item, name: str) -> bytes:
    """An item's XML file; `name` is its image's, below the folder of images."""
    root = ElementTree.Element("annotation")
    height, width, depth = item.size
    for tag, text in (("folder", "JPEGImages"), ("filename", name)):
        ElementTree.SubElement(root, tag).text = _clean(text)
    size = ElementTree.SubElement(root, "size")
    for tag, number in (("width", width), ("height", height), ("depth", depth)):
        ElementTree.SubElement(size, tag).text = str(number)
    ElementTree.SubElement(root, "segmented").text = "0"
    for thing in item.objects:
        x0, y0, x1, y1 = thing.box
        one = ElementTree.SubElement(root, "object")
        for tag, text in (("name", thing.label or NAMELESS), ("pose", "Unspecified"), ("truncated", "0")):
            ElementTree.SubElement(one, tag).text = _clean(text)
        ElementTree.SubElement(one, "difficult").text = "0"
        box = ElementTree.SubElement(one, "bndbox")
        for tag, edge in (("xmin", x0 + 1), ("ymin", y0 + 1), ("xmax", x1), ("ymax", y1)):
            ElementTree.SubElement(box, tag).text = f"{round(edge, 3):.10g}"
    ElementTree.indent(root)
    file = io.BytesIO()
    ElementTree.ElementTree(root).write(file, "utf-8", xml_declaration=False)
    return file.getvalue() + b"\n"


def _clean(text: str) -> str:
    """Text without what XML cannot hold."""
    return "".join(letter if letter >= " " and letter not in "\ufffe\uffff" else "�" for letter in text)
