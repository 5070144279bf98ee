"""How far two encoded items are apart: what a CUDA device makes is within a step of what made it before, not the same.

Its transforms depend on what else is in a batch, and its arithmetic on the card.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from sliceforge.engine.codecs import audio, image
from sliceforge.engine.errors import InputError
from sliceforge.engine.sound import PCM

STEP = 1
"""Of 16 bits, or one grey level: as far as two items may be apart."""

SHARE = 0.01
NUMBER = {"audio": 0.5, "image": 4.0}
"""What may differ in a number that was measured, or in a box edge: a hundredth, or this much: a contrast is the median
over pixels that are chosen by how much they changed, each by up to two steps more or less. The values themselves are
what is held to a step."""


def steps_apart(one: bytes, other: bytes, suffix: str) -> float:
    """The largest difference of two items in steps of 16 bits or in grey levels; infinite where their forms differ.

    Of a JPEG the mean: a step before encoding may move a whole block's value over a rounding.

    Args:
        one, other: encoded files.
        suffix: flac, wav, png or jpeg.
    """
    try:
        a, b = (_decoded(data, suffix) for data in (one, other))
    except InputError:
        return math.inf
    if a.shape != b.shape:
        return math.inf
    apart = np.abs(a - b)
    return float((apart.mean() if suffix == "jpeg" else apart.max()) if apart.size else 0)


def _decoded(data: bytes, suffix: str) -> np.ndarray:
    decode: Callable[[Path], Any] = image.decode if suffix in ("png", "jpeg") else audio.decode
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"item.{suffix}"
        path.write_bytes(data)
        found = decode(path)
    if isinstance(found, tuple):
        return np.rint(found[0].astype(np.float64) * PCM)
    return np.asarray(found, np.float64)


def alike(one: Any, other: Any, kind: str = "image") -> bool:
    """Whether two values of a manifest may be of the same item.

    Args:
        kind: audio or image.

    >>> alike(10.0, 10.04), alike([[1, 2, 3, 4]], [[1, 2, 3, 5]]), alike("a", "b"), alike(True, False)
    (True, True, False, False)
    """
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(alike(a, b, kind) for a, b in zip(one, other, strict=True))
    if isinstance(one, bool) or isinstance(other, bool) or not all(isinstance(v, int | float) for v in (one, other)):
        return bool(one == other)
    return (
        one == other or (one != one and other != other) or math.isclose(one, other, rel_tol=SHARE, abs_tol=NUMBER[kind])
    )
