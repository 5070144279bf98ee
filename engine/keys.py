"""Counter-based randomness: a draw is a function of (seed, item id, variant, attempt, step, draw) and of nothing else.

Philox4x32-10 (Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011).
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numba import njit

from sliceforge.engine.cache import install

install()

_LOW = np.uint64(0xFFFFFFFF)
_SHIFT = np.uint64(32)
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


@njit(cache=True)
def _blocks_cpu(items, variants, attempts, k0, k1, out):  # type: ignore[no-untyped-def]
    count, words = out.shape
    for i in range(count):
        low, high = items[i] & _LOW, items[i] >> _SHIFT
        for block in range((words + 3) // 4):
            tail = (np.uint64(attempts[i]) << np.uint64(16)) | np.uint64(block)
            four = _philox4x32(low, high, np.uint64(variants[i]), tail, k0, k1)
            for j in range(min(4, words - 4 * block)):
                out[i, 4 * block + j] = np.uint32(four[j])


def item_hash(item: str) -> int:
    """64 bits of an item's id: BLAKE2b of its NFC form in UTF-8."""
    text = unicodedata.normalize("NFC", item).encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "little")


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
        items = np.fromiter((item_hash(item) for item in ids), np.uint64, len(ids))
        variants = np.broadcast_to(np.asarray(variant, np.uint32), items.shape)
        return cls(seed, items, variants, np.broadcast_to(np.asarray(attempt, np.uint16), items.shape))

    def __len__(self) -> int:
        return len(self.items)

    def at(self, step: str) -> Keys:
        """The same keys for another step."""
        return replace(self, step=step)

    def take(self, rows: np.ndarray) -> Keys:
        """The keys of some rows (indices or a boolean mask)."""
        return replace(self, items=self.items[rows], variant=self.variant[rows], attempt=self.attempt[rows])

    def bits(self, draw: str, count: int = 1) -> np.ndarray:
        """Random words, (B, count) uint32; `count` is at most 262 144."""
        label = f"{self.seed}\0{self.step}\0{draw}".encode()
        k0, k1 = np.frombuffer(hashlib.blake2b(label, digest_size=8).digest(), "<u4").astype(np.uint64)
        out = np.empty((len(self), count), np.uint32)
        _blocks_cpu(self.items, self.variant, self.attempt, k0, k1, out)
        return out

    def uniform(self, draw: str, count: int = 1) -> np.ndarray:
        """Uniforms in [0, 1) with 24 bits, (B, count) float64: (u32 >> 8) · 2⁻²⁴."""
        return (self.bits(draw, count) >> 8) * 2.0**-24

    def field(self, draw: str = "key") -> np.ndarray:
        """The key of a noise field, (B,) int64 and never negative: what a kernel hashes together with a position."""
        words = self.bits(draw, 2).astype(np.int64)
        return words[:, 0] | (words[:, 1] & 0x7FFFFFFF) << 32
