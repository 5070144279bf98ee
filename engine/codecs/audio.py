"""Sound files to arrays and back: WAV, FLAC, Ogg and MP3 in, FLAC and WAV out."""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from sliceforge.engine.codecs.containers import StreamInfo, check_ogg, check_wav, container, flac_info
from sliceforge.engine.codecs.files import one_line, opened
from sliceforge.engine.codecs.mpeg import check_length, count_mp3
from sliceforge.engine.errors import InputError, SettingError, did_you_mean

SUFFIXES = (".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3")
KINDS = {"flac": "FLAC", "wav": "WAV"}
MAX_VALUES = 1 << 26
"""Values of one clip: 70 minutes of mono at 16 kHz, 256 MiB as float32; a hostile header can ask for no more."""

LOUDEST = 2.0**32
"""A larger value is damage: no scale in use, 32-bit whole numbers included, reaches it."""

SILENT_DB = -60.0
FRAME = 320
_BLOCK = 1 << 18
_SUBTYPES = (
    *("PCM_U8", "PCM_S8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW", "ALAW"),
    *("VORBIS", "OPUS", "MPEG_LAYER_III"),
)


@dataclass(frozen=True)
class Probe:
    """What a header says.

    Args:
        length: samples of each channel.
        rate: hertz.
        channels: count.
    """

    length: int
    rate: int
    channels: int


def probe(path: Path) -> Probe:
    """Length, rate and channels, from the header alone.

    Raises:
        InputError: unreadable, empty, too_large.
    """
    with _sound(path) as (sound, _):
        return Probe(sound.frames, sound.samplerate, sound.channels)


def decode(path: Path, declared: int | None = None) -> tuple[np.ndarray, int]:
    """A clip as (T, C) float32, full scale ±1 and more where the file is in floats, and its rate in hertz.

    Args:
        path: the file; what it is is told by its content.
        declared: the rate that a manifest claims, in hertz.

    Raises:
        InputError: unreadable, empty, non_finite, rate_mismatch, too_large.
    """
    with _sound(path, whole=True) as (sound, info):
        rate = sound.samplerate
        if declared is not None and declared != rate:
            raise InputError("rate_mismatch", f"{rate} Hz, the manifest says {declared}")
        samples = np.empty((sound.frames, sound.channels), np.float32)
        got = _read_flac(sound, info, samples) if info and any(info.md5) else len(sound.read(out=samples))
    if got < len(samples):
        raise InputError("unreadable", f"cut or damaged: its header promises {len(samples)} samples, {got} were read")
    with np.errstate(invalid="ignore"):
        low, high = float(samples.min()), float(samples.max())
    if not (low >= -LOUDEST and high <= LOUDEST):
        raise InputError("non_finite", f"values from {low:.3g} to {high:.3g}")
    return samples, rate


def check_level(samples: np.ndarray) -> None:
    """Refuse a clip whose loudest frame of 320 samples (20 ms at 16 kHz) has an RMS below −60 dBFS.

    Args:
        samples: (T,) float32.

    Raises:
        InputError: silent.
    """
    power = 0.0
    count = len(samples) // FRAME
    for first in range(0, count, 4096):
        frames = samples[first * FRAME : min(first + 4096, count) * FRAME].reshape(-1, FRAME)
        power = max(power, float(np.mean(np.square(frames, dtype=np.float64), axis=1).max()))
    if len(samples):
        power = max(power, float(np.mean(np.square(samples[-FRAME:], dtype=np.float64))))
    level = 10 * np.log10(power) if power else -np.inf
    if level < SILENT_DB:
        raise InputError("silent", f"{level:.0f} dBFS in its loudest 20 ms")


def holds(kind: str, rate: int) -> bool:
    """Whether files of a kind can state a rate, in hertz: FLAC has 16 bits for it, of hertz or tens of hertz."""
    return kind != "flac" or rate < 1 << 16 or (rate % 10 == 0 and rate < 10 << 16)


def encode(samples: np.ndarray, rate: int, kind: str) -> bytes:
    """A file's bytes, the same for the same samples.

    Args:
        samples: (T,) or (T, C) int16.
        rate: hertz.
        kind: flac or wav.

    Raises:
        SettingError: another kind, or values that are not 16 bit.
    """
    if kind not in KINDS:
        raise SettingError(f"suffix: {kind} is not a kind of sound file that can be written{did_you_mean(kind, KINDS)}")
    if samples.dtype != np.int16:
        raise SettingError(f"samples: {samples.dtype} cannot be written; expected int16")
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, rate, format=KINDS[kind], subtype="PCM_16")
    return buffer.getvalue()


@contextmanager
def _sound(path: Path, whole: bool = False) -> Iterator[tuple[soundfile.SoundFile, StreamInfo | None]]:
    """A file with its header checked; `whole` also walks the pages of an Ogg file and the frames of an MP3."""
    info = None
    with opened(path) as (file, size):
        try:
            kind, start = container(file)
            if kind == "wav":
                check_wav(file, size)
            elif kind == "flac":
                info = flac_info(file, start)
            elif kind == "ogg" and whole:
                check_ogg(file, size)
            counted = count_mp3(file, size, start) if kind == "mp3" and whole else None
            # By its number: libsndfile would guess the form from a name such as clip.raw.
            os.lseek(file.fileno(), 0, os.SEEK_SET)
            with soundfile.SoundFile(file.fileno(), closefd=False) as sound:
                _check_header(sound)
                if counted:
                    check_length(counted, sound.frames)
                yield sound, info
        except soundfile.LibsndfileError as error:
            raise InputError("unreadable", error.error_string.strip(" .") or "libsndfile cannot read it") from None
        except (OSError, ValueError, TypeError, RuntimeError, MemoryError, AssertionError) as error:
            raise InputError("unreadable", one_line(error)) from None


def _check_header(sound: soundfile.SoundFile) -> None:
    if sound.subtype not in _SUBTYPES:
        raise InputError("unreadable", f"{sound.subtype} is not read; PCM, float, A-law and µ-law are")
    if not 1000 <= sound.samplerate <= 768_000:
        raise InputError("unreadable", f"a rate of {sound.samplerate} Hz")
    if sound.frames <= 0:
        raise InputError("empty", "0 samples")
    if sound.frames >= 1 << 62:
        raise InputError("unreadable", "its header does not say how long it is")
    if sound.frames * sound.channels > MAX_VALUES:
        raise InputError(
            "too_large", f"{sound.frames} samples of {sound.channels} channels, at most {MAX_VALUES} values"
        )


def _read_flac(sound: soundfile.SoundFile, info: StreamInfo, samples: np.ndarray) -> int:
    """Fill (T, C) float32 from whole numbers, compared with the encoder's MD5; how many frames were read."""
    digest = hashlib.md5(usedforsecurity=False)
    narrow = info.bits == 16
    got = 0
    while got < len(samples):
        values = sound.read(min(_BLOCK, len(samples) - got), "int16" if narrow else "int32", always_2d=True)
        if not len(values):
            return got
        # libsndfile puts the highest bit first, the MD5 is over whole bytes from the lowest.
        unit = values if narrow else values >> (32 - info.bits)
        width = (info.bits + 7) // 8
        raw = unit.astype("<i4").view(np.uint8).reshape(-1, 4)[:, :width] if width != 2 else unit.astype("<i2")
        digest.update(np.ascontiguousarray(raw).data)
        np.multiply(values, np.float32(2.0**-15 if narrow else 2.0**-31), out=samples[got : got + len(values)])
        got += len(values)
    if digest.digest() != info.md5:
        raise InputError("unreadable", "damaged: its samples do not have the MD5 that its header states")
    return got
