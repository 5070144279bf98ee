"""A keyed permutation of 0 … n−1 that can be asked for one place at a time: nothing is stored, nothing is sorted.

The swap-or-not shuffle (Hoang, Morris, Rogaway, "An enciphering scheme based on a card shuffle", CRYPTO 2012): in each
round x may change places with K − x (mod n), as one keyed bit of the greater of the two says. It works for every n, and
the rounds in reverse order undo it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit

from sliceforge.engine.cache import install

install()

ROUNDS = 128
"""A pair of places is told from a uniform one by less than n^1.5 · 2^(−ROUNDS / 2): 2^(−29) for ten million."""

PART = 1024

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_FIRST, _SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_30, _27, _31, _0, _1 = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(0), np.uint64(1)


@njit(error_model="numpy", nogil=True, cache=True)
def _mixed(word):
    """The finalizer of SplitMix64 (Steele, Lea, Flood 2014)."""
    word = (word ^ (word >> _30)) * _FIRST
    word = (word ^ (word >> _27)) * _SECOND
    return word ^ (word >> _31)


@njit(error_model="numpy", nogil=True, cache=True)
def _swap_or_not(places, count, key, backwards, out):
    n = np.uint64(count)
    centres, words = np.empty(ROUNDS, np.uint64), np.empty(ROUNDS, np.uint64)
    for turn in range(ROUNDS):
        words[turn] = _mixed(key + np.uint64(ROUNDS - 1 - turn if backwards else turn) * _GOLDEN)
        centres[turn] = words[turn] % n
    # Places go through a round side by side, a part of them that stays near at a time.
    for first in range(0, len(places), PART):
        last = min(first + PART, len(places))
        out[first:last] = places[first:last]
        for turn in range(ROUNDS):
            for i in range(first, last):
                x = out[i]
                other = centres[turn] - x if centres[turn] >= x else centres[turn] + n - x
                # Without a branch, which would be foretold wrongly every other time.
                out[i] = x ^ ((x ^ other) & (_0 - (_mixed(words[turn] ^ (max(x, other) * _SECOND)) & _1)))


@dataclass(frozen=True)
class Shuffle:
    """One permutation of 0 … count−1.

    Args:
        count: n, from 0.
        label: whatever it is for; another label is another permutation.

    >>> one = Shuffle(5, "seed 7, epoch 3")
    >>> sorted(one.at(np.arange(5)).tolist()), one.back(one.at(np.arange(5))).tolist()
    ([0, 1, 2, 3, 4], [0, 1, 2, 3, 4])
    """

    count: int
    label: str

    def at(self, places: np.ndarray) -> np.ndarray:
        """What stands at some places, (B,) int64."""
        return self._run(places, False)

    def back(self, values: np.ndarray) -> np.ndarray:
        """At which places some values stand, (B,) int64."""
        return self._run(values, True)

    def _run(self, places: np.ndarray, backwards: bool) -> np.ndarray:
        given: np.ndarray[Any, Any] = np.ascontiguousarray(places, np.int64).view(np.uint64)
        key = int.from_bytes(hashlib.blake2b(self.label.encode(), digest_size=8).digest(), "little")
        out = np.empty(len(given), np.uint64)
        _swap_or_not(given, max(self.count, 1), np.uint64(key), backwards, out)
        return out.view(np.int64)
