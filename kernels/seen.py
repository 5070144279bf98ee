"""An image as attributes look at it: its grey, and what brings it down to few numbers, worked out once."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from sliceforge.kernels.contrast import grey


class Seen:
    """An image.

    Args:
        pixels: (H, W, C) uint8 or uint16.
        mask: (H, W) bool, where its label is, or None where nothing says so.
    """

    def __init__(self, pixels: np.ndarray, mask: np.ndarray | None = None) -> None:
        self.pixels, self.mask = pixels, mask

    @cached_property
    def grey(self) -> np.ndarray:
        """(H, W) float64, the mean of the channels in grey levels of 255."""
        return grey(self.pixels)

    @cached_property
    def light(self) -> tuple[float, float, float, float] | None:
        """a, b, c, d of grey ≈ a + b·s + c·t + d·r², by least squares.

        s and t run from −½ to ½ across the image and down it, r from 0 in the middle to 1 in the corners. None below
        3 × 3 pixels.
        """
        height, width = self.grey.shape
        if min(height, width) < 3:
            return None
        t, s = (np.linspace(-0.5, 0.5, count) for count in (height, width))
        squares = (np.square(s)[None] * (width - 1) ** 2 + np.square(t)[:, None] * (height - 1) ** 2) * 4
        squares = squares / ((width - 1) ** 2 + (height - 1) ** 2)
        # The three are orthogonal to each other once the mean of r² is away, so that each is fitted by itself.
        level = float(self.grey.mean())
        b = float(self.grey.sum(axis=0) @ s / (height * (s @ s)))
        c = float(self.grey.sum(axis=1) @ t / (width * (t @ t)))
        middle = float(squares.mean())
        squares -= middle
        d = float((self.grey * squares).sum() / np.square(squares).sum())
        return level - d * middle, b, c, d

    @cached_property
    def structure(self) -> tuple[float, float, float]:
        """The structure tensor xx, yy, xy: means of the products of the grey's central differences; 0 below 3 × 3."""
        if min(self.grey.shape) < 3:
            return 0.0, 0.0, 0.0
        across = (self.grey[1:-1, 2:] - self.grey[1:-1, :-2]) / 2
        down = (self.grey[2:, 1:-1] - self.grey[:-2, 1:-1]) / 2
        return float(np.mean(across * across)), float(np.mean(down * down)), float(np.mean(across * down))
