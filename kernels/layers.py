"""Pictures laid over pictures: channels matched, cut out, varied, and what of it can be seen."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from scipy import ndimage

from sliceforge.kernels.placing import Window

Laid = tuple[np.ndarray, np.ndarray]
"""An image (H, W, C) float32, and where it changed, (H, W) bool."""

COLOURS = 3
"""Channels that are laid over; a fourth, alpha, is left as it is."""

_LUMA = np.array([0.299, 0.587, 0.114])
_SLACK = 1e-6
"""By this much float32 may fall short of a whole grey level."""


def each(batch: dict[str, Any], plan: Mapping[str, Any], lay: Callable[..., Laid]) -> dict[str, Any]:
    """What `lay` (an image (H, W, C), its bank item or None, its plan row) makes of every image, and `painted`."""
    import torch

    made, painted = [], []
    banks = batch.get("bank") or [None] * len(batch["image"])
    for i, (image, item) in enumerate(zip(batch["image"], banks, strict=True)):
        row = {name: column[i] if isinstance(column, list) else column[i].item() for name, column in plan.items()}
        pixels, mask = lay(image.numpy().transpose(1, 2, 0), item, row)
        made.append(torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1))))
        painted.append(torch.from_numpy(mask))
    return {**batch, "image": torch.stack(made), "painted": torch.stack(painted)}


def like(picture: np.ndarray, channels: int) -> np.ndarray:
    """A picture (H, W, C) float with so many channels: grey is the mean, colour from grey three times the same."""
    if picture.shape[2] == channels:
        return picture
    return np.repeat(picture.mean(axis=2, keepdims=True), channels, axis=2)


def finished(image: np.ndarray, at: Window, values: np.ndarray, above: float, smooth: int = 0) -> Laid:
    """The image with `values` (h, w, C) in a window where they can be seen, and where that is; elsewhere as it was.

    Args:
        above: grey levels of 255; seen is what a channel changed by at least so much, and what lies inside of that.
        smooth: side of a median filter over what is seen; 0: none.
    """
    out, painted = image.copy(), np.zeros(image.shape[:2], bool)
    old = image[at][..., : values.shape[2]]
    # A camera saturates: the value stays in 0…1, or where it was outside already.
    new = np.minimum(np.maximum(values, np.minimum(old, 0)), np.maximum(old, 1)).astype(np.float32)
    seen = np.abs(new - old).max(axis=2) >= above / 255 - _SLACK
    if smooth:
        seen &= ndimage.median_filter(seen.view(np.uint8), smooth, mode="constant").view(bool)
    painted[at] = ndimage.binary_fill_holes(seen)
    out[at][..., : values.shape[2]] = np.where(painted[at][..., None], new, old)
    return out, painted


def resized(picture: np.ndarray, at: Window, size: tuple[int, int]) -> np.ndarray:
    """A window of a picture (H, W, C) brought to `size` by linear interpolation, (h, w, C) float32."""
    ratio = np.array([(part.stop - part.start) / wanted for part, wanted in zip(at, size, strict=True)])
    start = np.array([part.start for part in at]) + (ratio - 1) / 2
    return _mapped(picture, ratio, start, size)


def turned(picture: np.ndarray, degrees: float, size: tuple[int, int]) -> np.ndarray:
    """A picture (H, W, C) stretched to `size` and turned about its middle, clockwise, mirrored beyond its edges."""
    ratio = np.array(picture.shape[:2]) / size
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    turn = ratio[:, None] * np.array([[cos, -sin], [sin, cos]])
    start = (np.array(picture.shape[:2]) - 1) / 2 - turn @ ((np.array(size) - 1) / 2)
    return _mapped(picture, turn, start, size)


def _mapped(picture: np.ndarray, turn: np.ndarray, start: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    out = np.empty((*size, picture.shape[2]), np.float32)
    for k in range(picture.shape[2]):
        ndimage.affine_transform(picture[..., k], turn, start, size, out[..., k], order=1, mode="mirror")
    return out


def jittered(
    picture: np.ndarray, brightness: float, contrast: float, saturation: float = 1.0, hue: float = 0.0
) -> np.ndarray:
    """(H, W, C) float64: brightness a factor, contrast about the mean, saturation about grey, hue in turns.

    Hue turns the chroma of YIQ; of one channel saturation and hue change nothing. Nothing is cut to 0…1.
    """
    values = picture.astype(np.float64) * brightness
    if picture.shape[2] == 3:
        grey = (values * _LUMA).sum(axis=2, keepdims=True)
        values = (grey + saturation * (values - grey)) @ _hue(hue).T
    else:
        grey = values
    return contrast * values + (1 - contrast) * grey.mean()


def _hue(turns: float) -> np.ndarray:
    """(3, 3): RGB → RGB with chroma turned; grey is kept."""
    to = np.array([_LUMA, [0.596, -0.274, -0.322], [0.211, -0.523, 0.312]])
    cos, sin = math.cos(2 * math.pi * turns), math.sin(2 * math.pi * turns)
    found: np.ndarray = np.linalg.inv(to) @ np.array([[1, 0, 0], [0, cos, -sin], [0, sin, cos]]) @ to
    return found
