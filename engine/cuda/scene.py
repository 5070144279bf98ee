"""Steps of the form `Apply` on images on a device: torch code on some of one size and kind, or one by one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from sliceforge.engine.cuda.upload import upload
from sliceforge.engine.errors import InputError
from sliceforge.engine.op import Apply
from sliceforge.engine.recipe import Recipe
from sliceforge.engine.step import Step

if TYPE_CHECKING:
    from sliceforge.engine.cuda.image import Item

_on_host: set[type] = set()
"""Operators that were found to need numpy."""


def aboard(items: Sequence[Item], device: str) -> None:
    """Bring images and masks to the device, those of one size in one copy."""
    alike: dict[Any, list[Item]] = {}
    for item in items:
        alike.setdefault((item.image.shape, item.task.parent.dtype), []).append(item)
    for some in alike.values():
        images = [item.task.parent for item in some]
        top = float(np.iinfo(images[0].dtype).max)
        narrow = images if images[0].dtype == np.uint8 else [image.astype(np.float32) for image in images]
        masks = [mask.view(np.uint8) for item in some for mask in item.masks.values()]
        there = upload({"images": narrow} | ({"masks": masks} if masks else {}), device)
        planes = there["images"].permute(0, 3, 1, 2).to(torch.float32).contiguous() / top
        marks = iter(there.get("masks", ()))
        for item, image in zip(some, planes, strict=True):
            item.image, item.masks = image, {name: next(marks) for name in item.masks}


def apply(step: Step, recipe: Recipe, items: Sequence[Item], banks: Any) -> None:
    """One step for the items that it happens to, which are on the device; one that it refuses has its `error`."""
    op = step.op
    assert isinstance(op, Apply)
    alike: dict[Any, list[Item]] = {}
    for n, item in enumerate(items):
        kind = tuple(item.image.shape), len(item.masks), len(item.boxes)
        alike.setdefault(kind if op.batched_exact else n, []).append(item)
    for some in alike.values():
        draws = [recipe.draws(step, item.task.row) for item in some]
        try:
            _some(step.name, op, some, draws, banks)
        except InputError as error:
            if len(some) == 1:
                some[0].error = error
                continue
            for item, own in zip(some, draws, strict=True):
                try:
                    _some(step.name, op, [item], [own], banks)
                except InputError as refused:
                    item.error = refused


def _some(name: str, op: Apply, items: Sequence[Item], draws: Sequence[Mapping[str, Any]], banks: Any) -> None:
    donors = [_donor(op, own, banks) for own in draws]
    images = torch.stack([torch.as_tensor(item.image) for item in items])
    none = torch.zeros((0, *images.shape[2:]), dtype=torch.uint8, device=images.device)
    masks = [torch.stack(list(item.masks.values())) if item.masks else none for item in items]
    batch: dict[str, Any] = {"image": images, "mask": torch.stack(masks).bool()}
    batch["boxes"] = torch.from_numpy(np.stack([item.boxes for item in items]))
    if all(donor is not None for donor in donors):
        batch["bank"] = donors
    out = _asked(op, batch, _columns(draws), images.device)
    for n, item in enumerate(items):
        item.image = out["image"][n].to(images.device).contiguous()
        marks = out.get("mask", batch["mask"])[n].to(images.device, torch.uint8).contiguous()
        item.masks = dict(zip(item.masks, marks, strict=True))
        item.boxes = np.asarray(out.get("boxes", batch["boxes"])[n].cpu())
        if "painted" in out:
            item.masks[name] = out["painted"][n].to(images.device, torch.uint8).contiguous()


def _asked(op: Apply, batch: dict[str, Any], columns: dict[str, Any], device: torch.device) -> dict[str, Any]:
    """What the step makes, on the device; on the host where its code takes its tensors to numpy."""
    if type(op) not in _on_host and "bank" not in batch:
        with suppress(TypeError):
            return op.apply(batch, **columns)
        # Torch says so of a tensor on a device, by this error; of anything else, so does the host.
        if device.type != "cpu":
            _on_host.add(type(op))
    here = {key: one.cpu() if isinstance(one, torch.Tensor) else one for key, one in batch.items()}
    return op.apply(here, **columns)


def _donor(op: Apply, draws: Mapping[str, Any], banks: Any) -> Any:
    if not draws.get("item"):
        return None
    if banks is None:
        raise InputError("empty", f"the plan names an item of the bank {op.bank}, and no bank is given")
    return banks.donor(op.bank, draws["item"])


def _columns(draws: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Plan values as the columns of a batch: tensors on the host, or lists of words."""
    columns: dict[str, Any] = {}
    for name, value in draws[0].items():
        values = [own[name] for own in draws]
        columns[name] = values if isinstance(value, str) or value is None else torch.as_tensor(np.array(values))
    return columns
