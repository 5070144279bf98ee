"""The clips of a batch on a device: originals go up in one copy, and what is made of the others stays there."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import torch

from sliceforge.engine.cuda import sound
from sliceforge.engine.cuda.bank import Resident
from sliceforge.engine.cuda.download import download
from sliceforge.engine.cuda.joined import place
from sliceforge.engine.cuda.upload import stacked, upload
from sliceforge.engine.errors import InputError
from sliceforge.engine.gates import Made
from sliceforge.engine.sound import PCM
from sliceforge.engine.supply import Shelf

if TYPE_CHECKING:
    from sliceforge.engine.drafts import Draft
    from sliceforge.engine.recipe import Recipe

Found = dict[int, Made | InputError]
"""Row of a batch → its item, or why there is none; the row has its parent then."""

Banks = Sequence[Resident | Shelf | None]


def made(
    recipes: Sequence[Recipe], banks: Banks, some: Sequence[Draft], device: str, samples: int | None
) -> tuple[torch.Tensor, np.ndarray, Found]:
    """Audio (B, T) float32, zeros behind each clip; samples of each (B,) int32, on the host; what was made.

    Items stand for their length alone: their samples are on the device.

    Args:
        recipes, banks: of each share.
        some: drafts that are not made.
        device: as torch names it.
        samples: T, which clips are cut or filled to; None: the longest.
    """
    batches: dict[int, tuple[list[int], sound.Batch]] = {}
    parts: list[tuple[list[int], torch.Tensor]] = []
    for share in sorted({draft.share for draft in some}):
        rows = [row for row, draft in enumerate(some) if draft.share == share]
        if share < 0:
            parts.append((rows, _as_read(some, rows, device)))
            continue
        own = [some[row] for row in rows]
        clips, rates = [draft.source for draft in own], [draft.rate for draft in own]
        plans = [draft.row for draft in own]
        batches[share] = rows, sound.make(recipes[share], clips, rates, plans, banks[share], device)
        parts.append((rows, batches[share][1].audio))
    found = _known(recipes, some, batches)
    failed = [row for row, one in found.items() if isinstance(one, InputError)]
    parts += [(failed, _as_read(some, failed, device))] if failed else []
    lengths = np.array([_length(draft, found.get(row)) for row, draft in enumerate(some)], np.int32)
    most = int(lengths.max()) if samples is None else samples
    audio = torch.zeros((len(some), most), device=device)
    place(audio, *zip(*parts, strict=True))
    return audio, np.minimum(lengths, most), found


def _known(
    recipes: Sequence[Recipe], some: Sequence[Draft], batches: Mapping[int, tuple[list[int], sound.Batch]]
) -> Found:
    """What the host has to know of each item, brought down in one copy."""
    down = iter(download([one for _, batch in batches.values() for one in (batch.status, batch.gain)]))
    found = Found()
    for share, (rows, batch) in batches.items():
        status, gains = next(down), next(down)
        wrong = replace(batch, status=torch.from_numpy(status)).wrong()
        for n, row in enumerate(rows):
            found[row] = wrong[n] if n in wrong else _item(recipes[share], some[row], batch.length[n], float(gains[n]))
    return found


def _as_read(some: Sequence[Draft], rows: Sequence[int], device: str) -> torch.Tensor:
    """Clips as they were read, (n, T) in whole steps of 16 bit."""
    there = upload({"clips": stacked([some[row].source for row in rows])}, device)["clips"]
    return there.mul_(PCM).round_().clamp_(-PCM, PCM - 1).div_(PCM)


def _item(recipe: Recipe, draft: Draft, length: int, gain: float) -> Made:
    known = gain if sound.proportional(recipe, draft.row) else math.nan
    return Made(draft.source, np.broadcast_to(np.float32(0), (int(length),)), draft.rate, known)


def _length(draft: Draft, item: Made | InputError | None) -> int:
    return len(item.item) if isinstance(item, Made) else len(draft.source)
