"""The forms of a sound: an encoded file, an array with its rate, what decodes itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from sliceforge.engine.codecs import audio
from sliceforge.engine.errors import InputError
from sliceforge.engine.forms import Form, encoded, read, repacked, wav
from sliceforge.engine.sound import PCM


def sound(value: Any) -> Form:
    """A clip, its channels' mean.

    Args:
        value: an encoded file as bytes or as `{"bytes": …, "path": …}`; `{"array": …, "sampling_rate": …}`, or what can
            be asked for these two; (array or tensor, rate). An array is (T,) or (C, T), full scale ±1.

    Raises:
        InputError: unreadable, empty, non_finite, too_large.
    """
    if encoded(value):
        samples, rate = read(value, audio.decode)
        return Form(_mono(samples.T), rate, lambda item, rate: repacked(value, _sound_bytes(item, rate, wav(value))))
    try:
        pair = isinstance(value, tuple)
        wave, rate = value if pair else (value["array"], value["sampling_rate"])
        array, own = np.asarray(wave), int(rate)
        if array.dtype.kind not in "fiu" or array.ndim not in (1, 2):
            raise TypeError(f"{array.dtype} {array.shape}")
    except (TypeError, ValueError, KeyError, IndexError, RuntimeError) as error:
        raise InputError("unreadable", f"no sound: {type(value).__name__}: {str(error)[:60]}") from None

    def back(item: np.ndarray, rate: int) -> Any:
        shaped = item[None] if array.ndim == 2 else item
        held = torch.from_numpy(shaped) if isinstance(wave, torch.Tensor) else shaped
        if pair:
            return held, rate
        return {**(value if isinstance(value, Mapping) else {}), "array": held, "sampling_rate": rate}

    return Form(_mono(array), own, back)


def _mono(channels: np.ndarray) -> np.ndarray:
    """(T,) float32 of (T,) or (C, T); whole numbers are full at their type's end."""
    if channels.dtype.kind in "iu":
        channels = channels / np.float64(np.iinfo(channels.dtype).max + 1)
    if channels.ndim == 2 and len(channels) != 1:
        channels = channels.mean(axis=0, dtype=np.float64)
    return np.ascontiguousarray(channels.reshape(-1), np.float32)


def _sound_bytes(item: np.ndarray, rate: int, wav: bool) -> bytes:
    kind = "wav" if wav or not audio.holds("flac", rate) else "flac"
    return audio.encode((item * np.float32(PCM)).astype(np.int16), rate, kind)
