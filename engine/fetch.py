"""Files of a store that are read from a mirror of it: each is fetched when it is first read.

A mirror is a folder: `store.json` says which URL it stands for, `files/` has a file for each of the store's, of its
size and with its version (`facts`) for a time. A file that was not fetched yet has no permission bits at all.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
import tempfile
import time
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from sliceforge.engine.errors import InputError, RunError
from sliceforge.engine.paths import shown

HOME = "sliceforge-store"
"""The folder that all mirrors are in."""

NOTE, FILES, PARTS = "store.json", "files", "parts"
"""What is in a mirror: what it is of, the files, and what is being fetched."""

Facts = tuple[int, int]
"""Size in bytes, 0 where it is not known, and version."""

PAUSES = (1.0, 4.0)
"""Seconds before a store that failed is asked again."""


def here(path: Path) -> Path:
    """The same path; of a file in a mirror after it was fetched.

    Raises:
        InputError: unreadable: the store has it no more.
        RunError: the store does not answer.
    """
    # Asked of every file that is opened: the text alone tells most of them.
    if f"/{HOME}/" not in path.as_posix():
        return path
    try:
        status = path.stat()
    except OSError:
        status = None
    if status and (not stat.S_ISREG(status.st_mode) or stat.S_IMODE(status.st_mode)):
        return path
    mirror = next((folder for folder in path.parents if folder.parent.name == HOME), None)
    note = _note(mirror) if mirror else {}
    if mirror and note and (status or not note["listed"]):
        _fetch(mirror, note["url"], path, status)
    return path


def connected(url: str) -> tuple[Any, str]:
    """The file system of a URL, and the path in it; see `fsspec.core.url_to_fs`."""
    from fsspec.core import url_to_fs

    # fsspec would hand out again what has an older archive open.
    store, path = url_to_fs(url, skip_instance_cache=True)
    return store, path.rstrip("/")


def facts(entry: Mapping[str, Any]) -> Facts:
    """What a store says of a file, as a file's own facts can hold it: its version is 31 bits of a hash of all that."""
    text = json.dumps(entry, sort_keys=True, default=str)
    return int(entry.get("size") or 0), int(hashlib.sha256(text.encode()).hexdigest()[:8], 16) >> 1 or 1


def joined(base: str, name: str) -> str:
    """The path of a file in a store, below a folder that may be the store itself.

    >>> joined("bucket/clips", "a.wav"), joined("", "a.wav")
    ('bucket/clips/a.wav', 'a.wav')
    """
    return f"{base}/{name}" if base else name


def gone(error: BaseException) -> bool:
    """Whether a store says that it has no such file; fsspec's HTTP says so too where it only had no answer."""
    cause = error.__cause__
    if not isinstance(error, FileNotFoundError) or cause is None or isinstance(cause, FileNotFoundError):
        return isinstance(error, FileNotFoundError)
    if type(cause).__module__.startswith("aiohttp"):
        return getattr(cause, "status", 0) in (404, 410)
    return not isinstance(cause, OSError)


def said(error: BaseException) -> str:
    """What a store said, or what made it say so, in one line."""
    cause = error.__cause__ if isinstance(error, FileNotFoundError) and error.__cause__ else error
    return shown(" ".join(str(cause).split()), 120) or type(cause).__name__


_connected = lru_cache(maxsize=16)(connected)


@lru_cache(maxsize=64)
def _note(mirror: Path) -> dict[str, Any]:
    try:
        found = json.loads((mirror / NOTE).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def forget() -> None:
    """Connect anew, and look again at what mirrors say of themselves."""
    _connected.cache_clear()
    _note.cache_clear()


def _fetch(mirror: Path, url: str, path: Path, status: os.stat_result | None) -> None:
    name = path.relative_to(mirror / FILES).as_posix()
    for pause in (*PAUSES, None):
        number, part = tempfile.mkstemp(dir=mirror / PARTS)
        os.close(number)
        try:
            store, base = _connected(url)
            place = joined(base, name)
            size, version = (status.st_size, int(status.st_mtime)) if status else facts(store.info(place))
            store.get_file(place, part)
            _check(part, size)
            Path(part).chmod(0o600)
            os.utime(part, (version, version))
            path.parent.mkdir(parents=True, exist_ok=True)
            Path(part).replace(path)
            return
        # Each kind of store has errors of its own.
        except Exception as error:
            if gone(error) and not status:
                return
            if gone(error):
                raise InputError("unreadable", "its store has it no more") from None
            if pause is None:
                raise RunError(f"{shown(f'{url}: {name}')}: cannot be fetched: {said(error)}") from None
            time.sleep(pause)
        finally:
            Path(part).unlink(missing_ok=True)


def _check(part: str, size: int) -> None:
    got = Path(part).stat().st_size
    if size and got != size:
        raise OSError(f"{got} bytes came, not the {size} that were promised")
