"""What a sound file says about itself, and whether the file is long enough to be telling the truth.

libsndfile reads a cut WAV, FLAC or Ogg file as a shorter sound, without an error.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import BinaryIO, Literal

from sliceforge.engine.errors import InputError

UNSTATED = 0xFFFFFFFF
MAX_CHUNKS = 4096
_MIRRORED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


@dataclass(frozen=True)
class StreamInfo:
    """The first block of a FLAC file.

    Args:
        bits: of one value.
        frames: 0 where the encoder did not know.
        md5: of the decoded values; zeros where the encoder did not know.
    """

    bits: int
    frames: int
    md5: bytes


def container(file: BinaryIO) -> tuple[str, int]:
    """What the file is, by its first bytes (wav, flac, ogg, mp3), and where an ID3 tag in front of it ends.

    Raises:
        InputError: unreadable.
    """
    start = 0
    file.seek(0)
    head = file.read(12)
    if head[:3] == b"ID3" and len(head) >= 10:
        size = sum((byte & 0x7F) << shift for byte, shift in zip(head[6:10], (21, 14, 7, 0), strict=True))
        start = 10 + size + (10 if head[5] & 0x10 else 0)
        file.seek(start)
        head = file.read(12)
    if head[:4] == b"fLaC":
        return "flac", start
    if head[:4] in (b"RIFF", b"RIFX", b"RF64") and head[8:12] == b"WAVE":
        return "wav", start
    if head[:4] == b"OggS":
        return "ogg", start
    if start or (len(head) > 1 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0):
        return "mp3", start
    raise InputError("unreadable", "not WAV, FLAC, Ogg or MP3")


def check_wav(file: BinaryIO, size: int) -> None:
    """Compare the `data` chunk with the file.

    Raises:
        InputError: unreadable (cut, or the length is not stated), empty.
    """
    file.seek(0)
    order: Literal["big", "little"] = "big" if file.read(12)[:4] == b"RIFX" else "little"
    position, wide = 12, None
    for _ in range(MAX_CHUNKS):
        file.seek(position)
        head = file.read(8)
        if len(head) < 8:
            break
        name, length = head[:4], int.from_bytes(head[4:], order)
        if name == b"ds64":
            wide = int.from_bytes(file.read(16)[8:], "little")
        if name == b"data":
            stated = wide if length == UNSTATED and wide is not None else length
            held = size - position - 8
            if stated > held:
                raise InputError("unreadable", f"cut: its header promises {stated} bytes of sound, it holds {held}")
            if stated == 0:
                raise InputError("empty", "its header promises 0 bytes of sound")
            return
        position += 8 + length + (length & 1)
    raise InputError("unreadable", "cut: there is no data chunk")


def flac_info(file: BinaryIO, start: int) -> StreamInfo:
    """The STREAMINFO block.

    Raises:
        InputError: unreadable (cut, or no length stated).
    """
    file.seek(start + 4)
    block = file.read(38)
    if len(block) < 38 or block[0] & 0x7F != 0 or int.from_bytes(block[1:4], "big") != 34:
        raise InputError("unreadable", "cut or damaged: there is no STREAMINFO block")
    packed = int.from_bytes(block[14:22], "big")  # 20 bits rate, 3 channels − 1, 5 bits − 1, 36 frames
    info = StreamInfo((packed >> 36 & 0x1F) + 1, packed & (1 << 36) - 1, block[22:38])
    if not info.frames:
        raise InputError("unreadable", "its header does not say how long it is")
    return info


def ogg_checksum(page: bytes) -> int:
    """The CRC of a page whose own four bytes are zero: polynomial 0x04C11DB7, not mirrored, from 0.

    zlib has the mirrored one; mirroring every byte going in, and the word coming out, turns one into the other.
    """
    mirrored = zlib.crc32(page.translate(_MIRRORED), UNSTATED) ^ UNSTATED
    return int(f"{mirrored:032b}"[::-1], 2)


def check_ogg(file: BinaryIO, size: int) -> None:
    """Walk the pages: each whole and right by its checksum, the last one marked as the end.

    Raises:
        InputError: unreadable.
    """
    position, last = 0, False
    file.seek(0)
    while position < size:
        head = file.read(27)
        lacing = file.read(head[26]) if len(head) == 27 and head[:4] == b"OggS" else b""
        body = file.read(sum(lacing))
        page = head + lacing + body
        if not lacing or len(page) != 27 + head[26] + sum(lacing):
            raise InputError("unreadable", f"cut or damaged at byte {position}")
        if ogg_checksum(page[:22] + bytes(4) + page[26:]) != int.from_bytes(page[22:26], "little"):
            raise InputError("unreadable", f"damaged: wrong checksum of the Ogg page at byte {position}")
        position += len(page)
        last = bool(head[5] & 4)
    if not last:
        raise InputError("unreadable", "cut: the last Ogg page is not marked as the end")
