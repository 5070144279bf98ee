"""How far a mark stands out of what it was painted on, in grey levels of 255."""

import numpy as np


def grey(image: np.ndarray) -> np.ndarray:
    """Mean over channels, (…) float64 in grey levels of 255, of (…, C) uint8 or uint16.

    Channel by channel, which is ten times as fast as `mean`.
    """
    total = np.zeros(image.shape[:-1])
    for channel in range(image.shape[-1]):
        total += image[..., channel]
    return total * (255 / np.iinfo(image.dtype).max / image.shape[-1])


def core(change: np.ndarray) -> float:
    """The median of |change| (N,) where it reaches half of its own 95th percentile: faint tails do not count."""
    return float(np.median(change[change >= np.quantile(change, 0.95) / 2]))


def contrast(parent: np.ndarray, item: np.ndarray, mask: np.ndarray) -> float:
    """`core` of |item − parent| inside a mask.

    Args:
        parent, item: (H, W, C) uint8 or uint16, of one type.
        mask: (H, W) bool, not empty.
    """
    return core(np.abs(grey(item[mask]) - grey(parent[mask])))


def changed(parent: np.ndarray, item: np.ndarray) -> np.ndarray:
    """(H, W), by how many steps that channel changed which changed most.

    Args:
        parent, item: (H, W, C) uint8 or uint16, of one shape and type.
    """
    change = np.maximum(parent, item) - np.minimum(parent, item)
    most = change[..., 0]
    for channel in range(1, change.shape[-1]):
        most = np.maximum(most, change[..., channel])
    return most
