"""Memory for made items that is used again once nobody holds any of them.

A fresh megabyte costs the kernel as much as filling it does: the pages of a batch are kept and handed out again.
"""

from __future__ import annotations

import math
import sys
import threading
from typing import Any

import numpy as np

KEPT, LARGEST = 4, 64 << 20
"""Blocks of a thread that are kept, and the bytes of the largest one."""

_FREE = 3
"""References to a block that only this module holds: the list's, the loop's, and the call's that counts them."""

_local = threading.local()


def arrays(count: int, shape: tuple[int, ...], dtype: Any) -> list[np.ndarray]:
    """`count` arrays of one shape, with anything in them; they share one block, which lives as long as any of them."""
    size = count * math.prod(shape) * np.dtype(dtype).itemsize
    block = _block(size) if 0 < size <= LARGEST else np.empty(size, np.uint8)
    return list(block[:size].view(dtype).reshape(count, *shape))


def _block(size: int) -> np.ndarray:
    kept: list[np.ndarray] = _local.__dict__.setdefault("kept", [])
    for block in kept:
        if size <= len(block) <= 2 * size and sys.getrefcount(block) <= _FREE:
            return block
    block = np.empty(size, np.uint8)
    kept.append(block)
    del kept[:-KEPT]
    return block
