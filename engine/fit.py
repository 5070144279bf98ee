"""Images of one size, which a batch needs: cut, filled or stretched."""

from __future__ import annotations

import numpy as np

from sliceforge.engine.errors import SettingError, did_you_mean

WAYS = ("pad", "crop", "stretch")


def sides(size: object) -> tuple[int, int] | None:
    """(height, width) of a recipe's `size`, or None.

    >>> sides(224), sides({"height": 128, "width": 256}), sides(None)
    ((224, 224), (128, 256), None)
    """
    if isinstance(size, dict):
        return int(size["height"]), int(size["width"])
    return (size, size) if isinstance(size, int) else None


def check(way: str) -> None:
    """Refuse another way than `WAYS`.

    Raises:
        SettingError: naming the near one.
    """
    if way not in WAYS:
        raise SettingError(f"fit: {way!r}: expected one of {', '.join(WAYS)}{did_you_mean(way, WAYS)}")


def fitted(image: np.ndarray, height: int, width: int, way: str) -> np.ndarray:
    """An image (H, W, C), or a mask (H, W) bool, as one of `height` × `width` pixels.

    Args:
        way: pad: in the middle of zeros, never scaled, cut where it is larger; crop: scaled until it covers, and the
            middle of it; stretch: scaled, sides apart.
    """
    own = image.shape[:2]
    if own == (height, width):
        return image
    if way == "stretch":
        return _scaled(image, height, width)
    if way == "crop":
        scale = max(height / own[0], width / own[1])
        image = _scaled(image, max(height, round(own[0] * scale)), max(width, round(own[1] * scale)))
    out = np.zeros((height, width, *image.shape[2:]), image.dtype)
    (top, y, rows), (left, x, columns) = (_middle(a, b) for a, b in zip(image.shape, (height, width), strict=False))
    out[y : y + rows, x : x + columns] = image[top : top + rows, left : left + columns]
    return out


def _middle(own: int, wanted: int) -> tuple[int, int, int]:
    """(first of the source, first of the target, how many)."""
    return max(0, (own - wanted) // 2), max(0, (wanted - own) // 2), min(own, wanted)


def _scaled(image: np.ndarray, height: int, width: int) -> np.ndarray:
    import torch

    values = torch.from_numpy(np.atleast_3d(image).astype(np.float32).transpose(2, 0, 1)[None].copy())
    out = torch.nn.functional.interpolate(values, (height, width), mode="bilinear", antialias=True)
    array = out[0].numpy().transpose(1, 2, 0).reshape(height, width, *image.shape[2:])
    if image.dtype == bool:
        return array >= 0.5
    return np.ascontiguousarray(np.rint(np.clip(array, 0, np.iinfo(image.dtype).max)).astype(image.dtype))
