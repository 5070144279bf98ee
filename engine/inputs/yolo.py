"""YOLO: a folder of images, and text files with a line for each object, of the same names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from sliceforge.engine.codecs import image
from sliceforge.engine.errors import InputError, SettingError
from sliceforge.engine.fetch import here
from sliceforge.engine.folders import SPLITS, files_in
from sliceforge.engine.inputs.listing import Listing, marked, table, text
from sliceforge.engine.paths import Reject, shown

MOST = 1 << 20
"""Bytes of one image's text file."""


def fits(path: Path, kind: str) -> bool:
    """Whether a folder has a data.yaml with names, or `labels` with text files beside `images`."""
    if kind != "image" or not path.is_dir():
        return False
    pairs = [path, *(path / split for split in SPLITS)]
    return any((one / "images").is_dir() and (one / "labels").is_dir() for one in pairs)


def read(path: Path, kind: str, where: str) -> Listing:
    """The images of a YOLO folder: `images/train/a.png` with `labels/train/a.txt`, or with `images` in `train`.

    A line is `class cx cy width height`, or `class x y x y x y …` of an outline, all in shares of the image. An image
    without a text file has no object. Classes are named by data.yaml, or else by classes.txt, one a line.

    Raises:
        SettingError: no image, or names that cannot be read.
    """
    root = path.resolve()
    names = _names(path, where)
    paths, rejects = files_in(root, image.SUFFIXES, where)
    rows = []
    for place in paths:
        folders = place.split("/")
        if "images" not in folders[:-1]:
            continue
        at = len(folders) - 2 - folders[:-1][::-1].index("images")
        beside = "/".join([*folders[:at], "labels", *folders[at + 1 :]]).rpartition(".")[0] + ".txt"
        split = next((one.lower() for one in folders[:-1] if one.lower() in SPLITS), None)
        try:
            rows.append({"path": place, **_row(root, place, beside, names), "split": split})
        except InputError as error:
            rejects.append(Reject(place, place, error.reason, error.detail))
    if not rows and not rejects:
        raise SettingError(f"{where}: no image below images/; expected files in {' '.join(image.SUFFIXES)}")
    return Listing(root, table(rows or [dict.fromkeys(("path", "label", "split"))], where), rejects)


def _names(path: Path, where: str) -> dict[int, str]:
    """Number → name of each class; nothing where no file says."""
    said = next((path / name for name in ("data.yaml", "dataset.yaml", "data.yml") if (path / name).is_file()), None)
    if said:
        try:
            names = (yaml.safe_load(text(said, where)) or {}).get("names")
        except (yaml.YAMLError, AttributeError, RecursionError, ValueError):
            raise SettingError(f"{where}: {said.name}: is no YAML with names:") from None
        pairs = names.items() if isinstance(names, dict) else enumerate(names if isinstance(names, list) else [])
        return {int(number): str(name) for number, name in pairs if str(number).isdecimal()}
    lists = [one for one in (path / "classes.txt", path / "labels" / "classes.txt") if one.is_file()]
    return dict(enumerate(text(lists[0], where).split("\n"))) if lists else {}


def _row(root: Path, place: str, beside: str, names: dict[int, str]) -> dict[str, Any]:
    file = root / beside
    if not file.is_file():
        return marked([])
    if not file.resolve().is_relative_to(root):
        raise InputError("outside", "its text file is a link that leaves the folder")
    try:
        lines = file.read_text("utf-8").split("\n") if here(file).stat().st_size <= MOST else ["too long"]
    except (OSError, UnicodeDecodeError):
        raise InputError("unreadable", f"{shown(beside, 80)}: cannot be read as text") from None
    lines = [line for line in lines if line.strip()]
    if not lines:
        return marked([])
    seen = image.probe(root / place)
    return marked([_object(line, seen.width, seen.height, names) for line in lines])


def _object(line: str, width: int, height: int, names: dict[int, str]) -> tuple[str, list[float], Any]:
    words = line.split()
    try:
        number, shares = int(float(words[0])), [float(word) for word in words[1:]]
    except (ValueError, OverflowError):
        number, shares = -1, []
    if len(shares) < 4 or (len(shares) > 4 and len(shares) % 2) or not all(-1 <= share <= 2 for share in shares):
        raise InputError("unreadable", f"{shown(line, 60)!r}: expected a class and cx cy width height, in shares")
    if names and number not in names:
        raise InputError("label_missing", f"no class {number}; known: 0 to {max(names)}")
    label = names.get(number, str(number))
    if len(shares) > 4:
        points = [share * size for share, size in zip(shares, (width, height) * (len(shares) // 2), strict=True)]
        edges = [min(points[::2]), min(points[1::2]), max(points[::2]), max(points[1::2])]
        return label, edges, [[round(edge, 4) for edge in points]]
    x, y, across, down = shares
    edges = [(x - across / 2) * width, (y - down / 2) * height, (x + across / 2) * width, (y + down / 2) * height]
    # Written numbers are rounded: an edge that is nearly a whole pixel is one.
    return label, [float(round(edge)) if abs(edge - round(edge)) < 2e-3 else round(edge, 4) for edge in edges], None
