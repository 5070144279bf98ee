"""Smeared: the scene moved along a straight line while the shutter was open."""

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from sliceforge.engine.op import Apply, Real, setting
from sliceforge.kernels.image.affine import turn
from sliceforge.kernels.resample import beyond

_FINE = 64  # points a pixel that the line is measured with


@dataclass(frozen=True)
class Motion(Apply):
    """Convolution with a centred line: each tap is the share of the line that lies in that pixel.

    Args:
        length: pixels; up to 1 changes nothing.
        angle: degrees from the x axis towards the y axis, which points down.

    Batch:
        image (B, C, H, W) float32, mirrored at the borders. Sums are added tap by tap, item by item.
    """

    kind: ClassVar[str] = "image"
    batched_exact: ClassVar[bool] = True

    length: Real = setting([2, 9], "pixels", low=0, high=1000)
    angle: Real = setting([-90, 90], "degrees", low=-360, high=360)

    def apply(self, batch: dict[str, Any], /, **plan: Any) -> dict[str, Any]:
        """The image smeared."""
        import torch

        rows = zip(batch["image"], plan["length"].tolist(), plan["angle"].tolist(), strict=True)
        return {**batch, "image": torch.stack([_smeared(image, line(length, angle)) for image, length, angle in rows])}


def line(length: float, angle: float) -> np.ndarray:
    """(N, N) float64 with N odd: the share of a centred line that lies in each pixel.

    >>> line(3.0, 90.0).round(2).tolist()
    [[0.0, 0.33, 0.0], [0.0, 0.33, 0.0], [0.0, 0.33, 0.0]]
    """
    cos, sin = turn(angle)
    count = 2 * math.ceil(_FINE * max(length, 1) / 2)
    along = ((np.arange(count) + 0.5) / count - 0.5) * length
    x, y = np.rint(along * cos).astype(np.int64), np.rint(along * sin).astype(np.int64)
    reach = int(max(np.abs(x).max(), np.abs(y).max()))
    shares = np.zeros((2 * reach + 1, 2 * reach + 1))
    np.add.at(shares, (y + reach, x + reach), 1 / count)
    return shares


def _smeared(image: Any, shares: np.ndarray) -> Any:
    import torch

    (height, width), reach = image.shape[1:], len(shares) // 2
    index = [torch.from_numpy(beyond(size, reach)).to(image.device) for size in (height, width)]
    padded = image.index_select(1, index[0]).index_select(2, index[1])
    out, part = torch.zeros_like(image), torch.empty_like(image)
    for y, x in zip(*np.nonzero(shares), strict=True):
        # Two roundings, never one fused multiply-add: vector and scalar loops then agree.
        torch.mul(padded[:, y : y + height, x : x + width], float(np.float32(shares[y, x])), out=part)
        out += part
    return out
