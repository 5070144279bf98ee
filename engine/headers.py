"""What the headers of files say before anything is decoded, asked in several processes where there are many."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sliceforge.engine.codecs import audio, image
from sliceforge.engine.errors import InputError, SettingError
from sliceforge.engine.pool import Pool, result
from sliceforge.engine.read import Span, length_at, within

ENOUGH = 8192
"""Files from which asking them one after the other takes longer than it takes to start workers."""

PART = 1024
"""Files that a worker asks at a time."""

Asked = tuple[str, int | None] | tuple[str, int | None, Span | None]
"""A file's path under its root, the rate in hertz that its manifest claims, or None, and the part that is meant."""


def look(
    root: Path, kind: str, rate: int | None, suffix: str, asked: Sequence[Asked], pool: Pool | None = None
) -> list[dict[str, Any]]:
    """For each file the columns `read.…` of a plan that its header decides, or `reason` and `detail`.

    Args:
        root: the folder of the paths.
        kind: audio or image.
        rate: hertz that clips are brought to, or None for each one's own.
        suffix: what is going to be written, or empty.
        asked: the files.
        pool: who asks where there are many.

    Raises:
        SettingError: files of `suffix` cannot hold one of them.
    """
    if pool is None or pool.size == 1 or len(asked) < ENOUGH:
        return _part(root, kind, rate, suffix, asked)
    parts = [asked[first : first + PART] for first in range(0, len(asked), PART)]
    futures = [pool.submit(_part, root, kind, rate, suffix, part) for part in parts]
    return [known for future in futures for known in result(future)]


def _part(root: Path, kind: str, rate: int | None, suffix: str, asked: Sequence[Asked]) -> list[dict[str, Any]]:
    return [_header(root / path, kind, rate, suffix, *more) for path, *more in asked]


def _header(
    path: Path, kind: str, rate: int | None, suffix: str, claimed: Any, span: Span | None = None
) -> dict[str, Any]:
    try:
        if kind == "image":
            seen = image.probe(path)
            if suffix and not image.holds(suffix, seen.channels, seen.depth):
                what = f"{seen.depth} bits and {seen.channels} channels"
                raise SettingError(f"sink.image: {suffix} cannot hold {path.name}, {what}; such as sink.image=png")
            return {"read.height": seen.height, "read.width": seen.width}
        heard = audio.probe(path)
        if claimed and claimed != heard.rate:
            raise InputError("rate_mismatch", f"{heard.rate} Hz, the manifest says {claimed}")
        rate = rate or heard.rate
        if suffix and not audio.holds(suffix, rate):
            raise SettingError(f"sink.audio: {suffix} cannot hold {path.name} at {rate} Hz; such as sink.audio=wav")
        first, last = within(span, heard.length, heard.rate)
        return {"read.length": length_at(last - first, heard.rate, rate), "read.rate": rate}
    except InputError as error:
        return {"reason": error.reason, "detail": error.detail}
