"""Images and masks of one size brought to another where they are, as `engine/fit.py` does it, and tight boxes."""

from __future__ import annotations

import torch

from sliceforge.engine import fit

MOST_BYTES = 1 << 30
"""Of float32 that are scaled at a time."""


def fitted(images: torch.Tensor, height: int, width: int, way: str) -> torch.Tensor:
    """Images (N, C, H, W), or masks (N, H, W) bool, as ones of `height` × `width` pixels.

    Args:
        images: uint8, int16 that holds the bits of uint16 (torch adds, copies and scales few uint16), or bool.
        height, width: pixels.
        way: `fit.WAYS`.
    """
    own, size = tuple(images.shape[-2:]), (height, width)
    scaled = fit.covering(own, size, way)
    if scaled != own:
        images = _scaled(images, *scaled)
    if scaled == size:
        return images
    edges = *_edges(images.shape[-1], width), *_edges(images.shape[-2], height)
    return torch.nn.functional.pad(images, edges)


def _edges(own: int, wanted: int) -> tuple[int, int]:
    """Pixels that are added before and after, or taken away where they are negative.

    >>> _edges(5, 8), _edges(8, 5)
    ((1, 2), (-1, -2))
    """
    source, target, _ = fit.middle(own, wanted)
    return target - source, wanted - own - target + source


def _scaled(images: torch.Tensor, height: int, width: int) -> torch.Tensor:
    planes = images if images.ndim == 4 else images[:, None]
    bytes_of_one = 4 * planes[0].numel() if len(planes) else 1
    made = [_resized(some, height, width) for some in planes.split(max(1, MOST_BYTES // bytes_of_one))]
    out = torch.cat(made)
    return out if images.ndim == 4 else out[:, 0]


def _resized(planes: torch.Tensor, height: int, width: int) -> torch.Tensor:
    wide = planes.to(torch.int32) & 0xFFFF if planes.dtype == torch.int16 else planes
    values = wide.to(torch.float32).contiguous()
    scaled = torch.nn.functional.interpolate(values, (height, width), mode="bilinear", antialias=True)
    return scaled >= 0.5 if planes.dtype == torch.bool else whole(scaled, planes.dtype)


def whole(values: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    """Values rounded half to even and cut, as uint8, or as int16 that holds the bits of uint16."""
    top = 0xFF if dtype == torch.uint8 else 0xFFFF
    return values.round().clamp(0, top).to(torch.int32).to(dtype)


def boxes(masks: torch.Tensor) -> torch.Tensor:
    """x0, y0, x1, y1 in pixel edges around what is set in masks (…, H, W), (…, 4) int32; all 0 where nothing is."""
    across, down = _ends(masks.any(-2)), _ends(masks.any(-1))
    return torch.stack([across[0], down[0], across[1], down[1]], -1).to(torch.int32)


def _ends(line: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The first place that is set of each line (…, N), and one past the last."""
    count = line.shape[-1]
    places = torch.arange(count, device=line.device)
    past = torch.where(line.bool(), places + 1, 0).amax(-1)
    return torch.where(line.bool(), places, count).amin(-1).minimum(past), past
