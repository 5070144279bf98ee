"""Batches of made items: what they look like, and what they say."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from sliceforge.engine import fit, read
from sliceforge.engine.drafts import Draft
from sliceforge.engine.errors import SettingError


@dataclass(frozen=True)
class Form:
    """What batches look like.

    Args:
        kind: audio or image.
        size: (height, width) that images are brought to; None: a list where they differ.
        way: `fit.WAYS`.
        samples: what clips are cut or filled to; None: the longest of the batch.
        tv: images, masks and boxes as `torchvision.tv_tensors`.
        masked: each image has a mask, be it empty.
    """

    kind: str
    size: tuple[int, int] | None = None
    way: str = "crop"
    samples: int | None = None
    tv: bool = False
    masked: bool = False

    @classmethod
    def of(cls, kind: str, rate: int | None, size: object, way: str, seconds: float | None, tv: bool) -> Form:
        """The form that settings ask for.

        Raises:
            SettingError: one line.
        """
        fit.check(way)
        if seconds is None:
            return cls(kind, fit.sides(size), way, None, tv)
        if kind != "audio" or not rate:
            raise SettingError("seconds: needs clips at one rate, such as load('speech/car_noise', 'rate=16000')")
        known = isinstance(seconds, int | float) and not isinstance(seconds, bool) and math.isfinite(seconds)
        if not known or round(seconds * rate) < 1:
            raise SettingError(f"seconds: {seconds!r}: expected a length above 0, such as seconds=1.0")
        return cls(kind, None, way, round(seconds * rate), tv)


def batch(drafts: Sequence[Draft], classes: Mapping[str, int], form: Form) -> dict[str, Any]:
    """A batch of made drafts.

    Args:
        drafts: each with its item.
        classes: label → number.
        form: what it looks like.

    Returns:
        `audio` (B, T) float32 and `length` (B,); or `image` (B, C, H, W) of the items' own type, `boxes` (N, 4) float32
        of each, x0, y0, x1, y1 in pixels, `box_labels` of each, and where the drafts have masks `mask` (B, H, W) bool.
        `target` (B,) int64, −1 where a label is no single class; `made` (B,) bool; `share` (B,) int64, which share made
        each, −1 where none did; lists `id`, `parent`, `label`, `reason` and `row`.
    """
    out = told(drafts, classes)
    items = [draft.item for draft in drafts if draft.item is not None]
    if form.kind == "audio":
        return read.pad(items, form.samples) | out
    masks = [draft.mask for draft in drafts if draft.mask is not None]
    sides = [one.shape[:2] for one in items]
    if form.size:
        items, masks = ([fit.fitted(one, *form.size, form.way) for one in some] for some in (items, masks))
    images = [torch.from_numpy(np.ascontiguousarray(one.transpose(2, 0, 1))) for one in items]
    out |= {"image": _stacked(images)} | boxes(out["row"], sides, form)
    if masks:
        out["mask"] = _stacked([torch.from_numpy(mask) for mask in masks])
    return wrapped(out) if form.tv else out


def told(drafts: Sequence[Draft], classes: Mapping[str, int]) -> dict[str, Any]:
    """What a batch says of its items, beside them: see `batch`."""
    facts = [draft.facts for draft in drafts]
    labels = [one.get("label") for one in facts]
    return {
        "id": [one["id"] for one in facts],
        "parent": [one["parents"][0] if one["parents"] else one["id"] for one in facts],
        "label": labels,
        "target": torch.tensor([classes.get(label or "", -1) for label in labels]),
        "made": torch.tensor([draft.share >= 0 and not draft.reason for draft in drafts]),
        "share": torch.tensor([-1 if draft.reason else draft.share for draft in drafts]),
        "reason": [draft.reason for draft in drafts],
        "row": facts,
    }


def boxes(rows: Sequence[Mapping[str, Any]], sides: Sequence[tuple[int, ...]], form: Form) -> dict[str, Any]:
    """`boxes` and `box_labels` of a batch, as they lie in images of the batch's form.

    Args:
        rows: of the items.
        sides: (height, width) of each before it was brought to the form.
    """
    edges, labels = [], []
    for row, own in zip(rows, sides, strict=True):
        found = np.array(row.get("boxes") or (), np.float64).reshape(-1, 4)
        named = row.get("box_labels") or [None] * len(found)
        if form.size:
            found = fit.moved(found, own, form.size, form.way)
        there = np.all(found[:, :2] < found[:, 2:], axis=1)
        edges.append(torch.from_numpy(found[there].astype(np.float32)))
        labels.append([label for label, one in zip(named, there.tolist(), strict=True) if one])
    return {"boxes": edges, "box_labels": labels}


def wrapped(batch: dict[str, Any]) -> dict[str, Any]:
    """A batch of images whose pixels, masks and boxes are `torchvision.tv_tensors`, for `torchvision.transforms.v2`."""
    from torchvision import tv_tensors

    def each(value: Any, kind: Any) -> Any:
        return [kind(one) for one in value] if isinstance(value, list) else kind(value)

    canvas = [tuple(one.shape[-2:]) for one in batch["image"]]
    out = batch | {"image": each(batch["image"], tv_tensors.Image)}
    if "mask" in batch:
        out["mask"] = each(batch["mask"], tv_tensors.Mask)
    out["boxes"] = [
        tv_tensors.BoundingBoxes(one, format="XYXY", canvas_size=size)
        for one, size in zip(batch["boxes"], canvas, strict=True)
    ]
    return out


def moved(batch: Any, device: str) -> Any:
    """A batch with its tensors on a device, lists of tensors too, and everything else as it is; on the CPU as it is."""
    if device == "cpu" or not isinstance(batch, Mapping):
        return batch

    def there(value: Any) -> Any:
        if isinstance(value, list) and value and isinstance(value[0], torch.Tensor):
            return [there(one) for one in value]
        return value.to(device, non_blocking=True) if isinstance(value, torch.Tensor) else value

    return {name: there(value) for name, value in batch.items()}


def tensors(batch: Any) -> Iterator[torch.Tensor]:
    """Every tensor of a batch, in its lists too."""
    for value in batch.values() if isinstance(batch, Mapping) else ():
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, torch.Tensor):
                yield one


def _stacked(tensors: list[torch.Tensor]) -> torch.Tensor | list[torch.Tensor]:
    same = len({(one.shape, one.dtype) for one in tensors}) == 1
    return torch.stack(tensors) if same else tensors
