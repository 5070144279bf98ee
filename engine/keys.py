"""Counter-based randomness: a draw is a function of (seed, item id, variant, attempt, step, draw) and of nothing else.

Philox4x32-10 (Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011).
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numba import njit

from sliceforge.engine.cache import install

install()

_LOW = np.uint64(0xFFFFFFFF)
_SHIFT = np.uint64(32)
_SIGNLESS = np.uint64(0x7FFFFFFF)
_LEFT_OUT = np.uint64(8)
_M0, _M1 = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
_W0, _W1 = np.uint64(0x9E3779B9), np.uint64(0xBB67AE85)


def philox4x32(
    c0: np.uint64, c1: np.uint64, c2: np.uint64, c3: np.uint64, k0: np.uint64, k1: np.uint64
) -> tuple[np.uint64, np.uint64, np.uint64, np.uint64]:
    """Ten rounds of Philox4x32; every argument and result holds 32 bits in an unsigned 64-bit word."""
    for _ in range(10):
        p0, p1 = _M0 * c0, _M1 * c2
        c0, c1, c2, c3 = (p1 >> _SHIFT) ^ c1 ^ k0, p1 & _LOW, (p0 >> _SHIFT) ^ c3 ^ k1, p0 & _LOW
        k0, k1 = (k0 + _W0) & _LOW, (k1 + _W1) & _LOW
    return c0, c1, c2, c3


_philox4x32 = njit(cache=True)(philox4x32)


@njit(error_model="numpy", nogil=True, cache=True)
def unit(word):
    """A random word as a uniform in [0, 1) with 24 bits."""
    return np.float64(word >> _LEFT_OUT) * 2.0**-24


@njit(error_model="numpy", nogil=True, cache=True)
def block_cpu(item, variant, attempt, block, k0, k1):
    """Four random words of one key, each 32 bits in an unsigned 64-bit word; `block` counts them by fours."""
    tail = (np.uint64(attempt) << np.uint64(16)) | np.uint64(block)
    return _philox4x32(item & _LOW, item >> _SHIFT, np.uint64(variant), tail, np.uint64(k0), np.uint64(k1))


@njit(error_model="numpy", nogil=True, cache=True)
def _words_cpu(items, variants, attempts, k0, k1, out):
    count, words = out.shape
    for i in range(count):
        for block in range((words + 3) // 4):
            four = block_cpu(items[i], variants[i], attempts[i], block, k0, k1)
            for j in range(min(4, words - 4 * block)):
                out[i, 4 * block + j] = np.uint32(four[j])


@njit(error_model="numpy", nogil=True, cache=True)
def _uniforms_cpu(items, variants, attempts, k0, k1, out):
    count, words = out.shape
    for i in range(count):
        for block in range((words + 3) // 4):
            four = block_cpu(items[i], variants[i], attempts[i], block, k0, k1)
            for j in range(min(4, words - 4 * block)):
                out[i, 4 * block + j] = unit(four[j])


@njit(error_model="numpy", nogil=True, cache=True)
def _fields_cpu(items, variants, attempts, k0, k1, out):
    for i in range(len(out)):
        low, high, _, _ = block_cpu(items[i], variants[i], attempts[i], 0, k0, k1)
        out[i] = np.int64(low | (high & _SIGNLESS) << _SHIFT)


def item_hash(item: str) -> int:
    """64 bits of an item's id: BLAKE2b of its NFC form in UTF-8."""
    text = item if item.isascii() else unicodedata.normalize("NFC", item)
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")


@lru_cache(maxsize=4096)
def _label(seed: int, step: str, draw: str) -> tuple[int, int]:
    """Philox's key: 64 bits of what is drawn, as two words."""
    label = f"{seed}\0{step}\0{draw}".encode()
    whole = int.from_bytes(hashlib.blake2b(label, digest_size=8).digest(), "little")
    return whole & 0xFFFFFFFF, whole >> 32


def _column(value: int | np.ndarray, kind: type, count: int) -> np.ndarray:
    # Always an own, contiguous array: a broadcast one would have each loop compiled once more for its type.
    out: np.ndarray = np.empty(count, kind)
    out[:] = value
    return out


@dataclass(frozen=True)
class Keys:
    """One key per made item: all that its randomness depends on.

    Args:
        seed: the run's seed, any integer.
        items: `item_hash` of each parent's id, (B,) uint64.
        variant: (B,) uint32.
        attempt: (B,) uint16; counts the redraws of a gate.
        step: the name of the step that draws.
    """

    seed: int
    items: np.ndarray
    variant: np.ndarray
    attempt: np.ndarray
    step: str = ""

    @classmethod
    def of(cls, seed: int, ids: Sequence[str], variant: int | np.ndarray = 1, attempt: int | np.ndarray = 0) -> Keys:
        """Keys of the given ids; `variant` and `attempt` are one number for all, or one for each."""
        items = np.fromiter(map(item_hash, ids), np.uint64, len(ids))
        return cls(seed, items, _column(variant, np.uint32, len(ids)), _column(attempt, np.uint16, len(ids)))

    def __len__(self) -> int:
        return len(self.items)

    def at(self, step: str) -> Keys:
        """The same keys for another step."""
        return Keys(self.seed, self.items, self.variant, self.attempt, step)

    def take(self, rows: np.ndarray) -> Keys:
        """The keys of some rows (indices or a boolean mask)."""
        return Keys(self.seed, self.items[rows], self.variant[rows], self.attempt[rows], self.step)

    def words(self, draw: str) -> tuple[np.ndarray, np.ndarray, np.ndarray, int, int]:
        """What a compiled loop draws from: items, variants and attempts, each (B,), and the two words of the draw."""
        return self.items, self.variant, self.attempt, *_label(self.seed, self.step, draw)

    def bits(self, draw: str, count: int = 1) -> np.ndarray:
        """Random words, (B, count) uint32; `count` is at most 262 144."""
        out = np.empty((len(self), count), np.uint32)
        _words_cpu(*self.words(draw), out)
        return out

    def uniform(self, draw: str, count: int = 1) -> np.ndarray:
        """Uniforms in [0, 1) with 24 bits, (B, count) float64: (u32 >> 8) · 2⁻²⁴."""
        out = np.empty((len(self), count), np.float64)
        _uniforms_cpu(*self.words(draw), out)
        return out

    def field(self, draw: str = "key") -> np.ndarray:
        """The key of a noise field, (B,) int64 and never negative: what a kernel hashes together with a position."""
        out = np.empty(len(self), np.int64)
        _fields_cpu(*self.words(draw), out)
        return out
