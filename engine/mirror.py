"""A mirror of a folder of a store: its names are listed anew, and what the store has changed is to be fetched again."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import json
import os
import tempfile
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from sliceforge.engine.errors import SettingError
from sliceforge.engine.fetch import FILES, HOME, NOTE, PARTS, Facts, facts, gone, joined, said

UNFIT = (errno.ENAMETOOLONG, errno.EISDIR, errno.ENOTDIR, errno.EEXIST, errno.EINVAL, errno.EILSEQ)
"""What the system says of a name that no file can have, or that a folder has already."""

DAY = 86400
"""Seconds after which what was begun to be fetched is given up."""


def mirrored(store: Any, url: str, base: str, name: str, where: str) -> Path:
    """The folder of files that a mirror has, after it was made to hold what the store does.

    Args:
        store: the file system of `url`, and `base` the path in it.
        name: of a file in that folder that is meant, or a pattern; or empty.
        where: how messages name it.

    Raises:
        SettingError: there is nothing, or no place for a mirror.
    """
    mirror = _home(where) / hashlib.sha256(url.encode()).hexdigest()[:20]
    root = mirror / FILES
    for folder in (root, mirror / PARTS):
        folder.mkdir(parents=True, exist_ok=True)
    with (mirror / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _swept(mirror / PARTS)
        found, listed = _listed(store, base, name, root)
        if not found:
            raise SettingError(f"{where}: no file in it, or no such folder")
        strange = _agree(root, mirror / PARTS, found)
        note = json.dumps({"url": url, "listed": listed, "left_out": strange})
        with tempfile.NamedTemporaryFile("w", dir=mirror / PARTS, delete=False, encoding="utf-8") as file:
            file.write(note)
        Path(file.name).replace(mirror / NOTE)
    return root


def _swept(parts: Path) -> None:
    for part in parts.iterdir():
        with contextlib.suppress(FileNotFoundError):
            if part.stat().st_ctime < time.time() - DAY:
                part.unlink()


def _home(where: str) -> Path:
    try:
        cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
        home = Path(cache).resolve() / HOME
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
    except (OSError, RuntimeError) as error:
        raise SettingError(f"{where}: no folder to fetch it to: {said(error)}; set XDG_CACHE_HOME") from None
    return home


def _listed(store: Any, base: str, name: str, root: Path) -> tuple[dict[str, Facts], bool]:
    """Name → facts of every file below a folder of a store, and whether the store can list it.

    A web server may know a file that it does not list: then only that, and what was read before, is looked at.
    """
    store.invalidate_cache()
    try:
        entries = _below(store, base)
    except Exception:  # each store has errors of its own, and "cannot be listed" is any of them
        if not name or "*" in name:
            raise
        entries = {}
    if not name or "*" in name or name in entries:
        return {one: facts(entry) for one, entry in _whole(store, entries.items())}, True
    more = {one: {"name": joined(base, one)} for one in {name, *names(root)} - {*entries}}
    found = {one: facts(entry) for one, entry in _whole(store, (entries | more).items())}
    if name not in found:
        raise FileNotFoundError(name)
    return found, False


def _below(store: Any, base: str) -> dict[str, dict[str, Any]]:
    found = {}
    for folder, _, files in store.walk(base, detail=True, on_error="raise"):
        for name, entry in files.items():
            if name and entry["type"] == "file":
                found[f"{folder}/{name}"[len(base) :].lstrip("/")] = entry
    return found


def _whole(store: Any, entries: Iterable[tuple[str, dict[str, Any]]]) -> list[tuple[str, dict[str, Any]]]:
    """The same entries, those of no known size asked for one by one; without those that there are no more."""

    def asked(named: tuple[str, dict[str, Any]]) -> tuple[str, dict[str, Any]] | None:
        name, entry = named
        if entry.get("size") is not None:
            return named
        try:
            return name, store.info(entry["name"])
        except FileNotFoundError as error:
            if gone(error):
                return None
            raise

    with ThreadPoolExecutor(16) as pool:
        return [one for one in pool.map(asked, entries) if one]


def names(root: Path) -> list[str]:
    """The files of a mirror, fetched or not."""
    return [path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()]


def _agree(root: Path, parts: Path, found: Mapping[str, Facts]) -> list[tuple[str, str]]:
    """Make a mirror's files those that were found; returns the names that no file can have, and why."""
    have = set()
    for path in sorted(root.rglob("*"), reverse=True):
        name = path.relative_to(root).as_posix()
        with contextlib.suppress(OSError):
            if path.is_dir():
                path.rmdir()  # which only an empty one lets happen
                continue
            status = path.stat()
            size, version = found.get(name, (-1, 0))
            if size in (0, status.st_size) and version == int(status.st_mtime):
                have.add(name)
            else:
                path.unlink()
    strange = []
    for name in sorted({*found} - have):
        if {"", ".", ".."} & set(name.split("/")) or "\0" in name:
            strange.append((name, "its path has a .. or an empty part in it"))
            continue
        try:
            _promise(root / name, parts, *found[name])
        except OSError as error:
            if error.errno not in UNFIT:
                raise
            strange.append((name, f"no file can have its name: {error.strerror}"))
    return strange


def _promise(path: Path, parts: Path, size: int, version: int) -> None:
    """An empty place of a file's size, which `fetch.here` fills."""
    path.parent.mkdir(parents=True, exist_ok=True)
    number, part = tempfile.mkstemp(dir=parts)
    try:
        with os.fdopen(number, "wb") as file:
            file.truncate(size)
        os.utime(part, (version, version))
        Path(part).chmod(0)
        Path(part).replace(path)
    finally:
        Path(part).unlink(missing_ok=True)
