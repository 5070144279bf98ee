"""What the host has to know of a batch, and how it gets there: one copy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from sliceforge.engine.cuda.upload import TYPES

_TYPES: dict[torch.dtype, Any] = {there: here for here, there in TYPES.items()}


def download(tensors: Sequence[torch.Tensor]) -> list[np.ndarray]:
    """The same on the host, in one copy; waits for what torch's current stream has been given so far.

    Args:
        tensors: float32, int32 or uint8, all on one device.
    """
    if not tensors:
        return []
    # Torch looks at strides even where one number has none to speak of.
    flat = [one.reshape(-1).clone(memory_format=torch.contiguous_format).view(torch.uint8) for one in tensors]
    octets = torch.cat(flat).cpu().numpy()
    ends = np.cumsum([one.nbytes for one in tensors])
    parts = [octets[end - one.nbytes : end] for one, end in zip(tensors, ends, strict=True)]
    return [part.view(_TYPES[one.dtype]).reshape(one.shape) for one, part in zip(tensors, parts, strict=True)]
