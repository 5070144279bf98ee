"""Pascal VOC: a folder with an XML file for each image."""

from __future__ import annotations

import math
import posixpath
from collections import Counter
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from sliceforge.engine.codecs import image
from sliceforge.engine.errors import InputError, SettingError
from sliceforge.engine.fetch import here
from sliceforge.engine.folders import SPLITS, files_in
from sliceforge.engine.inputs.listing import Listing, marked, table, text
from sliceforge.engine.paths import Reject, shown

MOST = 4 << 20
"""Bytes of one XML file."""

FOLDERS = ("JPEGImages", "images", "IMAGES", "Images")
"""Where images lie beside a folder `Annotations` of XML files."""


def fits(path: Path, kind: str) -> bool:
    """Whether a folder has XML files, or a folder of them named as VOC or NEU-DET name it."""
    if kind != "image" or not path.is_dir():
        return False
    splits = [one for one in path.iterdir() if one.name.lower() in SPLITS and one.is_dir()]
    below = [one for folder in (path, *splits) for one in folder.iterdir() if one.name.lower() == "annotations"]
    return any(path.glob("*.xml")) or any(next(folder.rglob("*.xml"), None) for folder in below)


def read(path: Path, kind: str, where: str) -> Listing:
    """The images of which a folder's XML files speak: beside each, or in JPEGImages or images beside its folder.

    Boxes are in VOC's way of counting: the first pixel is 1 and `xmax` is in the box. An object marked `difficult` is
    one like the others. An image is found by its `filename`, or by the XML file's own name,
    in such a folder, or anywhere where no other has its name. A split is a folder's name, or said by `ImageSets/Main`.

    Raises:
        SettingError: no XML file.
    """
    root = path.resolve()
    documents, rejects = files_in(root, (".xml",), where)
    pictures, more = files_in(root, image.SUFFIXES, where)
    known = {name: one for one in pictures for name in (posixpath.splitext(one)[0], one)}
    alone = Counter(posixpath.basename(name) for name in known)
    known = {
        posixpath.basename(name): one for name, one in known.items() if alone[posixpath.basename(name)] == 1
    } | known
    rows, listed = [], _listed(root, where)
    for place in documents:
        try:
            row = _row(root / place)
            found = _image(place, row.pop("filename"), known)
        except InputError as error:
            rejects.append(Reject(place, place, error.reason, error.detail))
            continue
        split = next((one.lower() for one in place.split("/")[:-1] if one.lower() in SPLITS), None)
        split = split or listed.get(posixpath.splitext(posixpath.basename(place))[0])
        rows.append({"path": found, **row, "split": split})
    if not rows and not rejects:
        raise SettingError(f"{where}: no XML file in it")
    return Listing(root, table(rows or [dict.fromkeys(("path", "label", "split"))], where), [*rejects, *more])


def _listed(root: Path, where: str) -> dict[str, str]:
    """XML file's name without suffix → the split whose list, `ImageSets/Main/val.txt`, has it; of two the later one."""
    found: dict[str, str] = {}
    for split in SPLITS:
        path = root / "ImageSets" / "Main" / f"{split}.txt"
        if path.is_file() and path.resolve().is_relative_to(root):
            found |= {line.split()[0]: split for line in text(path, where).split("\n") if line.strip()}
    return found


def _image(place: str, name: str, known: dict[str, str]) -> str:
    """The path of an XML file's image.

    Raises:
        InputError: outside, unreadable: there is none.
    """
    folder, own = posixpath.split(posixpath.splitext(place)[0])
    if ".." in name.replace("\\", "/").split("/") or name.startswith("/"):
        raise InputError("outside", "its filename leaves the folder")
    parts = folder.split("/") if folder else []
    at = next((i for i, part in enumerate(parts) if part.lower() == "annotations"), None)
    places = [folder]
    if at is not None:
        rest, head = parts[at + 1 :], parts[:at]
        places += ["/".join([*head, one, *rest]) for one in FOLDERS] + ["/".join([*head, one]) for one in FOLDERS]
    for stem in (name, posixpath.splitext(name)[0], own):
        for one in places:
            found = known.get(posixpath.join(one, stem)) if stem else None
            if found:
                return found
    for stem in (name, posixpath.splitext(name)[0], own):
        if stem and posixpath.basename(stem) in known:
            return known[posixpath.basename(stem)]
    raise InputError("unreadable", f"no image {shown(name or own, 80)} beside it or in {' or '.join(FOLDERS[:2])}")


def _row(path: Path) -> dict[str, Any]:
    try:
        if here(path).stat().st_size > MOST:
            raise InputError("too_large", f"an XML file of more than {MOST >> 20} MiB")
        data = path.read_bytes()
        # An entity could grow without bound; no annotation needs one.
        if b"<!ENTITY" in data or b"<!DOCTYPE" in data:
            raise InputError("unreadable", "a document type in it")
        root = ElementTree.fromstring(data)
    except (OSError, ElementTree.ParseError, ValueError, LookupError) as error:
        raise InputError("unreadable", f"is no whole XML: {shown(str(error), 60)}") from None
    objects = []
    for one in root.iter("object"):
        label = (one.findtext("name") or "").strip()
        if not label:
            raise InputError("label_missing", "an object without a name")
        objects.append((label, _box(one), None))
    return {"filename": (root.findtext("filename") or "").strip(), **marked(objects)}


def _box(one: ElementTree.Element) -> list[float]:
    said = [one.findtext(f"bndbox/{name}") for name in ("xmin", "ymin", "xmax", "ymax")]
    try:
        x0, y0, x1, y1 = (float(edge or "nan") for edge in said)
    except ValueError:
        x0 = y0 = x1 = y1 = math.nan
    if not all(map(math.isfinite, (x0, y0, x1, y1))):
        raise InputError("unreadable", f"bndbox: {shown(str(said), 60)}: expected xmin, ymin, xmax, ymax")
    # Some tools count from 0, whose first pixel would lie outside.
    return [max(x0 - 1, 0.0), max(y0 - 1, 0.0), x1, y1]
