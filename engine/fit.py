"""Images of one size, which a batch needs: cut, filled or stretched."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from sliceforge.engine.errors import SettingError, did_you_mean

WAYS = ("pad", "crop", "stretch")


def sides(size: object) -> tuple[int, int] | None:
    """(height, width) of a `size` as a recipe or a caller says it, or None.

    Raises:
        SettingError: it is no size.

    >>> sides(224), sides({"height": 128, "width": 256}), sides((128, 256)), sides(None)
    ((224, 224), (128, 256), (128, 256), None)
    """
    if size is None:
        return None
    both: Any = (size, size)
    if isinstance(size, Mapping):
        both = size.get("height"), size.get("width")
    elif isinstance(size, list | tuple):
        both = tuple(size)
    if len(both) != 2 or any(isinstance(one, bool) or not isinstance(one, int) or one < 1 for one in both):
        raise SettingError(f"size: {size!r}: expected pixels or (height, width), such as size=224")
    return both[0], both[1]


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
    scaled = covering(own, (height, width), way)
    if scaled != own:
        image = _scaled(image, *scaled)
    if scaled == (height, width):
        return image
    out = np.zeros((height, width, *image.shape[2:]), image.dtype)
    (top, y, rows), (left, x, columns) = (middle(a, b) for a, b in zip(scaled, (height, width), strict=True))
    out[y : y + rows, x : x + columns] = image[top : top + rows, left : left + columns]
    return out


def covering(own: tuple[int, ...], size: tuple[int, int], way: str) -> tuple[int, ...]:
    """(height, width) that an image is scaled to before it is cut or filled; see `fitted`."""
    if way == "stretch":
        return size
    if way == "pad" or own == size:
        return own
    scale = max(size[0] / own[0], size[1] / own[1])
    return max(size[0], round(own[0] * scale)), max(size[1], round(own[1] * scale))


def moved(boxes: np.ndarray, own: tuple[int, ...], size: tuple[int, int], way: str) -> np.ndarray:
    """Boxes (N, 4), x0, y0, x1, y1, of an image of `own` (height, width), as they lie in what `fitted` makes of it.

    They are cut at its edges; one that lies outside has no area left.
    """
    scaled = covering(own, size, way)
    (top, y, _), (left, x, _) = (middle(a, b) for a, b in zip(scaled, size, strict=True))
    scale = np.array([scaled[1] / own[1], scaled[0] / own[0]] * 2)
    shifted = boxes * scale + np.array([x - left, y - top] * 2)
    cut: np.ndarray = np.clip(shifted, 0, np.array([size[1], size[0]] * 2))
    return cut


def middle(own: int, wanted: int) -> tuple[int, int, int]:
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
