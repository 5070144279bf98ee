"""The nearest of many 64-bit hashes to each of them, by the number of bits that differ."""

import numpy as np
from numba import njit

from sliceforge.engine.cache import install

install()

MOST = 7
"""Bits: of two hashes at most so far apart, one of their four quarters differs in one bit at most."""


@njit(inline="always")
def bits(x):
    """How many bits of a 64-bit number are set."""
    x = x - ((x >> np.uint64(1)) & np.uint64(0x5555555555555555))
    x = (x & np.uint64(0x3333333333333333)) + ((x >> np.uint64(2)) & np.uint64(0x3333333333333333))
    x = (x + (x >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return (x * np.uint64(0x0101010101010101)) >> np.uint64(56)


@njit(nogil=True, cache=True)
def search_cpu(hashes, order, starts, place, distance):
    """Fill (N,) with the place and the distance of the nearest other hash, −1 where none is within `MOST` bits.

    Args:
        hashes: (N,) uint64.
        order: (4, N), places sorted by each quarter of the hash, then by place.
        starts: (4, 65537), where each value of a quarter begins in `order`.
    """
    for i in range(len(hashes)):
        own, best, found = hashes[i], np.int64(MOST + 1), -1
        for quarter in range(4):
            part = np.int64((own >> np.uint64(16 * quarter)) & np.uint64(0xFFFF))
            for flip in range(16, -1, -1):  # the value itself, then each with one bit turned
                key = part ^ ((1 << flip) & 0xFFFF)
                for at in range(starts[quarter, key], starts[quarter, key + 1]):
                    other = order[quarter, at]
                    if other == i:
                        continue
                    apart = np.int64(bits(own ^ hashes[other]))
                    if apart < best or (apart == best and other < found):
                        best, found = apart, other
                    if apart == 0:  # the first of its bucket that is the same: none is nearer or comes before
                        break
                if best == 0:
                    break
            if best == 0:
                break
        place[i], distance[i] = found, best if found >= 0 else -1


def nearest(hashes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(place, distance) of the nearest other hash of each, the first of several; −1 where none is within `MOST` bits.

    Multi-index search (Norouzi, Punjani and Fleet, 2012): memory grows with N, and time does unless thousands of
    hashes share a quarter and are not the same.

    Args:
        hashes: (N,) uint64.
    """
    order, starts = np.empty((4, len(hashes)), np.int64), np.empty((4, (1 << 16) + 1), np.int64)
    for quarter in range(4):
        part = ((hashes >> np.uint64(16 * quarter)) & np.uint64(0xFFFF)).astype(np.int64)
        order[quarter] = np.argsort(part, kind="stable")
        starts[quarter] = np.searchsorted(part[order[quarter]], np.arange((1 << 16) + 1))
    place, distance = np.empty(len(hashes), np.int64), np.empty(len(hashes), np.int64)
    search_cpu(hashes, order, starts, place, distance)
    return place, distance
