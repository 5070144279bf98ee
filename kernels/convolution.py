"""Convolution by overlap and save, thirty-two blocks of a clip at a time, two in each of sixteen complex lanes.

A response is cut into parts of one block each (Stockham, 1966; Gardner, 1995): a block's output is the sum of the
parts' spectra times those of as many blocks before it, which are the lanes to its left.
"""

import numpy as np
from numba import njit

from sliceforge.engine.cache import install
from sliceforge.kernels.fourier import ROW, backward_cpu, forward_cpu, times
from sliceforge.kernels.lanes import load, splat, store, turn

install()

WINDOW = 64
"""Float32 of one frequency in `before`: real parts of sixteen earlier blocks and of sixteen, then imaginary ones."""

MOST_PARTS = 17
"""Parts of a response: a block and the sixteen before it."""


@njit(nogil=True, cache=True)
def gather_cpu(x, start, step, apart, data, n):
    """Fill (n, 2, 16): lane k with the n samples of x from start + k · step on, and with those `apart` further on."""
    for part in range(2):
        for row in range(0, n, 16):
            turn(x, start + apart * part + row, step, data, row * ROW + 16 * part, ROW)


@njit(nogil=True, cache=True)
def scatter_cpu(data, skip, step, apart, y, start):
    """Write rows skip … skip + step of (n, 2, 16) to where `gather_cpu` would read them; 16 divides `step`."""
    for part in range(2):
        for row in range(0, step, 16):
            turn(data, (skip + row) * ROW + 16 * part, ROW, y, start + apart * part + row, step)


@njit(nogil=True, cache=True)
def multiply_cpu(data, n, response):
    """Multiply (n, 2, 16) by one spectrum, (2n,) float32, real and imaginary parts in turn."""
    for f in range(n):
        i = f * ROW
        re, im = times(load(data, i), load(data, i + 16), response, 2 * f)
        store(data, i, re)
        store(data, i + 16, im)


@njit(nogil=True, cache=True)
def remember_cpu(data, n, before):
    """Make (n, 2, 16) the later half of the windows (n, 2, 32), and their later half the earlier one."""
    for f in range(n):
        i, j = f * ROW, f * WINDOW
        store(before, j, load(before, j + 16))
        store(before, j + 16, load(data, i))
        store(before, j + 32, load(before, j + 48))
        store(before, j + 48, load(data, i + 16))


@njit(nogil=True, cache=True)
def combine_cpu(before, n, response, parts, data):
    """Fill (n, 2, 16) with Σ response[part] · the blocks that came `part` earlier; the response is (n, parts, 2)."""
    zero = splat(np.float32(0))
    for f in range(n):
        re, im = zero, zero
        for part in range(parts):
            j = f * WINDOW + 16 - part
            yr, yi = times(load(before, j), load(before, j + 32), response, 2 * (f * parts + part))
            re, im = re + yr, im + yi
        store(data, f * ROW, re)
        store(data, f * ROW + 16, im)


@njit(nogil=True, cache=True)
def convolve_cpu(x, response, n, step, apart, rounds, w, data, y):
    """Convolve with a response of up to n − step + 1 samples: y[t] = Σ h[k] · x[t + n − step − k].

    Args:
        x: float32, as long as y and n − step more; what comes before the clip is 0.
        response: (2n,) float32, its spectrum over n, in the order of `forward_cpu`.
        n: points of a block.
        step: samples of output of a block, a multiple of 16.
        apart: samples from a lane's first to its second block.
        rounds: times that 32 blocks are taken.
        w: `twiddles(n)`.
        data: scratch, (n · 32,) float32.
        y: output, float32.
    """
    for turn_ in range(rounds):
        start = turn_ * 32 * step
        gather_cpu(x, start, step, apart, data, n)
        forward_cpu(data, n, w)
        multiply_cpu(data, n, response)
        backward_cpu(data, n, w)
        scatter_cpu(data, n - step, step, apart, y, start)


@njit(nogil=True, cache=True)
def convolve_parts_cpu(x, response, n, parts, apart, rounds, w, data, before, y):
    """The same with a response of up to parts · n/2 samples, `step` being n/2.

    Lane k of round r holds block 16r + k of the clip, and, `apart` further on, one of its second half.

    Args:
        x: float32, with 16.5 n/2 more samples than y: 16 blocks before the clip, and one half.
        response: (n, parts, 2) float32, flat.
        before: scratch, (n · 64,) float32.
        n, parts, apart, rounds, w, data, y: as above.
    """
    step = n // 2
    for turn_ in range(-1, rounds):
        start = (turn_ + 1) * 16 * step
        gather_cpu(x, start, step, apart, data, n)
        forward_cpu(data, n, w)
        remember_cpu(data, n, before)
        if turn_ < 0:
            continue
        combine_cpu(before, n, response, parts, data)
        backward_cpu(data, n, w)
        scatter_cpu(data, step, step, apart, y, start - 16 * step)


@njit(nogil=True, cache=True)
def spread_cpu(spectrum, order, n, out):
    """Write the spectra (P, n/2 + 1) of real parts, over n and in an order, as (n, P, 2) float32, flat."""
    for part in range(len(spectrum)):
        for row in range(n):
            f = order[row]
            at = 2 * (row * len(spectrum) + part)
            value = spectrum[part, min(f, n - f)]
            out[at] = value.real / n
            out[at + 1] = (value.imag if 2 * f <= n else -value.imag) / n
