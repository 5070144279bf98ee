"""Steps that run alone, `Apply`: torch code on a batch of one item, on one thread, so that its bytes stay the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from sliceforge.engine.op import Apply
from sliceforge.engine.read import pad

if TYPE_CHECKING:
    pass


def apply_sound(op: Apply, audio: np.ndarray, rate: int, draws: Mapping[str, Any], bank: Any = None) -> np.ndarray:
    """What a step makes of a clip (T,) float32; the length may change.

    Args:
        op: the step.
        audio: the clip.
        rate: hertz.
        draws: the step's own plan values.
        bank: what the plan's `item` names, or None.
    """
    import torch

    batch = pad([audio]) | {"rate": torch.tensor([rate])}
    with _one_thread():
        out = op.apply(batch | ({} if bank is None else {"bank": [bank]}), **_columns(draws))
    return np.ascontiguousarray(out["audio"][0, : int(out["length"][0])].numpy())


def apply_image(
    op: Apply,
    image: np.ndarray,
    masks: np.ndarray,
    boxes: np.ndarray,
    draws: Mapping[str, Any],
    bank: Any = None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray | None]:
    """What a step makes of an image (H, W, C) float32, its masks (K, H, W) bool and its boxes (N, 4).

    Returns:
        The same three, and what the step painted, (H, W) bool, or None.
    """
    import torch

    batch: dict[str, Any] = {
        "image": torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1)))[None],
        "mask": torch.from_numpy(np.ascontiguousarray(masks))[None],
        "boxes": torch.from_numpy(np.ascontiguousarray(boxes, np.float64))[None],
    }
    with _one_thread():
        out = op.apply(batch | ({} if bank is None else {"bank": [bank]}), **_columns(draws))
    made = np.ascontiguousarray(out["image"][0].numpy().transpose(1, 2, 0))
    painted = out["painted"][0].numpy() if "painted" in out else None
    return made, out.get("mask", batch["mask"])[0].numpy(), out.get("boxes", batch["boxes"])[0].numpy(), painted


def _columns(draws: Mapping[str, Any]) -> dict[str, Any]:
    """Plan values as the columns of a batch of one: tensors, or lists of words."""
    import torch

    words = {name: [value] for name, value in draws.items() if isinstance(value, str) or value is None}
    numbers = {name: torch.as_tensor([value]) for name, value in draws.items() if name not in words}
    return {name: words.get(name, numbers.get(name)) for name in draws}


@contextmanager
def _one_thread() -> Iterator[None]:
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.no_grad():
            yield
    finally:
        torch.set_num_threads(threads)
