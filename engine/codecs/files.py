"""Opening one input file, or a file inside a tar; what a user may read of it never holds a path."""

from __future__ import annotations

import hashlib
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from sliceforge.engine.codecs.members import archive, as_file, member
from sliceforge.engine.errors import InputError
from sliceforge.engine.fetch import here


@contextmanager
def opened(path: Path) -> Iterator[tuple[BinaryIO, int]]:
    """A regular file, or a member of a tar, and its size in bytes.

    Raises:
        InputError: unreadable (missing, a folder, a device, a pipe, no permission), empty (0 bytes).
        RunError: it is in a store, which does not answer.
    """
    tar = archive(path)
    if tar:
        here(tar)
        data = member(tar, path)
        if not data:
            raise InputError("empty", "0 bytes")
        with as_file(data) as inside:
            yield inside, len(data)
        return
    try:
        # Asked first, because opening a pipe would wait for a writer.
        status = here(path).stat()
        if not stat.S_ISREG(status.st_mode):
            raise InputError("unreadable", "not a regular file")
        file = path.open("rb")
    except OSError as error:
        raise InputError("unreadable", error.strerror or "cannot be opened") from None
    except ValueError:
        raise InputError("unreadable", "no file can have such a path") from None
    with file:
        if status.st_size == 0:
            raise InputError("empty", "0 bytes")
        yield file, status.st_size


def sha256(path: Path) -> str:
    """The SHA-256 of a file, or of a member of a tar.

    Raises:
        InputError: unreadable, empty.
    """
    with opened(path) as (file, _):
        digest = hashlib.sha256()
        while block := file.read(1 << 20):
            digest.update(block)
        return digest.hexdigest()


def one_line(error: BaseException) -> str:
    """What another library said, short."""
    return " ".join(str(error).split())[:100].rstrip(" .") or type(error).__name__
