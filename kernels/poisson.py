"""Poisson blending: a picture laid into another so that its gradients stay and no step is left around it.

The values u whose gradients come closest to those of `over` inside and of `under` elsewhere, and which are `under` on
the rim of a rectangle: with e = u − under, Δe = div g, g = ∇(over − under) inside and 0 elsewhere, e = 0 on the rim
(Pérez, Gangnet, Blake, "Poisson image editing", 2003). The rectangle's Δ is diagonal in sines, so that fast sine
transforms solve it exactly.
"""

from functools import lru_cache
from typing import Any

import numpy as np
from numba import njit
from scipy import fft

from sliceforge.engine.cache import install

install()


def blend(
    under: np.ndarray,
    over: np.ndarray,
    inside: np.ndarray,
    mixed: bool = False,
    cut: tuple[bool, ...] = (False, False, False, False),
) -> np.ndarray:
    """`under` (h, w, C) float32 with `over` (h, w, C) blended in, a new array of the same shape; its rim stays.

    Args:
        inside: (h, w) bool: from where it is set to the next pixel right and below, the gradient is that of `over`, as
            OpenCV's seamlessClone has it.
        mixed: of the two gradients the greater counts inside (by its square summed over channels): texture that is
            stronger below shows through.
        cut: top, bottom, left, right: sides where the picture itself ends. Nothing is held there: values go on as in a
            mirror.
    """
    height, width = under.shape[:2]
    pads = ((height * cut[0], height * cut[1]), (width * cut[2], width * cut[3]))
    parts = [under, over, inside]
    if any(cut):
        parts = [np.pad(part, (*pads, (0, 0))[: part.ndim], mode="symmetric") for part in parts]
    below, above, where = (np.ascontiguousarray(part) for part in parts)
    if min(below.shape[:2]) < 3:
        return under.copy()
    charge = np.empty((below.shape[2], below.shape[0] - 2, below.shape[1] - 2), np.float32)
    charges_cpu(below, above, where, mixed, charge)
    change = np.zeros((charge.shape[0], *below.shape[:2]), np.float32)
    change[:, 1:-1, 1:-1] = solve(charge)
    change = change[:, pads[0][0] : pads[0][0] + height, pads[1][0] : pads[1][0] + width]
    blended: np.ndarray = under + change.transpose(1, 2, 0)
    return blended


def solve(charge: np.ndarray) -> np.ndarray:
    """e (…, h, w) float32 with Δe = charge, of the five-point Δ, and 0 all around; on one thread.

    Sines along the rows leave a tridiagonal system along each column (Hockney, 1965).
    """
    spectrum = fft.dst(charge, 1, axis=-1, norm="ortho")
    _columns_cpu(spectrum.reshape(-1, *charge.shape[-2:]), _pivots(*charge.shape[-2:]))
    found: np.ndarray = fft.dst(spectrum, 1, axis=-1, norm="ortho", overwrite_x=True)
    return found


@lru_cache(maxsize=64)
def _pivots(height: int, width: int) -> np.ndarray:
    """(h, w) float32: 1/pivot of each row of each column's system, whose diagonal is 2 cos(πb/(w + 1)) − 4."""
    pivots, above = np.empty((height, width), np.float32), np.zeros(width)
    diagonal = 2 * np.cos(np.pi * np.arange(1, width + 1) / (width + 1)) - 4
    for i in range(height):
        above = 1 / (diagonal - above)
        pivots[i] = above
    pivots.flags.writeable = False
    return pivots


@njit(error_model="numpy", nogil=True, cache=True)
def _columns_cpu(values, pivots):
    # Elimination downwards and substitution upwards in each picture of (B, h, w), in place, columns beside each other.
    count, height, width = values.shape
    for b in range(count):
        for j in range(width):
            values[b, 0, j] *= pivots[0, j]
        for i in range(1, height):
            for j in range(width):
                values[b, i, j] = (values[b, i, j] - values[b, i - 1, j]) * pivots[i, j]
        for i in range(height - 2, -1, -1):
            for j in range(width):
                values[b, i, j] -= pivots[i, j] * values[b, i + 1, j]


@njit(error_model="numpy", nogil=True, cache=True)
def kept_cpu(under, over, inside, mixed, down, right):
    """Where the edge from a pixel to the next one below, or to its right, takes the gradient of `over`: 1; else 0."""
    height, width, channels = under.shape
    for i in range(height):
        for j in range(width):
            down[i, j] = inside[i, j] and i + 1 < height
            right[i, j] = inside[i, j] and j + 1 < width
            if not mixed:
                continue
            below, beside = np.float32(0), np.float32(0)
            for c in range(channels):
                if down[i, j]:
                    a, b = under[i + 1, j, c] - under[i, j, c], over[i + 1, j, c] - over[i, j, c]
                    below += b * b - a * a
                if right[i, j]:
                    a, b = under[i, j + 1, c] - under[i, j, c], over[i, j + 1, c] - over[i, j, c]
                    beside += b * b - a * a
            down[i, j] *= below > 0
            right[i, j] *= beside > 0


@njit(error_model="numpy", nogil=True, cache=True)
def charges_cpu(under, over, inside, mixed, out):
    """div g at each pixel but the rim's, into out (C, h − 2, w − 2), of float32 (h, w, C) and bool (h, w)."""
    height, width, channels = under.shape
    down, right = np.empty((height, width), np.float32), np.empty((height, width), np.float32)
    kept_cpu(under, over, inside, mixed, down, right)
    apart = np.empty((height, width), np.float32)
    for c in range(channels):
        for i in range(height):
            for j in range(width):
                apart[i, j] = over[i, j, c] - under[i, j, c]
        for i in range(1, height - 1):
            for j in range(1, width - 1):
                here = apart[i, j]
                total = right[i, j] * (apart[i, j + 1] - here) + right[i, j - 1] * (apart[i, j - 1] - here)
                total += down[i, j] * (apart[i + 1, j] - here) + down[i - 1, j] * (apart[i - 1, j] - here)
                out[c, i - 1, j - 1] = total


def blend_batch(under: Any, over: Any, inside: Any, mixed: bool = False) -> Any:
    """Many pictures of one size at once, on whichever device they are; the rim is that of the pictures.

    Args:
        under, over: (B, h, w, C) float32 tensors.
        inside: (B, h, w) bool.
        mixed: as in `blend`.
    """
    import torch

    if under.device.type != "cpu":
        return blend_torch(under, over, inside, mixed)
    count, height, width, channels = under.shape
    out = under.clone()
    if min(height, width) < 3:
        return out
    below, above, where = (one.contiguous().numpy() for one in (under, over, inside))
    charge = np.empty((count, channels, height - 2, width - 2), np.float32)
    for i in range(count):
        charges_cpu(below[i], above[i], where[i], mixed, charge[i])
    out[:, 1:-1, 1:-1] += torch.from_numpy(solve(charge)).permute(0, 2, 3, 1)
    return out


def blend_torch(under: Any, over: Any, inside: Any, mixed: bool = False) -> Any:
    """`blend_batch` in torch alone, by sine transforms along both axes: no loop over rows."""
    import torch

    apart, charge, out = over - under, torch.zeros_like(under), under.clone()
    if min(under.shape[1:3]) < 3:
        return out
    for axis in (1, 2):
        size = under.shape[axis] - 1
        edge = inside.narrow(axis, 0, size)
        if mixed:
            old, new = (torch.diff(one, dim=axis).square().sum(3) for one in (under, over))
            edge = edge & (new > old)
        g = torch.diff(apart, dim=axis) * edge[..., None]
        charge.narrow(axis, 0, size).add_(g)
        charge.narrow(axis, 1, size).sub_(g)
    spectrum = _sines(charge[:, 1:-1, 1:-1])
    down, right = (
        2 * torch.cos(torch.pi * torch.arange(1, size + 1, device=under.device) / (size + 1)) - 2
        for size in spectrum.shape[1:3]
    )
    out[:, 1:-1, 1:-1] += _sines(spectrum / (down[:, None] + right)[..., None])
    return out


def _sines(values: Any) -> Any:
    """The orthonormal sine transform, type 1, of axes 1 and 2: the imaginary part of an odd sequence's spectrum."""
    import torch

    for axis in (1, 2):
        size = values.shape[axis]
        rim = torch.zeros_like(values.narrow(axis, 0, 1))
        odd = torch.cat([rim, values, rim, -values.flip(axis)], dim=axis)
        values = -torch.fft.rfft(odd, dim=axis).imag.narrow(axis, 1, size) / np.sqrt(2 * (size + 1))
    return values
