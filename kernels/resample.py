"""Bilinear resampling through a matrix, with mirrored borders for images and empty ones for coverage."""

import math

import numpy as np
from numba import njit
from numba.extending import register_jitable

from sliceforge.engine.cache import install

install()


@register_jitable
def mirrored(i, size):  # type: ignore[no-untyped-def]
    """The index that lies at i when the row is continued as its mirror image, ends not repeated (reflect_101)."""
    if size == 1:
        return 0
    i = abs(i) % (2 * size - 2)
    return i if i < size else 2 * size - 2 - i


@register_jitable
def blended(a, b, c, d, right, down):  # type: ignore[no-untyped-def]
    """Bilinear between a b (upper) and c d (lower); exactly `a` where both weights are 0."""
    upper = a + (b - a) * right
    lower = c + (d - c) * right
    return upper + (lower - upper) * down


@register_jitable
def source(matrix, x, y):  # type: ignore[no-untyped-def]
    """The source position, in float64, that output pixel (x, y) shows."""
    scale = matrix[2, 0] * x + matrix[2, 1] * y + matrix[2, 2]
    return (
        (matrix[0, 0] * x + matrix[0, 1] * y + matrix[0, 2]) / scale,
        (matrix[1, 0] * x + matrix[1, 1] * y + matrix[1, 2]) / scale,
    )


@njit(cache=True)
def resample_image_cpu(image, matrix, out):  # type: ignore[no-untyped-def]
    """(H, W, C) float32 through an output → source matrix; beyond the border lies the image's mirror."""
    height, width, channels = image.shape
    for y in range(height):
        for x in range(width):
            sx, sy = source(matrix, x, y)
            left, top = math.floor(sx), math.floor(sy)
            right, down = np.float32(sx - left), np.float32(sy - top)
            i0, i1 = mirrored(top, height), mirrored(top + 1, height)
            j0, j1 = mirrored(left, width), mirrored(left + 1, width)
            for k in range(channels):
                four = image[i0, j0, k], image[i0, j1, k], image[i1, j0, k], image[i1, j1, k]
                out[y, x, k] = blended(four[0], four[1], four[2], four[3], right, down)


@njit(cache=True)
def resample_cover_cpu(cover, matrix, out):  # type: ignore[no-untyped-def]
    """(H, W) float32 coverage through an output → source matrix; beyond the border lies nothing."""
    height, width = cover.shape
    zero = np.float32(0)
    for y in range(height):
        for x in range(width):
            sx, sy = source(matrix, x, y)
            left, top = math.floor(sx), math.floor(sy)
            upper, lower = 0 <= top < height, 0 <= top + 1 < height
            west, east = 0 <= left < width, 0 <= left + 1 < width
            a = cover[top, left] if upper and west else zero
            b = cover[top, left + 1] if upper and east else zero
            c = cover[top + 1, left] if lower and west else zero
            d = cover[top + 1, left + 1] if lower and east else zero
            out[y, x] = blended(a, b, c, d, np.float32(sx - left), np.float32(sy - top))
