"""Files inside tars, `shards/v001-000017.tar/KEY.flac`: found by an index that is made once, read by offset."""

from __future__ import annotations

import os
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
    file: BinaryIO
    if hasattr(os, "memfd_create"):
        file = os.fdopen(os.memfd_create("member"), "w+b")
    else:
        file = tempfile.TemporaryFile("w+b")  # noqa: SIM115, the caller closes it
    file.write(data)
    file.seek(0)
    return file


@lru_cache(maxsize=SHARDS)
def _index(tar: str, size: int, changed: int) -> dict[str, tuple[int, int]]:
    """name → (offset, bytes) of every plain file in a tar; of two with one name the last, as tar itself has it."""
    with tarfile.open(tar, "r:") as opened:
        plain = [member for member in opened if member.isreg() and not member.issparse()]
    return {one.name: (one.offset_data, one.size) for one in plain if one.offset_data + one.size <= size}
