"""Sixteen Fourier transforms of complex float32 beside each other, in place.

A row holds one frequency of all sixteen, real parts first: (n, 2, 16) float32, flat. Forward is radix 4 with decimation
in frequency, so that frequencies come out in the order of `order`; backward is its mirror image and takes them so.
Nothing is ever put in order: a product of two spectra does not ask for it.
"""

from functools import lru_cache

import numpy as np
from numba import njit

from sliceforge.engine.cache import install
from sliceforge.kernels.lanes import load, repeat, store

install()

ROW = 32
"""Float32 in a row."""

LEAF = 256
"""Rows that fit the first-level cache: what is smaller is transformed to the end before the next is begun."""


@lru_cache(maxsize=8)
def twiddles(n: int) -> np.ndarray:
    """(2n,) float32: of each size 4, 16, … n the six numbers w, w², w³ of each leg, w = exp(−2πi·j/size).

    Those of size s begin at (s − 4)/2.
    """
    out = np.zeros(2 * n, np.float32)
    size = 4
    while size <= n:
        turns = np.outer(np.arange(size // 4), (1, 2, 3)) / size
        w = np.exp(-2j * np.pi * turns)
        own = np.stack([w.real, w.imag], axis=2).ravel()
        out[(size - 4) // 2 : (size - 4) // 2 + len(own)] = own
        size *= 4
    return out


@lru_cache(maxsize=8)
def order(n: int) -> np.ndarray:
    """(n,) int32: the frequency that each row holds after `forward`: its digits to the base 4 turned round."""
    found, left, size = np.zeros(n, np.int32), np.arange(n), n
    while size > 1:
        found, left, size = found * 4 + left % 4, left // 4, size // 4
    return found.astype(np.int32)


@njit(inline="always")
def times(re, im, w, at):
    """Sixteen complex numbers by one, w[at] + i·w[at + 1]."""
    a, b = repeat(w, at), repeat(w, at + 1)
    return re * a - im * b, re * b + im * a


@njit(inline="always")
def _times_conjugate(re, im, w, at):
    a, b = repeat(w, at), repeat(w, at + 1)
    return re * a + im * b, im * a - re * b


@njit(inline="always")
def _apart(data, base, size, w):
    # One pass forward over `size` rows from `base` on.
    leg = size // 4 * ROW
    first = (size - 4) // 2
    for j in range(size // 4):
        i = (base + j) * ROW
        ar, ai = load(data, i), load(data, i + 16)
        br, bi = load(data, i + leg), load(data, i + leg + 16)
        cr, ci = load(data, i + 2 * leg), load(data, i + 2 * leg + 16)
        dr, di = load(data, i + 3 * leg), load(data, i + 3 * leg + 16)
        er, ei, fr, fi = ar + cr, ai + ci, ar - cr, ai - ci
        gr, gi, hr, hi = br + dr, bi + di, br - dr, bi - di
        store(data, i, er + gr)
        store(data, i + 16, ei + gi)
        at = first + 6 * j
        yr, yi = times(fr + hi, fi - hr, w, at)
        store(data, i + leg, yr)
        store(data, i + leg + 16, yi)
        yr, yi = times(er - gr, ei - gi, w, at + 2)
        store(data, i + 2 * leg, yr)
        store(data, i + 2 * leg + 16, yi)
        yr, yi = times(fr - hi, fi + hr, w, at + 4)
        store(data, i + 3 * leg, yr)
        store(data, i + 3 * leg + 16, yi)


@njit(inline="always")
def _together(data, base, size, w):
    # One pass backward.
    leg = size // 4 * ROW
    first = (size - 4) // 2
    for j in range(size // 4):
        i, at = (base + j) * ROW, first + 6 * j
        ar, ai = load(data, i), load(data, i + 16)
        br, bi = _times_conjugate(load(data, i + leg), load(data, i + leg + 16), w, at)
        cr, ci = _times_conjugate(load(data, i + 2 * leg), load(data, i + 2 * leg + 16), w, at + 2)
        dr, di = _times_conjugate(load(data, i + 3 * leg), load(data, i + 3 * leg + 16), w, at + 4)
        er, ei, fr, fi = ar + cr, ai + ci, ar - cr, ai - ci
        gr, gi, hr, hi = br + dr, bi + di, br - dr, bi - di
        store(data, i, er + gr)
        store(data, i + 16, ei + gi)
        store(data, i + leg, fr - hi)
        store(data, i + leg + 16, fi + hr)
        store(data, i + 2 * leg, er - gr)
        store(data, i + 2 * leg + 16, ei - gi)
        store(data, i + 3 * leg, fr + hi)
        store(data, i + 3 * leg + 16, fi - hr)


@njit(nogil=True, cache=True)
def forward_cpu(data, n, w):
    """Transform (n, 2, 16), n a power of 4, in place, with `twiddles(n)`."""
    size = n
    while size > LEAF:
        for base in range(0, n, size):
            _apart(data, base, size, w)
        size //= 4
    for base in range(0, n, size):
        part = size
        while part >= 4:
            for start in range(base, base + size, part):
                _apart(data, start, part, w)
            part //= 4


@njit(nogil=True, cache=True)
def backward_cpu(data, n, w):
    """Undo `forward_cpu`, but for a factor of n."""
    size = n
    while size > LEAF:
        size //= 4
    for base in range(0, n, size):
        part = 4
        while part <= size:
            for start in range(base, base + size, part):
                _together(data, start, part, w)
            part *= 4
    while size < n:
        size *= 4
        for base in range(0, n, size):
            _together(data, base, size, w)
