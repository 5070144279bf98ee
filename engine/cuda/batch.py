"""A batch of drafts made on a CUDA device, which stays there: what `loader.SliceDataset` makes of them on the host.

The caller's thread waits once, for what the host has to know: which items failed, gains, boxes. No sample and no pixel
comes down, but for the masks of images whose objects have outlines, and what a step needs that runs alone on the host.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch

from sliceforge.engine import collate
from sliceforge.engine.collate import Form
from sliceforge.engine.cuda import clips, pictures
from sliceforge.engine.cuda.clips import Banks
from sliceforge.engine.cuda.device import check
from sliceforge.engine.cuda.joined import joined
from sliceforge.engine.cuda.upload import upload
from sliceforge.engine.drafts import Draft
from sliceforge.engine.errors import InputError
from sliceforge.engine.gates import Made
from sliceforge.engine.outcome import Outcome, facts
from sliceforge.engine.scene import BROUGHT

if TYPE_CHECKING:
    from sliceforge.engine.stock import Share


def batch(
    shares: Sequence[Share],
    banks: Banks,
    some: Sequence[Draft],
    classes: Mapping[str, int],
    device: str,
    form: Form,
) -> dict[str, Any]:
    """What `SliceDataset.make` and then `batch` give, on the device, launched on torch's current stream.

    Items are within one step of 16 bit or one grey level of the host's. One that cannot be made is its parent as it
    was, with the reason. No gate is asked. The drafts are left as they are.

    Args:
        shares: the data set's.
        banks: the shelf of each share, or a `Resident` of it; sounds that went up stay for the next batch.
        some: drafts that are not made, at least one.
        classes: label → number.
        device: as torch names it.
        form: what the batch looks like.

    Returns:
        See `collate.batch`. Every tensor is on the device and belongs to the current stream: another one waits for an
        event of it, and says `record_stream`.

    Raises:
        SettingError: no such device, or a bank is missing.
    """
    check(device)
    recipes = [share.recipe for share in shares]
    with torch.no_grad(), nullcontext() if device == "cpu" else torch.cuda.device(device):
        if form.kind == "audio":
            audio, lengths, found = clips.made(recipes, banks, some, device, form.samples)
            words = _told(shares, some, found, classes)
            return {"audio": audio} | _aboard(words | {"length": torch.from_numpy(lengths)}, device)
        parts, found = pictures.made(recipes, banks, some, device)
        media = _images([part.formed(form) for part in parts], len(some))
        words = _told(shares, some, found, classes)
        words |= collate.boxes(words["row"], [draft.source.shape[:2] for draft in some], form)
        out = media | _aboard(words, device)
        return collate.wrapped(out) if form.tv else out


def _images(parts: Sequence[pictures.Part], count: int) -> dict[str, Any]:
    rows = [part.rows for part in parts]
    images = joined(rows, [part.images for part in parts], count)
    masks = [part.masks for part in parts if part.masks is not None]
    out: dict[str, Any] = {"image": [_as_read(one) for one in images] if isinstance(images, list) else _as_read(images)}
    return out | ({"mask": joined(rows, masks, count)} if masks else {})


def _as_read(image: torch.Tensor) -> torch.Tensor:
    return image.view(torch.uint16) if image.dtype == torch.int16 else image


def _told(
    shares: Sequence[Share], some: Sequence[Draft], found: clips.Found, classes: Mapping[str, int]
) -> dict[str, Any]:
    made = []
    for row, draft in enumerate(some):
        one = found.get(row)
        reason = one.reason if isinstance(one, InputError) else draft.reason
        made.append(replace(draft, reason=reason, facts=_facts(shares, draft, one)))
    return collate.told(made, classes)


def _facts(shares: Sequence[Share], draft: Draft, item: Made | InputError | None) -> dict[str, Any]:
    row = dict(draft.row)
    if isinstance(item, Made):
        share = shares[draft.share]
        return facts(share.recipe, Outcome(row, made=item), share.slice)
    if item is not None:
        row |= {"id": row["parent"], "variant": 0, "attempt": 0}
    mask, around = draft.marks
    masks = {} if mask is None else {BROUGHT: mask}
    as_it_was = Made(draft.source, draft.source, draft.rate, masks=masks, boxes=around)
    return facts(shares[0].recipe.untouched(), Outcome(row, made=as_it_was), None)


def _aboard(words: Mapping[str, Any], device: str) -> dict[str, Any]:
    """What is said of a batch, its numbers on the device: they go up in one copy."""
    up = {name: one.to(torch.int32).numpy() for name, one in words.items() if isinstance(one, torch.Tensor)}
    some = words.get("boxes", [])
    edges = {"boxes": torch.cat(some).numpy()} if some else {}
    there = upload(up | edges, device)
    out = {name: there[name].to(torch.bool if name == "made" else torch.int64) for name in up}
    parted = {"boxes": list(there["boxes"].split([len(one) for one in some]))} if some else {}
    return {**words, **out, **parted}
