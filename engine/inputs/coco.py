"""COCO JSON: images with boxes, polygons and run lengths."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sliceforge.engine.errors import SettingError
from sliceforge.engine.folders import SPLITS
from sliceforge.engine.inputs.listing import MOST_BYTES, Listing, marked, table, text
from sliceforge.engine.paths import Reject, shown
from sliceforge.engine.tables import MOST_LINE

LOOKED = 50
"""Images by which the folder is found that they lie in."""


def fits(path: Path, kind: str) -> bool:
    """Whether a file is one JSON object with `images`, and not one object a line."""
    if kind != "image" or path.suffix.lower() != ".json" or not path.is_file() or path.stat().st_size > MOST_BYTES:
        return False
    with path.open("rb") as file:
        head = file.read(MOST_LINE)
    line, _, rest = head.partition(b"\n")
    try:
        first = json.loads(line)
    except (ValueError, RecursionError):
        # The first line is a part of one object, or the object goes on beyond what was looked at.
        return b'"images"' in head and (line.strip() in (b"{", b"\xef\xbb\xbf{") or not rest or b'"file_name"' in head)
    return isinstance(first, dict) and isinstance(first.get("images"), list)


def read(path: Path, kind: str, where: str) -> Listing:
    """The images of a COCO file; they lie beside it, or in a folder beside it or its folder.

    An annotation that is a crowd is no single object: it is counted in the column `crowds` and left out.

    Raises:
        SettingError: it is no COCO file.
    """
    try:
        whole = json.loads(text(path, where))
    except (ValueError, RecursionError):
        raise SettingError(f"{where}: is not whole JSON") from None
    parts = {name: whole.get(name, []) for name in ("images", "annotations", "categories")}
    for name, part in parts.items():
        if not isinstance(part, list) or not all(isinstance(one, dict) for one in part):
            raise SettingError(f"{where}: {name}: expected a list of objects, as COCO has it")
    names = {_key(one.get("id")): str(one.get("name")) for one in parts["categories"] if one.get("name")}
    known = {_key(one.get("id")) for one in parts["images"]} - {None}
    of: dict[Any, list[dict[str, Any]]] = defaultdict(list)
    rejects = []
    for one in parts["annotations"]:
        if _key(one.get("image_id")) in known:
            of[_key(one["image_id"])].append(one)
        else:
            rejects.append(_reject(f"annotation {one.get('id')}", None, "unreadable", "no image has its image_id"))
    files = [str(one.get("file_name") or "") for one in parts["images"]]
    root, folder = _folder(path, files)
    split = next((word for word in path.stem.lower().replace("-", "_").split("_") if _split(word)), None)
    rows = []
    for image, name in zip(parts["images"], files, strict=True):
        row, why = _row(of[_key(image.get("id"))], names)
        place = f"{folder}/{name}" if folder and name and not name.startswith("/") else name
        if why:
            rejects.append(_reject(name or f"image {image.get('id')}", place, *why))
            continue
        rows.append({"path": place, **row, "split": _split(split or "")})
    if not rows and not rejects:
        raise SettingError(f"{where}: lists no image")
    return Listing(root, table(rows or [dict.fromkeys(("path", "label", "split"))], where), rejects)


def _key(value: Any) -> Any:
    """A number or a name by which COCO's parts speak of each other, or None."""
    return value if isinstance(value, int | str) else None


def _reject(item: str, path: str | None, reason: str, detail: str) -> Reject:
    return Reject(shown(item), path and shown(path), reason, detail)


def _split(word: str) -> str | None:
    """The split that a word of a file's name says: val of val2017."""
    plain = word.rstrip("0123456789")
    return plain if plain in SPLITS else None


def _row(annotations: list[dict[str, Any]], names: Mapping[Any, str]) -> tuple[dict[str, Any], tuple[str, str] | None]:
    """An image's columns, or why it cannot be used."""
    objects = []
    crowds = 0
    for one in annotations:
        if one.get("iscrowd"):
            crowds += 1
            continue
        label = names.get(_key(one.get("category_id")))
        if label is None:
            return {}, ("label_missing", f"no category {shown(str(one.get('category_id')), 40)}")
        box = _box(one)
        if box is None:
            return {}, ("unreadable", f"bbox: {shown(str(one.get('bbox')), 60)}: expected x, y, width, height")
        objects.append((label, box, _outline(one.get("segmentation"))))
    return {**marked(objects), "crowds": crowds}, None


def _outline(segmentation: Any) -> Any:
    """A segmentation as it stands, or None where there is none; a list of numbers is one polygon."""
    if isinstance(segmentation, list) and segmentation and not isinstance(segmentation[0], list):
        return [segmentation]
    return segmentation or None


def _box(one: Mapping[str, Any]) -> list[float] | None:
    """x0, y0, x1, y1 in pixel edges: of the box, or of the polygons where there is none."""
    box, outline = one.get("bbox"), _outline(one.get("segmentation"))
    try:
        if isinstance(box, list) and len(box) == 4:
            x, y, width, height = (float(edge) for edge in box)
            found = [x, y, round(x + width, 6), round(y + height, 6)]
        elif isinstance(outline, list):
            points = [float(edge) for polygon in outline for edge in polygon]
            found = [min(points[::2]), min(points[1::2]), max(points[::2]), max(points[1::2])]
        else:
            return None
    except (TypeError, ValueError):
        return None
    return found if all(map(math.isfinite, found)) else None


def _folder(path: Path, files: list[str]) -> tuple[Path, str]:
    """(root, folder under it) where most of the first images are; where none is, beside the file."""
    beside = path.parent.resolve()
    words = [word for word in path.stem.split("_") if word not in ("instances", "annotations")]
    names = dict.fromkeys(("", "images", *words, *(f"images/{word}" for word in words)))
    places = [(beside, name) for name in names] + [(beside.parent, name) for name in names if name]
    some = [name for name in files[:LOOKED] if name]

    def count(place: tuple[Path, str]) -> int:
        return sum(_is_file(place[0] / place[1] / name) for name in some)

    return max(places, key=count)


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False
