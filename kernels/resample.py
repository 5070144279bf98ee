"""Bilinear resampling through a matrix or at given positions; images are mirrored at borders, coverage ends there."""

import math

import numpy as np
from numba import njit

from sliceforge.engine.cache import install

install()


@njit(inline="always")
def mirrored(i, size):
    """The index that lies at i when the row is continued as its mirror image, ends not repeated (reflect_101)."""
    if 0 <= i < size:
        return i
    if size == 1:
        return 0
    i = abs(i) % (2 * size - 2)
    return i if i < size else 2 * size - 2 - i


@njit(inline="always")
def blended(a, b, c, d, right, down):
    """Bilinear between a b (upper) and c d (lower); exactly `a` where both weights are 0."""
    upper = a + (b - a) * right
    lower = c + (d - c) * right
    return upper + (lower - upper) * down


@njit(inline="always")
def source(matrix, x, y):
    """The source position, in float64, that output pixel (x, y) shows."""
    scale = matrix[2, 0] * x + matrix[2, 1] * y + matrix[2, 2]
    return (
        (matrix[0, 0] * x + matrix[0, 1] * y + matrix[0, 2]) / scale,
        (matrix[1, 0] * x + matrix[1, 1] * y + matrix[1, 2]) / scale,
    )


@njit(inline="always")
def _corners(sx, sy, height, width):
    # Two rows, two columns, and the weights of the second ones.
    left, top = math.floor(sx), math.floor(sy)
    rows, columns = (
        (mirrored(top, height), mirrored(top + 1, height)),
        (mirrored(left, width), mirrored(left + 1, width)),
    )
    return rows, columns, np.float32(sx - left), np.float32(sy - top)


@njit(inline="always")
def _covered(cover, sx, sy):
    height, width = cover.shape
    zero = np.float32(0)
    left, top = math.floor(sx), math.floor(sy)
    upper, lower = 0 <= top < height, 0 <= top + 1 < height
    west, east = 0 <= left < width, 0 <= left + 1 < width
    a = cover[top, left] if upper and west else zero
    b = cover[top, left + 1] if upper and east else zero
    c = cover[top + 1, left] if lower and west else zero
    d = cover[top + 1, left + 1] if lower and east else zero
    return blended(a, b, c, d, np.float32(sx - left), np.float32(sy - top))


@njit(cache=True)
def resample_image_cpu(image, matrix, out):
    """(H, W, C) float32 through an output → source matrix; beyond the border lies the image's mirror."""
    height, width, channels = image.shape
    for y in range(height):
        for x in range(width):
            sx, sy = source(matrix, x, y)
            (i0, i1), (j0, j1), right, down = _corners(sx, sy, height, width)
            for k in range(channels):
                four = image[i0, j0, k], image[i0, j1, k], image[i1, j0, k], image[i1, j1, k]
                out[y, x, k] = blended(four[0], four[1], four[2], four[3], right, down)


@njit(cache=True)
def resample_cover_cpu(cover, matrix, out):
    """(H, W) float32 coverage through an output → source matrix; beyond the border lies nothing."""
    height, width = cover.shape
    for y in range(height):
        for x in range(width):
            sx, sy = source(matrix, x, y)
            out[y, x] = _covered(cover, sx, sy)


@njit(cache=True)
def carry_cpu(x, y, matrix):
    """Positions x and y (N,) float64 through a matrix, in place."""
    for n in range(len(x)):
        x[n], y[n] = source(matrix, x[n], y[n])


@njit(cache=True)
def gather_image_cpu(image, x, y, out):
    """(H, W, C) float32 as seen at the source positions x and y, (H, W) float64; mirrored beyond the border."""
    height, width, channels = image.shape
    for row in range(height):
        for column in range(width):
            (i0, i1), (j0, j1), right, down = _corners(x[row, column], y[row, column], height, width)
            for k in range(channels):
                four = image[i0, j0, k], image[i0, j1, k], image[i1, j0, k], image[i1, j1, k]
                out[row, column, k] = blended(four[0], four[1], four[2], four[3], right, down)


@njit(cache=True)
def gather_cover_cpu(cover, x, y, out):
    """(H, W) float32 coverage as seen at the source positions x and y, (H, W) float64; nothing beyond the border."""
    height, width = cover.shape
    for row in range(height):
        for column in range(width):
            out[row, column] = _covered(cover, x[row, column], y[row, column])


def beyond(size: int, reach: int) -> np.ndarray:
    """(size + 2 · reach,) int64: the indices of a row that is continued by its mirror image on both sides.

    >>> beyond(3, 2).tolist()
    [2, 1, 0, 1, 2, 1, 0]
    """
    i = np.abs(np.arange(-reach, size + reach)) % max(2 * size - 2, 1)
    return np.where(i < size, i, 2 * size - 2 - i)
