"""What loader workers hand to the training process, and batches of what is made of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from sliceforge.engine import fit, making, read, regions


@dataclass
class Draft:
    """An item that is drawn and read, or made already.

    Args:
        share: the share that makes it, or −1 for an original.
        row: its plan row.
        source: its parent as it was read: (T,) float32, or (H, W, C) uint8 or uint16.
        rate: hertz; 0 for images.
        marks: the mask and the boxes that an image brings along.
        item: what was made of it.
        mask: (H, W) bool, what the recipe's paints and the parent's label cover.
        facts: its row as a manifest has it.
        reason: why it is not what was drawn: a reason of rejects.parquet, or empty.
    """

    share: int
    row: Mapping[str, Any]
    source: np.ndarray
    rate: int = 0
    marks: regions.Marks = (None, None)
    item: np.ndarray | None = None
    mask: np.ndarray | None = None
    facts: dict[str, Any] = field(default_factory=dict)
    reason: str = ""

    def read(self) -> making.Source:
        """What was read of it, as `making.make` takes it."""
        return making.Source(self.source, self.rate, *self.marks)


@dataclass
class Packed:
    """Drafts whose parents lie in one tensor: torch hands each tensor over by an open file, of which there are few.

    Args:
        data: all parents' bytes.
        drafts: the drafts without their parents.
        shapes: the parents' shapes and types.
    """

    data: torch.Tensor
    drafts: list[Draft]
    shapes: list[tuple[tuple[int, ...], str]]


def pack(drafts: Sequence[Draft]) -> Packed:
    """Drafts that are not made yet, as one tensor and what goes with it."""
    flat = [np.ascontiguousarray(draft.source).reshape(-1).view(np.uint8) for draft in drafts]
    shapes = [(draft.source.shape, draft.source.dtype.str) for draft in drafts]
    bare = [
        Draft(draft.share, draft.row, np.empty(0), draft.rate, draft.marks, reason=draft.reason) for draft in drafts
    ]
    return Packed(torch.from_numpy(np.concatenate(flat)), bare, shapes)


def unpack(packed: Packed) -> list[Draft]:
    """The drafts that were packed; their parents are copies."""
    at = 0
    for draft, (shape, kind) in zip(packed.drafts, packed.shapes, strict=True):
        size = int(np.prod(shape)) * np.dtype(kind).itemsize
        draft.source = packed.data[at : at + size].numpy().copy().view(kind).reshape(shape)
        at += size
    return packed.drafts


def batch(
    drafts: Sequence[Draft], kind: str, classes: Mapping[str, int], size: tuple[int, int] | None, way: str
) -> dict[str, Any]:
    """A batch of made drafts.

    Args:
        drafts: each with its item.
        kind: audio or image.
        classes: label → number.
        size: (height, width) that images are brought to, or None: a list where they differ.
        way: `fit.WAYS`.

    Returns:
        `audio` (B, T) float32 and `length` (B,), or `image` (B, C, H, W) of the items' own type and, where the
        drafts have masks, `mask` (B, H, W) bool; `target` (B,) int64, −1 where a label is no single class; `made`
        (B,) bool; lists `id`, `label`, `reason` and `row`.
    """
    facts = [draft.facts for draft in drafts]
    labels = [one.get("label") for one in facts]
    out: dict[str, Any] = {
        "id": [one["id"] for one in facts],
        "label": labels,
        "target": torch.tensor([classes.get(label or "", -1) for label in labels]),
        "made": torch.tensor([draft.share >= 0 and not draft.reason for draft in drafts]),
        "reason": [draft.reason for draft in drafts],
        "row": facts,
    }
    items = [draft.item for draft in drafts if draft.item is not None]
    if kind == "audio":
        return read.pad(items) | out
    masks = [draft.mask for draft in drafts if draft.mask is not None]
    if size:
        items, masks = ([fit.fitted(one, *size, way) for one in some] for some in (items, masks))
    images = [torch.from_numpy(np.ascontiguousarray(one.transpose(2, 0, 1))) for one in items]
    out["image"] = _stacked(images)
    if masks:
        out["mask"] = _stacked([torch.from_numpy(mask) for mask in masks])
    return out


def moved(batch: Mapping[str, Any], device: str) -> dict[str, Any]:
    """A batch with its tensors on a device; lists of tensors too, and everything else as it is."""

    def there(value: Any) -> Any:
        if isinstance(value, list) and value and isinstance(value[0], torch.Tensor):
            return [there(one) for one in value]
        return value.to(device) if isinstance(value, torch.Tensor) else value

    return {name: there(value) for name, value in batch.items()}


def _stacked(tensors: list[torch.Tensor]) -> torch.Tensor | list[torch.Tensor]:
    same = len({(one.shape, one.dtype) for one in tensors}) == 1
    return torch.stack(tensors) if same else tensors
