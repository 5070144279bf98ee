"""What other libraries hold sounds and pictures in: read to an array, and the way back to what it came as."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import fsspec
import numpy as np

from sliceforge.engine.codecs.members import as_file
from sliceforge.engine.errors import InputError

Read = TypeVar("Read")


@dataclass(frozen=True)
class Form:
    """A sound or a picture that came from another library.

    Args:
        array: (T,) float32, or (H, W, C) uint8 or uint16; not written to.
        rate: hertz; 0 of a picture.
        back: (array, rate) → the same kind of thing as it came in.
    """

    array: np.ndarray
    rate: int
    back: Callable[[np.ndarray, int], Any]

    def key(self) -> str:
        """64 bits of what it holds, as 16 digits: the id of what has none."""
        # Plus 0, since there are two zeros, and not every form knows both.
        held = np.ascontiguousarray(self.array + self.array.dtype.type(0))
        digest = hashlib.blake2b(f"{held.shape}{held.dtype.str}{self.rate}".encode(), digest_size=8)
        digest.update(held.tobytes())
        return digest.hexdigest()


def encoded(value: Any) -> bool:
    """Whether a value is a file's bytes, or says where they are."""
    if isinstance(value, Mapping):
        return "array" not in value and bool({"bytes", "path"} & set(value))
    return isinstance(value, bytes | bytearray)


def read(value: Any, decode: Callable[[Path], Read]) -> Read:
    data = value if not isinstance(value, Mapping) else value.get("bytes")
    place = value.get("path") if isinstance(value, Mapping) else None
    if data is None and place and "://" in place:
        try:
            with fsspec.open(place, "rb") as file:
                data = file.read()
        except Exception as error:  # each store fails in its own way
            raise InputError("unreadable", f"{type(error).__name__}: its place does not answer") from None
    if data is None:
        if not place:
            raise InputError("empty", "neither bytes nor a path")
        return decode(Path(place))
    if not data:
        raise InputError("empty", "0 bytes")
    with as_file(bytes(data)) as inside:
        return decode(Path(f"/dev/fd/{inside.fileno()}"))


def repacked(value: Any, data: bytes) -> Any:
    return {**value, "bytes": data} if isinstance(value, Mapping) else data


def _head(value: Any) -> bytes:
    data = value.get("bytes") if isinstance(value, Mapping) else value
    return bytes(data[:4]) if data else b""


def _suffix(value: Any) -> str:
    return Path(value.get("path") or "").suffix.lower() if isinstance(value, Mapping) else ""


def wav(value: Any) -> bool:
    return _head(value) == b"RIFF" or (not _head(value) and _suffix(value) == ".wav")


def jpeg(value: Any) -> bool:
    return _head(value)[:2] == b"\xff\xd8" or (not _head(value) and _suffix(value) in (".jpg", ".jpeg"))
