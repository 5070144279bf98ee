"""Single passes over a clip: its energy and peak, products, sums, the finished samples in whole steps of 16 bits."""

import numpy as np
from numba import njit

from sliceforge.engine.cache import install
from sliceforge.kernels.lanes import lane, larger, load, rounded, size, smaller, splat, store

install()

PCM, ONE_STEP = np.float32(32768), np.float32(1 / 32768)
LOWEST, HIGHEST = np.float32(-32768), np.float32(32767)
ZERO, ONE = np.float32(0), np.float32(1)


# A sum over a clip may be taken in any fixed order, which lets several be taken beside each other.
@njit(nogil=True, cache=True, error_model="numpy", fastmath={"contract", "reassoc", "nsz"})
def product_cpu(a, b):
    """Σ a·b of two clips (T,), in double precision."""
    total = 0.0
    for i in range(len(a)):
        total += np.float64(a[i]) * np.float64(b[i])
    return total


@njit(inline="always")
def _greatest(peaks):
    most = ZERO
    for k in range(16):
        most = max(most, lane(peaks, k))
    return most


@njit(nogil=True, cache=True)
def peak_cpu(a, scale_a, b, scale_b):
    """The greatest |scale_a · a + scale_b · b| of two clips (T,) float32."""
    peaks, left, right = splat(ZERO), splat(scale_a), splat(scale_b)
    whole = len(a) // 16 * 16
    for i in range(0, whole, 16):
        peaks = larger(peaks, size(left * load(a, i) + right * load(b, i)))
    most = _greatest(peaks)
    for i in range(whole, len(a)):
        most = max(most, abs(scale_a * a[i] + scale_b * b[i]))
    return most


@njit(nogil=True, cache=True)
def add_cpu(a, scale_a, b, scale_b, out):
    """out = scale_a · a + scale_b · b, all (T,) float32; out may be one of them."""
    left, right = splat(scale_a), splat(scale_b)
    whole = len(a) // 16 * 16
    for i in range(0, whole, 16):
        store(out, i, left * load(a, i) + right * load(b, i))
    for i in range(whole, len(a)):
        out[i] = scale_a * a[i] + scale_b * b[i]


@njit(nogil=True, cache=True)
def finish_cpu(a, scale_a, b, scale_b, out):
    """out = scale_a · a + scale_b · b, cut off at full scale, in whole steps of 16 bits, half to even.

    Returns:
        Whether every sum was finite.
    """
    left, right, low, high = splat(scale_a), splat(scale_b), splat(LOWEST), splat(HIGHEST)
    full, step, wrong = splat(PCM), splat(ONE_STEP), splat(ZERO)
    whole = len(a) // 16 * 16
    for i in range(0, whole, 16):
        total = left * load(a, i) + right * load(b, i)
        wrong = wrong + (total - total)  # 0, or not a number from then on
        store(out, i, step * smaller(larger(rounded(total * full), low), high))
    bad = ZERO
    for k in range(16):
        bad += lane(wrong, k)
    for i in range(whole, len(a)):
        total = scale_a * a[i] + scale_b * b[i]
        bad += total - total
        out[i] = min(max(np.float32(np.rint(total * PCM)), LOWEST), HIGHEST) * ONE_STEP
    return bad == ZERO


@njit(nogil=True, cache=True)
def clipped_cpu(x, full):
    """How many of (T,) float32 lie at −1 or below, or at `full` or above."""
    count = 0
    for value in x:
        count += value >= full or value <= -ONE
    return count
