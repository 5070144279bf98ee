"""Out of focus: a Gaussian blur, mirrored at the borders."""

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from sliceforge.engine.op import Apply, Real, setting
from sliceforge.kernels.resample import beyond

_REACH = 4.0  # sigmas


@dataclass(frozen=True)
class Blur(Apply):
    """Convolution with exp(−(x² + y²)/(2σ²)), cut at 4 σ and of sum one.

    Args:
        sigma: pixels; 0 changes nothing.

    Batch:
        image (B, C, H, W) float32. Sums are added tap by tap, so that no batch or thread changes a bit.
    """

    kind: ClassVar[str] = "image"
    batched_exact: ClassVar[bool] = True

    sigma: Real = setting(["log", 0.4, 2], "pixels", low=0, high=100)

    def apply(self, batch: dict[str, Any], /, **plan: Any) -> dict[str, Any]:
        """The image blurred, along x and then along y."""
        sigmas = np.asarray(plan["sigma"].cpu(), np.float64)
        reach = math.ceil(_REACH * sigmas.max())
        weights = np.zeros((len(sigmas), 2 * reach + 1), np.float32)
        for row, sigma in zip(weights, sigmas, strict=True):
            own = math.ceil(_REACH * sigma)
            row[reach - own : reach + own + 1] = _gaussian(sigma, own)
        return {**batch, "image": _along(_along(batch["image"], weights, 3), weights, 2)}


def _gaussian(sigma: float, reach: int) -> np.ndarray:
    if reach == 0:
        return np.ones(1)
    bell = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    return bell / bell.sum()


def _along(image: Any, weights: np.ndarray, axis: int) -> Any:
    import torch

    size, taps = image.shape[axis], weights.shape[1]
    index = torch.from_numpy(beyond(size, taps // 2)).to(image.device)
    padded = image.index_select(axis, index)
    factors = torch.from_numpy(weights).to(image.device)[:, :, None, None, None]
    out, part = torch.zeros_like(image), torch.empty_like(image)
    for tap in range(taps):
        # Two roundings, never one fused multiply-add: vector and scalar loops then agree.
        torch.mul(padded.narrow(axis, tap, size), factors[:, tap], out=part)
        out += part
    return out
