"""The only input: one item at a time is decoded, checked, and brought to the recipe's rate as a whole."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sliceforge.engine.codecs import audio, files, image
from sliceforge.engine.errors import InputError

if TYPE_CHECKING:
    import torch

ZEROS = 64
"""Zero crossings of the resampling filter on each side."""

STOPBAND_DB = 120.0

Span = tuple[float, float | None]
"""The part of a recording that is meant: where it begins, and how long it is or None to the end, in seconds."""

SLACK = 0.05
"""Seconds by which a part may end after its recording: manifests round."""

RATES = ("rate", "sample_rate", "sampling_rate")
"""What manifests call a clip's rate."""


def length_at(length: int, rate: int, new_rate: int) -> int:
    """Samples that a clip has at another rate: ⌈length · new / old⌉."""
    return -(-length * new_rate // rate)


@lru_cache(maxsize=16)
def _filter(up: int, down: int) -> np.ndarray:
    """A Kaiser-windowed sinc: flat to 90 % of the lower Nyquist frequency, 100 dB down from 103 % of it."""
    from scipy.signal import firwin

    wide = max(up, down)
    beta = 0.1102 * (STOPBAND_DB - 8.7)
    return up * firwin(2 * ZEROS * wide + 1, 0.97 / wide, window=("kaiser", beta))


def resample(x: np.ndarray, rate: int, new_rate: int) -> np.ndarray:
    """Audio (T,) at another rate, (⌈T · new / old⌉,) float32; the whole clip at once, on one thread.

    A polyphase sinc filter of linear phase and no delay, computed in double precision.

    Args:
        x: (T,) float32.
        rate, new_rate: hertz.
    """
    if rate == new_rate:
        return np.ascontiguousarray(x, np.float32)
    from scipy.signal import upfirdn  # on first use: it takes longer to import than everything else together

    common = math.gcd(rate, new_rate)
    up, down = new_rate // common, rate // common
    taps = _filter(up, down)
    middle = len(taps) // 2
    # Zeros in front of the filter make its middle a multiple of `down`, so that output n stands at input n·down/up.
    taps = np.concatenate([np.zeros(-middle % down), taps])
    skip = (middle + (-middle % down)) // down
    count = length_at(len(x), rate, new_rate)
    tail = np.zeros(len(taps) // up + 1)
    y = upfirdn(taps, np.concatenate([x.astype(np.float64), tail]), up, down)
    return y[skip : skip + count].astype(np.float32)


def read_audio(
    path: Path,
    rate: int | None = None,
    declared: int | None = None,
    channel: float | None = None,
    span: Span | None = None,
) -> tuple[np.ndarray, int]:
    """A clip as mono (T,) float32, and its rate in hertz.

    Args:
        path: the file.
        rate: bring it to this rate; None keeps its own.
        declared: the rate that a manifest claims, in hertz.
        channel: which of its channels, 0 the first and almost 1 the last; None: their mean.
        span: which part of it; None: the whole.

    Raises:
        InputError: unreadable, empty, non_finite, silent, rate_mismatch, too_large.
    """
    samples, own = audio.decode(path, declared)
    first, last = within(span, len(samples), own)
    samples = samples[first:last]
    count = samples.shape[1]
    if count == 1 or channel is not None:
        mono = samples[:, min(int((channel or 0) * count), count - 1)]
    else:
        mono = samples.mean(axis=1, dtype=np.float64).astype(np.float32)
    audio.check_level(mono)
    return resample(mono, own, rate or own), rate or own


def within(span: Span | None, length: int, rate: int) -> tuple[int, int]:
    """(first, last) samples of a part of a recording of `length` samples at `rate` hertz.

    Raises:
        InputError: unreadable, where the part is not in the recording; empty.
    """
    if span is None:
        return 0, length
    start, seconds = span
    seconds = length / rate - start if seconds is None else seconds
    if not (start >= 0 and seconds > 0 and start + seconds <= length / rate + SLACK):
        whole = f"of {length / rate:.3f} s"
        raise InputError("unreadable", f"{seconds:.3f} s from {start:.3f} s on are no part of a recording {whole}")
    first, last = round(start * rate), min(round((start + seconds) * rate), length)
    if first >= last:
        raise InputError("empty", f"a part of {seconds:g} s has no sample")
    return first, last


def read_image(path: Path) -> np.ndarray:
    """An image as (H, W, C) uint8 or uint16, upright.

    Raises:
        InputError: unreadable, empty, non_finite, too_large.
    """
    return image.decode(path)


def check_digest(path: Path, sha256: str) -> None:
    """Refuse a file that is not the one that its manifest names.

    Raises:
        InputError: unreadable.
    """
    if files.sha256(path) != sha256.lower():
        raise InputError("unreadable", "its SHA-256 is not the one in the manifest")


def pad(clips: Sequence[np.ndarray], samples: int | None = None) -> dict[str, torch.Tensor]:
    """A batch of clips of any lengths: `audio` (B, T) float32, zeros after each clip's `length` (B,) int64.

    Args:
        samples: T; what is longer is cut. None: the longest.
    """
    import torch

    lengths = [len(clip) if samples is None else min(len(clip), samples) for clip in clips]
    audio = np.zeros((len(clips), max(lengths, default=0) if samples is None else samples), np.float32)
    for row, clip, length in zip(audio, clips, lengths, strict=True):
        row[:length] = clip[:length]
    return {"audio": torch.from_numpy(audio), "length": torch.tensor(lengths, dtype=torch.int64)}


def declared(row: Mapping[str, Any]) -> int | None:
    """The rate in hertz that a manifest's row claims, under the names in use."""
    for name in RATES:
        value = row.get(name)
        if isinstance(value, int | float) and not isinstance(value, bool) and value == value and value > 0:
            return int(value)
    return None
