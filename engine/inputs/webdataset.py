"""WebDataset: tars whose members are grouped by what their names share before the first dot."""

from __future__ import annotations

import json
import posixpath
import tarfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from sliceforge.engine.codecs import audio, image
from sliceforge.engine.errors import InputError, SettingError
from sliceforge.engine.fetch import here
from sliceforge.engine.folders import SPLITS
from sliceforge.engine.inputs.listing import Listing, table
from sliceforge.engine.paths import Fence, Reject, shown

SUFFIXES = {"audio": audio.SUFFIXES, "image": image.SUFFIXES}

MOST = 1 << 20
"""Bytes of a member that says something of an item."""

TEXTS = {"cls": "label", "label": "label", "txt": "transcript", "text": "transcript"}
"""Members that are one value → its column."""

LISTS = ("boxes", "box_labels", "words", "alignment", "alignments")
"""Values of a `.json` that are kept though they are lists."""


def fits(path: Path, kind: str) -> bool:
    """Whether a path is a tar, a pattern of tars, or a folder with tars and neither media nor folders beside them."""
    if path.suffix.lower() == ".tar":
        return path.is_file() or ("*" in path.name and any(path.parent.glob(path.name)))
    if not path.is_dir() or not any(path.glob("*.tar")):
        return False
    return not any(one.is_dir() or one.suffix.lower() in SUFFIXES[kind] for one in path.iterdir())


def read(path: Path, kind: str, where: str) -> Listing:
    """The items of some tars; their media are read from the tars when they are needed.

    `KEY.json` gives columns (its plain values, boxes and alignments), `KEY.cls` or `KEY.label` the label, `KEY.txt` the
    transcript, `KEY.mask.png` an image's mask.

    Raises:
        SettingError: no tar has an item of the kind.
    """
    tars = sorted(path.glob("*.tar")) if path.is_dir() else sorted(path.parent.glob(path.name))
    root = (path if path.is_dir() else path.parent).resolve()
    fence = Fence(root)
    rows, rejects = [], []
    for tar in tars:
        if not fence.holds(tar.name):
            rejects.append(Reject(shown(tar.name), shown(tar.name), "outside", "a link that leaves the folder"))
            continue
        try:
            with tarfile.open(here(tar), "r:") as opened:
                split = next((word for word in tar.stem.lower().replace("_", "-").split("-") if word in SPLITS), None)
                for key, members in _groups(opened):
                    try:
                        row = _row(opened, tar.name, key, members, kind)
                        rows += [{"split": split, **row}] if row else []
                    except InputError as error:
                        name = shown(f"{tar.name}/{key}")
                        rejects.append(Reject(name, name, error.reason, error.detail))
        except (OSError, tarfile.TarError, ValueError, EOFError):
            rejects.append(Reject(shown(tar.name), shown(tar.name), "unreadable", "is no tar, or damaged"))
    if not rows and not rejects:
        raise SettingError(f"{where}: no tar has items of kind {kind}; expected members in {' '.join(SUFFIXES[kind])}")
    return Listing(root, table(rows or [dict.fromkeys(("path", "label", "split"))], where), rejects)


def _groups(opened: tarfile.TarFile) -> Iterator[tuple[str, dict[str, tarfile.TarInfo]]]:
    """(key, suffix → member) of members that follow each other and share a key, as webdataset groups them."""
    key = ""
    members: dict[str, tarfile.TarInfo] = {}
    for member in opened:
        if not member.isreg() or member.issparse():
            continue
        folder, name = posixpath.split(member.name)
        stem, _, suffix = name.partition(".")
        own = posixpath.join(folder, stem)
        if own != key and members:
            yield key, members
            members = {}
        key = own
        members[suffix.lower()] = member
    if members:
        yield key, members


def _row(
    opened: tarfile.TarFile, tar: str, key: str, members: Mapping[str, tarfile.TarInfo], kind: str
) -> dict[str, Any]:
    """An item's columns; nothing where the group has no medium of the kind."""
    media = [member for suffix, member in members.items() if f".{suffix}" in SUFFIXES[kind]]
    if not media:
        return {}
    row: dict[str, Any] = {}
    for suffix, member in members.items():
        if suffix == "json":
            row |= _said(_text(opened, member))
    for suffix, name in TEXTS.items():
        if suffix in members:
            row.setdefault(name, _text(opened, members[suffix]).strip() or None)
    if kind == "image" and "mask.png" in members:
        row["mask"] = f"{tar}/{members['mask.png'].name}"
    return {**row, "path": f"{tar}/{media[0].name}"}


def _text(opened: tarfile.TarFile, member: tarfile.TarInfo) -> str:
    if member.size > MOST:
        raise InputError("too_large", f"{shown(member.name, 60)}: more than {MOST} bytes")
    file = opened.extractfile(member)
    try:
        return file.read().decode("utf-8-sig") if file else ""
    except UnicodeDecodeError:
        raise InputError("unreadable", f"{shown(member.name, 60)}: is not UTF-8 text") from None


def _said(text: str) -> dict[str, Any]:
    """The plain values of a `.json`, but for a place that only another machine knows."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise InputError("unreadable", "its .json is no JSON object")
    plain = {
        str(name): value
        for name, value in found.items()
        if value is None or isinstance(value, str | int | float) or name in LISTS
    }
    for name in ("path", "mask", "sha256", "parent_path", "segmentations"):
        plain.pop(name, None)
    for name in ("boxes", "box_labels"):
        if isinstance(plain.get(name), list):
            plain[name] = json.dumps(plain[name], ensure_ascii=False)
    return plain
