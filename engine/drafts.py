"""What loader workers hand to the training process: items that are drawn and read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch

from sliceforge.engine import making, regions

ALIGNED = 64
"""Bytes that parents in one tensor begin at a multiple of."""


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

    def pin_memory(self) -> Packed:
        """In page-locked memory, from where a device copies while others work; a DataLoader with `pin_memory` asks."""
        return replace(self, data=self.data.pin_memory())


def pack(drafts: Sequence[Draft]) -> Packed:
    """Drafts that are not made yet, as one tensor and what goes with it."""
    shapes = [(draft.source.shape, draft.source.dtype.str) for draft in drafts]
    ends = np.cumsum([-(-draft.source.nbytes // ALIGNED) * ALIGNED for draft in drafts])
    data = np.zeros(int(ends[-1]) if len(ends) else 0, np.uint8)
    for draft, end in zip(drafts, ends, strict=True):
        size = draft.source.nbytes
        begin = end - -(-size // ALIGNED) * ALIGNED
        data[begin : begin + size] = np.ascontiguousarray(draft.source).reshape(-1).view(np.uint8)
    bare = [replace(draft, source=np.empty(0)) for draft in drafts]
    return Packed(torch.from_numpy(data), bare, shapes)


def unpack(packed: Packed) -> list[Draft]:
    """The drafts that were packed; their parents lie where they were packed to."""
    at, data, found = 0, packed.data.numpy(), []
    for draft, (shape, kind) in zip(packed.drafts, packed.shapes, strict=True):
        size = int(np.prod(shape)) * np.dtype(kind).itemsize
        found.append(replace(draft, source=data[at : at + size].view(kind).reshape(shape)))
        at += -(-size // ALIGNED) * ALIGNED
    return found
