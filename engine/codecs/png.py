"""What Pillow leaves out of PNG: checksums, and colour at 16 bits a value.

Every PNG filter works on one byte lane at a time. So a 16-bit colour image is two 8-bit ones, the high bytes and the
low bytes, with the same filters, and Pillow can read both.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
from PIL import Image

from sliceforge.engine.errors import InputError

SIGNATURE = b"\x89PNG\r\n\x1a\n"
CHANNELS = {0: 1, 2: 3, 4: 2, 6: 4}
"""Values of a pixel by colour type: grey, RGB, grey with alpha, RGBA."""

_ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))


@dataclass(frozen=True)
class Header:
    """IHDR, and the place of each IDAT's content as (offset, bytes)."""

    width: int
    height: int
    depth: int
    colour: int
    interlaced: bool
    data: tuple[tuple[int, int], ...]
    exif: bytes

    @property
    def wide(self) -> bool:
        """Whether Pillow would drop the low bytes."""
        return self.depth == 16 and self.colour in (2, 4, 6)


def header(file: BinaryIO, size: int, checksums: bool) -> Header:
    """Walk the chunks to the end of the image; `checksums` reads them all.

    Raises:
        InputError: unreadable (cut, or a wrong checksum).
    """
    position, exif, data = len(SIGNATURE), b"", []
    fields = (0, 0, 0, 0, 0, 0, 0)
    while True:
        file.seek(position)
        head = file.read(8)
        length, name = int.from_bytes(head[:4], "big"), head[4:]
        if len(head) < 8 or position + 12 + length > size:
            raise InputError("unreadable", f"cut: a chunk at byte {position} is not whole")
        critical = not name[0] & 0x20
        if name in (b"IHDR", b"eXIf") or (checksums and critical):
            body = file.read(length)
            if critical and zlib.crc32(head[4:] + body) != int.from_bytes(file.read(4), "big"):
                raise InputError("unreadable", f"damaged: wrong checksum of the chunk at byte {position}")
            if name == b"IHDR" and length == 13:
                fields = struct.unpack(">IIBBBBB", body)
            if name == b"eXIf":
                exif = body
        if name == b"IDAT":
            data.append((position + 8, length))
        if name == b"IEND":
            width, height, depth, colour, _, _, interlaced = fields
            return Header(width, height, depth, colour, bool(interlaced), tuple(data), exif)
        position += 12 + length


def _passes(head: Header) -> Iterator[tuple[int, int]]:
    """(width, height) of each part that the data holds, one after the other."""
    for x, y, dx, dy in _ADAM7 if head.interlaced else ((0, 0, 1, 1),):
        width, height = -(-(head.width - x) // dx), -(-(head.height - y) // dy)
        if width > 0 and height > 0:
            yield width, height


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def _file(head: Header, depth: int, filtered: bytes, level: int) -> bytes:
    packed = struct.pack(">IIBBBBB", head.width, head.height, depth, head.colour, 0, 0, head.interlaced)
    parts = ((b"IHDR", packed), (b"IDAT", zlib.compress(filtered, level)), (b"IEND", b""))
    return SIGNATURE + b"".join(_chunk(name, body) for name, body in parts)


def read_wide(file: BinaryIO, head: Header) -> np.ndarray:
    """A 16-bit colour image, (H, W, 2 to 4) uint16.

    Raises:
        InputError: unreadable.
    """
    lane = CHANNELS[head.colour]
    expected = sum(height * (1 + 2 * lane * width) for width, height in _passes(head))
    unpacker, filtered = zlib.decompressobj(), b""
    try:
        packed = bytearray()
        for offset, length in head.data:
            file.seek(offset)
            packed += file.read(length)
        filtered = unpacker.decompress(packed, expected)
    except zlib.error as error:
        raise InputError("unreadable", f"damaged: {error}") from None
    if len(filtered) < expected:
        raise InputError("unreadable", f"cut: {len(filtered)} of {expected} bytes")
    image = np.empty((head.height, head.width, lane), np.uint16)
    image[:] = _half(head, filtered, 1)
    image <<= 8
    image |= _half(head, filtered, 2)
    return image


def _half(head: Header, filtered: bytes, first: int) -> np.ndarray:
    """The high (first = 1) or the low (2) bytes of every value, (H, W, lanes) uint8."""
    lane = CHANNELS[head.colour]
    parts, start = [], 0
    for width, height in _passes(head):
        rows = np.frombuffer(filtered, np.uint8, height * (1 + 2 * lane * width), start).reshape(height, -1)
        start += rows.size
        part = np.empty((height, 1 + lane * width), np.uint8)
        part[:, 0] = rows[:, 0]
        part[:, 1:] = rows[:, first::2]
        parts.append(part.tobytes())
    with Image.open(io.BytesIO(_file(head, 8, b"".join(parts), 0)), formats=("PNG",)) as image:
        return np.asarray(image)


def write_wide(image: np.ndarray, level: int) -> bytes:
    """A 16-bit colour PNG of (H, W, 3 or 4) uint16, every row as the difference to the row above."""
    height, width, channels = image.shape
    rows = np.ascontiguousarray(image, ">u2").view(np.uint8).reshape(height, -1)
    filtered = np.empty((height, 1 + rows.shape[1]), np.uint8)
    filtered[:, 0] = 2
    filtered[0, 1:] = rows[0]
    np.subtract(rows[1:], rows[:-1], out=filtered[1:, 1:])
    colour = {3: 2, 4: 6}[channels]
    return _file(Header(width, height, 16, colour, False, (), b""), 16, filtered.tobytes(), level)
