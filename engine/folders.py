"""A folder of media as a table: class folders, or flat names read through a pattern."""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa

from sliceforge.engine.errors import SettingError
from sliceforge.engine.paths import Fence, Reject, shown

SPLITS = ("train", "val", "valid", "validation", "dev", "test")
"""Names of top-level folders that are splits, where all of them are; in any case of letters."""

MASK = ".mask.png"
"""How the name of a mask's file ends, beside the image of the same stem."""

EXAMPLE = "pattern={label}_{speaker}_{index}"
_FIELD = re.compile(r"\{([^{}]*)\}")


def read_folder(root: Path, suffixes: Sequence[str], pattern: str, where: str) -> tuple[pa.Table, list[Reject]]:
    """Every media file under a folder: columns `path`, `label`, `split` and the pattern's fields.

    Args:
        root: the folder.
        suffixes: of media files, lower case.
        pattern: such as `{label}_{speaker}_{index}`, or empty: the first folder is the label.
        where: how messages name it, such as `data: clips`.

    Raises:
        SettingError: no media file, or a wrong pattern.
    """
    matcher = compiled(pattern) if pattern else None
    paths, rejects = files_in(root, suffixes, where)
    if not paths and not rejects:
        raise SettingError(f"{where}: no media file in it; expected files in {' '.join(suffixes)}")
    masks = beside(paths)
    paths = [path for path in paths if path not in set(masks.values())]
    tops = {path.partition("/")[0] if "/" in path else "" for path in paths}
    divided = bool(paths) and all(top.lower() in SPLITS for top in tops)
    rows: dict[str, list[str | None]] = {"path": [], "label": [], "split": []}
    fields = list(matcher.groupindex) if matcher else []
    rows |= {name: [] for name in fields}
    rows |= {"mask": []} if masks else {}
    for path in paths:
        folders = path.split("/")[:-1]
        split = folders[0].lower() if divided else None
        found: dict[str, str | None] = {"split": split, "label": None}
        if matcher:
            stem = path[: path.rindex(".")]
            match = matcher.fullmatch(stem if "/" in pattern else stem.rpartition("/")[2])
            if not match:
                rejects.append(Reject(path, path, "label_missing", f"its name is not {shown(pattern, 80)}"))
                continue
            found |= match.groupdict()
        elif len(folders) > divided:
            found["label"] = folders[divided]
        found |= {"mask": masks.get(path)} if masks else {}
        rows["path"].append(path)
        for name, value in found.items():
            rows[name].append(value)
    if matcher and paths and not rows["path"]:
        raise SettingError(f"pattern: {pattern!r}: fits none of {len(paths)} files, such as {shown(paths[0])!r}")
    return pa.table({name: pa.array(values, pa.string()) for name, values in rows.items()}), rejects


def beside(paths: Sequence[str]) -> dict[str, str]:
    """path → the path of its mask, NAME.mask.png, for those of some paths that have one beside them.

    >>> beside(["a/b.jpg", "a/b.mask.png", "c.mask.png"])
    {'a/b.jpg': 'a/b.mask.png'}
    """
    known = {path for path in paths if path.lower().endswith(MASK)}
    named = {path: posixpath.splitext(path)[0] + MASK for path in paths if path not in known} if known else {}
    return {path: mask for path, mask in named.items() if mask in known}


def compiled(pattern: str) -> re.Pattern[str]:
    """A pattern as a regular expression: `{name}` is one or more characters but `/`, all else is literal.

    A field takes as little as it can, the last one the rest: `{label}_{rest}` of `go_ann_3` is `go` and `ann_3`.

    Raises:
        SettingError: no field, an unknown name, one twice.
    """
    names = _FIELD.findall(pattern)
    if not names or any(mark in _FIELD.sub("", pattern) for mark in "{}"):
        raise SettingError(f"pattern: {pattern!r}: expected fields in braces, such as {EXAMPLE}")
    for name in names:
        if not name.isidentifier() or names.count(name) > 1 or name in ("id", "path"):
            why = "stands in it twice" if names.count(name) > 1 else "cannot be a field"
            raise SettingError(f"pattern: {pattern!r}: {{{name}}} {why}; such as {EXAMPLE}")
    parts = _FIELD.split(pattern)
    text = re.escape(parts[0])
    for i, name in enumerate(names):
        text += f"(?P<{name}>[^/]+{'' if i == len(names) - 1 else '?'})" + re.escape(parts[2 * i + 2])
    return re.compile(text)


def files_in(root: Path, suffixes: Sequence[str], where: str) -> tuple[list[str], list[Reject]]:
    """Sorted relative paths of the files under a folder; hidden ones are passed over, links that leave are rejects.

    Args:
        root: the folder.
        suffixes: of the files, lower case.
        where: how messages name it.

    Raises:
        SettingError: a folder that cannot be listed.
    """
    fence = Fence(root)
    paths, rejects = [], []
    for path, link in _entries(root, where):
        name = path.rpartition("/")[2]
        media = posixpath.splitext(name)[1].lower() in suffixes
        if link and not fence.holds(path):
            if media or (root / path).is_dir():
                rejects.append(Reject(shown(path), shown(path), "outside", "a link that leaves the folder"))
        elif media and not (link and (root / path).is_dir()):
            place, reason, detail = fence.place(path)
            if place != path or not _is_text(path):
                reason, detail = reason or "unreadable", detail or "its name is not UTF-8 text"
                rejects.append(Reject(shown(path), shown(path), reason, detail))
            else:
                paths.append(path)
    return sorted(paths), sorted(rejects, key=lambda reject: reject.id)


def _entries(root: Path, where: str) -> Iterator[tuple[str, bool]]:
    """(relative path, is a link) of every file and link; a link to a folder inside is not followed."""
    waiting = [""]
    while waiting:
        folder = waiting.pop()
        try:
            with os.scandir(root / folder) as entries:
                found = sorted(entries, key=lambda entry: entry.name)
        except OSError as error:
            raise SettingError(f"{where}: {shown(folder or root.name)}: {error.strerror}") from None
        for entry in found:
            if entry.name.startswith("."):
                continue
            path = f"{folder}/{entry.name}" if folder else entry.name
            if entry.is_dir(follow_symlinks=False):
                # A run is no raw material: its own output would otherwise change what it is made from.
                if not (root / path / "run.yaml").is_file():
                    waiting.append(path)
            else:
                yield path, entry.is_symlink()


def _is_text(path: str) -> bool:
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True
