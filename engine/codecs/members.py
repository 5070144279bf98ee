"""Files inside tars, `shards/v001-000017.tar/KEY.flac`: found by an index that is made once, read by offset."""

from __future__ import annotations

import os
import posixpath
import tarfile
import tempfile
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

from sliceforge.engine.errors import InputError

SHARDS = 4096
"""Indexes of tars that a process keeps."""


def archive(path: Path) -> Path | None:
    """The tar that a path leads into, or None."""
    # Asked of every file that is opened: most paths have no such folder, and the text tells so at once.
    if ".tar/" not in path.as_posix():
        return None
    return next((folder for folder in path.parents if folder.suffix == ".tar" and folder.is_file()), None)


def member(tar: Path, path: Path) -> bytes:
    """What a tar holds under a path that leads into it.

    Raises:
        InputError: unreadable: no such member, or no tar.
    """
    try:
        status = tar.stat()
        index = _index(str(tar), status.st_size, status.st_mtime_ns)
        place = index.get(path.relative_to(tar).as_posix())
        if place is None:
            raise InputError("unreadable", f"no such member in {tar.name}")
        with tar.open("rb") as file:
            file.seek(place[0])
            return file.read(place[1])
    except OSError as error:
        raise InputError("unreadable", error.strerror or "cannot be opened") from None
    except (tarfile.TarError, ValueError, OverflowError, EOFError):
        raise InputError("unreadable", f"{tar.name} is no tar, or damaged") from None


def as_file(data: bytes) -> BinaryIO:
    """Bytes as an open file with a number of its own, which libsndfile needs; it lies in memory where that can be."""
    if hasattr(os, "memfd_create"):
        number = os.memfd_create("member")
    else:
        with tempfile.TemporaryFile() as whole:
            number = os.dup(whole.fileno())
    with os.fdopen(number, "wb", closefd=False) as file:
        file.write(data)
    os.lseek(number, 0, os.SEEK_SET)
    # For reading alone: at its end a file that is also written to seeks from where libsndfile has left the number.
    return os.fdopen(number, "rb")


@lru_cache(maxsize=SHARDS)
def _index(tar: str, size: int, changed: int) -> dict[str, tuple[int, int]]:
    """name → (offset, bytes) of every plain file in a tar, without a leading `./`; of two with one name the last."""
    with tarfile.open(tar, "r:") as opened:
        plain = [member for member in opened if member.isreg() and not member.issparse()]
    whole = [one for one in plain if one.offset_data + one.size <= size]
    return {posixpath.normpath(one.name): (one.offset_data, one.size) for one in whole}
