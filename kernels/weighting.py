"""Energy of a clip behind a filter, from its correlation with itself over the time for which the filter rings.

Σ|h ∗ x|² = Σ w·r over all lags, w being the correlation of h with itself and r that of x. Blocks beside each other give
r, in spectra of a fixed size: no transform grows with the clip, and weights are worked out once for a rate.
"""

import numpy as np
from numba import njit

from sliceforge.engine.cache import install
from sliceforge.kernels.convolution import gather_cpu
from sliceforge.kernels.fourier import ROW, forward_cpu, order, twiddles
from sliceforge.kernels.lanes import lane, load, repeat, splat, store

install()

LONGEST = 0.1
"""Seconds of correlation that are counted at least."""

LANES = 15
"""Blocks beside each other of which the next one lies in the next lane."""


def points(rate: int) -> int:
    """The power of 4 whose half holds the longest lag."""
    n = 256
    while n < 2 * LONGEST * rate:
        n *= 4
    return n


def weights(power: np.ndarray, n: int) -> np.ndarray:
    """What `energies` needs to know of one filter, (n, 2) float32.

    Args:
        power: (M,) float64, |H|² from 0 to half the rate, much finer than n/2.
        n: `points` of the rate.
    """
    lags = np.fft.irfft(power)[: n // 2]
    lags[1:] *= 2
    spectrum = np.fft.fft(lags, n)[order(n)] / n
    return np.stack([spectrum.real, spectrum.imag], 1).astype(np.float32)


@njit(nogil=True, cache=True)
def sum_cpu(data, n, rows, first, second, out):
    """Add to (16, 2) float64 each lane's energies under two weights, (2n,) float32 each, from (n, 2, 16) spectra.

    Lane k is a block and lane k + 1 the one after it; what is found for the last lane means nothing.
    """
    zero = splat(np.float32(0))
    # Float32 sums are kept short: what a filter leaves may be a millionth of the whole.
    for start in range(0, n, 64):
        one, other = zero, zero
        for f in range(start, start + 64):
            i = f * ROW
            re, im, sign = load(data, i), load(data, i + 16), repeat(rows, f)
            both_re, both_im = re + sign * load(data, i + 1), im + sign * load(data, i + 17)
            along, across = re * both_re + im * both_im, re * both_im - im * both_re
            one = one + (along * repeat(first, 2 * f) + across * repeat(first, 2 * f + 1))
            other = other + (along * repeat(second, 2 * f) + across * repeat(second, 2 * f + 1))
        for k in range(16):
            out[k, 0] += np.float64(lane(one, k))
            out[k, 1] += np.float64(lane(other, k))


@njit(nogil=True, cache=True)
def energies_cpu(x, blocks, n, rows, first, second, w, data, out):
    """Fill (16, 2) float64 with the energies of 2 · `blocks` blocks of n/2 samples, up to 15 lanes of two each.

    Args:
        x: float32, with a block's room and 17 blocks more behind what is counted.
        blocks: lanes that are filled; a lane's second block lies as many further on.
        n: points.
        rows: (n,) float32, 1 or −1 as the frequency of a row is even or odd.
        first, second: `weights`, flat.
        w: `twiddles(n)`.
        data: scratch, (n · 32 + 16,) float32.
        out: (16, 2) float64.
    """
    step = n // 2
    zero = splat(np.float32(0))
    gather_cpu(x, 0, step, blocks * step, data, step)
    for i in range(step * ROW, n * ROW, 16):
        store(data, i, zero)
    store(data, n * ROW, zero)
    forward_cpu(data, n, w)
    out[:] = 0.0
    sum_cpu(data, n, rows, first, second, out)


class Weighting:
    """Two filters at one rate.

    Args:
        first, second: (M,) float64, |H|² of each from 0 to half the rate.
        rate: hertz.
    """

    def __init__(self, first: np.ndarray, second: np.ndarray, rate: int) -> None:
        self.n = points(rate)
        self._first, self._second = (weights(power, self.n).ravel() for power in (first, second))
        self._rows = np.where(order(self.n) % 2, -1, 1).astype(np.float32)

    def energies(self, x: np.ndarray) -> tuple[float, float]:
        """Σ|h ∗ x|² of a clip (T,) under each filter, which starts from rest and rings out."""
        n, step = self.n, self.n // 2
        room = 2 * LANES * step
        data, lanes, total = np.empty(n * ROW + 16, np.float32), np.empty((16, 2)), np.zeros(2)
        for start in range(0, len(x), room):
            count = min(room, len(x) - start)
            blocks = -(-count // (2 * step))
            part = np.zeros((blocks + 17) * step, np.float32)
            seen = x[start : start + 2 * blocks * step + step]
            part[: len(seen)] = seen
            energies_cpu(part, blocks, n, self._rows, self._first, self._second, twiddles(n), data, lanes)
            total += lanes[:blocks].sum(0)
        return max(float(total[0]), 0.0), max(float(total[1]), 0.0)
