"""What stands out from a picture's own background, where nobody has marked it."""

import numpy as np
from scipy import ndimage

CELLS = 24
"""Cells along the shorter side of the grid that the background is measured on."""

CLEAR, SURE = 4.0, 8.0
"""Noise levels by which a pixel of a defect, and at least one of its pixels, stand out."""

RIM = 0.25
"""Share of a defect's height, its 95th percentile, from which a pixel is not only blurred into."""

NEAR = 3
"""Pixels: what lies no further apart than twice this belongs together."""

LEAST, MOST = 6, 0.4
"""Pixels, and share of the picture, that a defect covers."""


def background(image: np.ndarray) -> np.ndarray:
    """The median in a window half the shorter side wide, (H, W, C) float32, of (H, W, C) float32.

    It is measured on a grid of cells and is smooth between them: it follows the light, and no defect that fills less
    than half of a window.
    """
    height, width, channels = image.shape
    cell = max(1, min(height, width) // CELLS)
    tilt = _plane(image)
    rows, columns = np.arange(0, height, cell), np.arange(0, width, cell)
    sums = np.add.reduceat(np.add.reduceat(image - tilt, rows, 0), columns, 1)
    sizes = np.outer(np.diff([*rows, height]), np.diff([*columns, width]))
    window = min(len(rows), len(columns)) // 2 | 1
    y = (np.arange(height) - (cell - 1) / 2) / cell
    x = (np.arange(width) - (cell - 1) / 2) / cell
    at = np.meshgrid(y, x, indexing="ij")
    smooth = tilt
    for k in range(channels):
        middle = ndimage.median_filter(sums[..., k] / sizes, window, mode="mirror")
        smooth[..., k] += ndimage.map_coordinates(middle, at, order=1, mode="nearest")
    return smooth.astype(np.float32)


def _plane(image: np.ndarray) -> np.ndarray:
    """(H, W, C) float64, the slope between the medians of the outer thirds: a window at a border cannot see it."""
    plane = np.zeros(image.shape)
    for axis in (0, 1):
        size = image.shape[axis]
        third = size // 3
        if third:
            ends = [
                np.median(np.take(image, part, axis), axis=(0, 1)) for part in (range(third), range(size - third, size))
            ]
            place = (np.arange(size) - (size - 1) / 2) / (size - third)
            plane += np.expand_dims(place, 1 - axis)[..., None] * (ends[1] - ends[0]).astype(np.float64)
    return plane


def stands_out(residual: np.ndarray, inside: np.ndarray | None = None) -> np.ndarray:
    """The one thing that stands out most, (H, W) bool; nothing is set where nothing does.

    Args:
        residual: (H, W, C), the picture less its background.
        inside: (H, W) bool, where to look; None: everywhere.
    """
    level = ndimage.gaussian_filter(residual.astype(np.float64).mean(axis=2), 1.0, mode="mirror")
    noise = max(1.4826 * float(np.median(np.abs(level - np.median(level)))), 0.25 / 255)
    height = np.abs(level) / noise
    hot = height >= CLEAR
    if inside is not None:
        hot &= inside
    groups, count = ndimage.label(ndimage.binary_dilation(hot, iterations=NEAR))
    if not count:
        return np.zeros(hot.shape, bool)
    index = np.arange(1, count + 1)
    weight = ndimage.sum_labels(np.where(hot, height, 0), groups, index)
    peak = ndimage.maximum(np.where(hot, height, 0), groups, index)
    best = int(np.argmax(np.where(peak >= SURE, weight, 0)))
    mask = hot & (groups == index[best])
    # Blurring has put a rim around it.
    mask &= height >= RIM * np.quantile(height[mask], 0.95)
    # A closing joins what one line of noise has cut apart.
    mask = ndimage.binary_fill_holes(ndimage.binary_closing(np.pad(mask, 4), iterations=3)[4:-4, 4:-4])
    enough = peak[best] >= SURE and mask.sum() >= LEAST and (inside is not None or mask.mean() <= MOST)
    return mask if enough else np.zeros(hot.shape, bool)
