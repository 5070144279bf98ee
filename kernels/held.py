"""Poisson blending in a region of any shape, around which everything is held."""

import numpy as np
from numba import njit

from sliceforge.engine.cache import install
from sliceforge.kernels.poisson import kept_cpu

install()

TOLERANCE = 1e-14
"""Mean square of what conjugate gradients leave of the equations, values being 0…1."""


def blend_within(under: np.ndarray, over: np.ndarray, inside: np.ndarray, mixed: bool = False) -> np.ndarray:
    """As `poisson.blend`, with every pixel that is not inside held as it is: nothing changes but there.

    The gradients from an inner pixel to all its neighbours are those of `over`. Where the picture ends nothing is held.
    It takes a sparse system and conjugate gradients (Hestenes, Stiefel, 1952) in place of a rectangle and sines.
    """
    height, width, channels = under.shape
    down, right = np.empty((height, width), np.float32), np.empty((height, width), np.float32)
    kept_cpu(under, over, np.ones((height, width), bool), mixed, down, right)
    out, change = under.copy(), np.zeros((height, width))
    for c in range(channels):
        within_cpu((over - under)[..., c].astype(np.float64), down, right, inside, change)
        out[..., c] += change.astype(np.float32)
    return out


@njit(error_model="numpy", nogil=True, cache=True)
def within_cpu(apart, down, right, inside, out):
    """e into out (h, w) float64: least squares of (gradient of e) − weight · (gradient of apart), 0 outside.

    Args:
        apart: (h, w) float64.
        down, right: (h, w) float32, weights of the edges to the next pixel below and to the right.
        inside: (h, w) bool.
    """
    height, width = apart.shape
    number = np.full((height, width), -1, np.int64)
    count = 0
    for i in range(height):
        for j in range(width):
            if inside[i, j]:
                number[i, j] = count
                count += 1
    links, degree, rest = np.full((count, 4), -1, np.int64), np.zeros(count), np.zeros(count)
    for i in range(height):
        for j in range(width):
            p = number[i, j]
            for side in range(4):
                k, m = i + (side == 0) - (side == 1), j + (side == 2) - (side == 3)
                if p < 0 or k < 0 or m < 0 or k == height or m == width:
                    continue
                weight = down[min(i, k), j] if side < 2 else right[i, min(j, m)]
                links[p, side] = number[k, m]
                degree[p] += 1
                rest[p] -= weight * (apart[k, m] - apart[i, j])
    found = _conjugate_cpu(links, degree, rest)
    for i in range(height):
        for j in range(width):
            out[i, j] = found[number[i, j]] if inside[i, j] else 0.0


@njit(error_model="numpy", nogil=True, cache=True)
def _conjugate_cpu(links, degree, rest):
    # degree · e − the sum of its neighbours' e = rest, from e = 0 on; `rest` becomes what is left.
    count = len(rest)
    found, way, image = np.zeros(count), rest.copy(), np.empty(count)
    left = 0.0
    for p in range(count):
        left += rest[p] * rest[p]
    for _ in range(4 * count):
        if left <= count * TOLERANCE:
            break
        along = 0.0
        for p in range(count):
            total = degree[p] * way[p]
            for side in range(4):
                q = links[p, side]
                if q >= 0:
                    total -= way[q]
            image[p] = total
            along += total * way[p]
        if along <= 0:
            break
        step, before, left = left / along, left, 0.0
        for p in range(count):
            found[p] += step * way[p]
            rest[p] -= step * image[p]
            left += rest[p] * rest[p]
        for p in range(count):
            way[p] = rest[p] + left / before * way[p]
    return found
