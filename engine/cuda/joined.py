"""Parts of a batch, made apart, in the batch's order."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from sliceforge.engine.cuda.upload import upload


def joined(
    rows: Sequence[Sequence[int]], parts: Sequence[torch.Tensor], count: int
) -> torch.Tensor | list[torch.Tensor]:
    """A batch (B, …), or a list where items differ in shape or type.

    Args:
        rows: of the batch, for each part; a later part takes the place of an earlier one.
        parts: (n, …) each, on one device.
        count: B; the parts have every row.
    """
    if len({(part.shape[1:], part.dtype) for part in parts}) > 1:
        alone = {row: one for own, part in zip(rows, parts, strict=True) for row, one in zip(own, part, strict=True)}
        return [alone[row] for row in range(count)]
    if len(parts) == 1 and list(rows[0]) == list(range(count)):
        return parts[0]
    out = torch.empty((count, *parts[0].shape[1:]), dtype=parts[0].dtype, device=parts[0].device)
    place(out, rows, parts)
    return out


def place(out: torch.Tensor, rows: Sequence[Sequence[int]], parts: Sequence[torch.Tensor]) -> None:
    """Write parts (n, …) into the rows of a batch (B, …); of clips (n, T), as much as has room."""
    order = upload({"rows": np.concatenate(rows).astype(np.int32)}, str(out.device))["rows"].to(torch.int64)
    for own, part in zip(order.split([len(some) for some in rows]), parts, strict=True):
        if out.ndim == 2:
            count = min(part.shape[1], out.shape[1])
            out[:, :count].index_copy_(0, own, part[:, :count])
        else:
            out.index_copy_(0, own, part)
