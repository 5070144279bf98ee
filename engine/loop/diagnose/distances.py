"""How far two labels of the same thing are apart, from 0 to 1, the same both ways."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
from scipy.optimize import linear_sum_assignment

from sliceforge.engine.errors import SettingError
from sliceforge.engine.loop.rows.spoken import edits


def nominal(a: Hashable, b: Hashable) -> float:
    """0 for the same class, else 1."""
    return float(a != b)


def of_masks(a: np.ndarray, b: np.ndarray) -> float:
    """1 − IoU of two masks (H, W); two empty ones agree. Masks of two sizes lie corner on corner."""
    a, b = np.asarray(a) > 0, np.asarray(b) > 0
    if a.ndim != 2 or b.ndim != 2:
        raise SettingError(f"agreement: masks {a.shape} and {b.shape}; expected (H, W), for example (128, 128)")
    height, width = min(a.shape[0], b.shape[0]), min(a.shape[1], b.shape[1])
    both = int(np.count_nonzero(a[:height, :width] & b[:height, :width]))
    either = int(np.count_nonzero(a)) + int(np.count_nonzero(b)) - both
    return 1 - both / either if either else 0.0


def of_boxes(a: np.ndarray, b: np.ndarray) -> float:
    """Sets of boxes (A, 4) and (B, 4), x0 y0 x1 y1, matched as well as they can be.

    (Σ over matched pairs of 1 − IoU, plus 1 for each box without a partner) / max(A, B); two empty sets agree.
    """
    a, b = _boxes(a), _boxes(b)
    most = max(len(a), len(b))
    if not most or not min(len(a), len(b)):
        return float(most > 0)
    overlaps = ious(a, b)
    return 1 - float(overlaps[linear_sum_assignment(overlaps, maximize=True)].sum()) / most


def ious(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(A, B) intersection over union of boxes (A, 4) and (B, 4)."""
    low, high = np.maximum(a[:, None, :2], b[:, :2]), np.minimum(a[:, None, 2:], b[:, 2:])
    both = np.clip(high - low, 0, None).prod(axis=2)
    sizes = [(boxes[:, 2:] - boxes[:, :2]).prod(axis=1) for boxes in (a, b)]
    either = sizes[0][:, None] + sizes[1] - both
    return np.divide(both, either, out=np.zeros_like(both), where=either > 0)


def _boxes(boxes: np.ndarray) -> np.ndarray:
    array = np.asarray(boxes, np.float64)
    if not array.size:
        return np.zeros((0, 4))
    if array.ndim != 2 or array.shape[1] != 4 or not np.isfinite(array).all() or (array[:, 2:] < array[:, :2]).any():
        given = " ".join(repr(array.tolist())[:80].split())
        raise SettingError(f"agreement: boxes {given}; expected rows of x0 y0 x1 y1, for example [[0, 0, 10, 20]]")
    return array


def of_words(a: str | Sequence[str], b: str | Sequence[str]) -> float:
    """Words inserted, deleted and replaced / words of the longer transcript; two empty ones agree.

    >>> of_words("turn the light on", "turn light on")
    0.25
    """
    a, b = (one.split() if isinstance(one, str) else list(one) for one in (a, b))
    return edits(a, b) / max(len(a), len(b)) if a or b else 0.0
