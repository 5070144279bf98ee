"""A batch on its way from a worker: small tensors by value, a list of images or boxes as one tensor.

Torch hands every tensor over by an open file of its own, in half a millisecond of two processes' time.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch

SMALL = 1 << 14
"""Bytes up to which a tensor goes through the pipe: that takes microseconds."""


@dataclass
class Several:
    """A list of tensors of one type, end to end.

    Args:
        data: (N,), or an array of it where that is small.
        shapes: of each.
    """

    data: Any
    shapes: list[tuple[int, ...]]


@dataclass
class Stowed:
    """A batch whose tensors are stowed.

    Args:
        parts: its values: arrays stand for small tensors, `Several` for lists.
    """

    parts: dict[str, Any]

    @classmethod
    def of(cls, batch: Mapping[str, Any]) -> Stowed:
        """A batch, stowed."""
        return cls({name: _stowed(value) for name, value in batch.items()})

    def batch(self) -> dict[str, Any]:
        """The batch as it was."""
        return {name: _whole(value) for name, value in self.parts.items()}

    def pin_memory(self) -> Stowed:
        """With what is large in page-locked memory; a DataLoader with `pin_memory` asks."""
        return Stowed({name: _pinned(value) for name, value in self.parts.items()})


def _stowed(value: Any) -> Any:
    if isinstance(value, torch.Tensor):
        return value.numpy() if value.nbytes <= SMALL else value
    some = value if isinstance(value, list) else []
    if not some or not all(isinstance(one, torch.Tensor) and one.dtype == some[0].dtype for one in some):
        return value
    return Several(_stowed(torch.cat([one.reshape(-1) for one in some])), [tuple(one.shape) for one in some])


def _whole(value: Any) -> Any:
    if isinstance(value, Several):
        ends = _whole(value.data).split([math.prod(shape) for shape in value.shapes])
        return [one.view(shape) for one, shape in zip(ends, value.shapes, strict=True)]
    return value if isinstance(value, torch.Tensor | list) else torch.from_numpy(value)


def _pinned(value: Any) -> Any:
    if isinstance(value, Several):
        return replace(value, data=_pinned(value.data))
    return value.pin_memory() if isinstance(value, torch.Tensor) else value
