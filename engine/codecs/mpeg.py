"""The frames of an MP3 file, counted: libsndfile guesses a length where no header states one, and stops there."""

from __future__ import annotations

from typing import BinaryIO

from sliceforge.engine.errors import InputError

_FIRST = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_SECOND = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
_RATES = (44100, 48000, 32000)
_SLACK = 5
"""Frames that an encoder adds to the sound: its header, its delay, its padding."""


def _frame(head: bytes) -> tuple[int, int]:
    """(bytes, samples) of the frame that starts with these four bytes; (0, 0) where none does."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return 0, 0
    version, layer = head[1] >> 3 & 3, head[1] >> 1 & 3  # version 3 is MPEG-1, 2 is MPEG-2, 0 is MPEG-2.5
    bits, rate, padding = head[2] >> 4, head[2] >> 2 & 3, head[2] >> 1 & 1
    if version == 1 or layer != 1 or bits in (0, 15) or rate == 3:
        return 0, 0
    hertz = _RATES[rate] >> {3: 0, 2: 1, 0: 2}[version]
    samples = 1152 if version == 3 else 576
    kilobits = (_FIRST if version == 3 else _SECOND)[bits]
    return samples // 8 * 1000 * kilobits // hertz + padding, samples


def count_mp3(file: BinaryIO, size: int, start: int) -> tuple[int, int]:
    """Walk the frames: samples in all, and of one frame.

    Args:
        file: the file.
        size: bytes of it.
        start: where the first frame is.

    Raises:
        InputError: unreadable (cut, or no frame where one must be).
    """
    position, total, samples = start, 0, 0
    while position < size:
        file.seek(position)
        head = file.read(8)
        width, found = _frame(head)
        if not width:
            if head[:3] == b"TAG" or head == b"APETAGEX" or not any(head):
                break
            raise InputError("unreadable", f"damaged: no MP3 frame at byte {position}")
        if position + width > size:
            raise InputError("unreadable", f"cut: the MP3 frame at byte {position} is not whole")
        position, total, samples = position + width, total + found, found
    return total, samples


def check_length(counted: tuple[int, int], length: int) -> None:
    """Compare what was counted with the length that the reader will give.

    Raises:
        InputError: unreadable.
    """
    total, samples = counted
    if not 0 <= total - length <= _SLACK * samples:
        raise InputError("unreadable", f"its {total} samples are not the {length} that its header states or implies")
