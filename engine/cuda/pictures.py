"""The images of a batch on a device: originals go up in one copy, and what is made of the others stays there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from sliceforge.engine.cuda import fitting, image
from sliceforge.engine.cuda.bank import Resident
from sliceforge.engine.cuda.clips import Banks, Found
from sliceforge.engine.cuda.download import download
from sliceforge.engine.cuda.flush import Landed
from sliceforge.engine.cuda.image import Item
from sliceforge.engine.cuda.upload import upload
from sliceforge.engine.errors import InputError
from sliceforge.engine.fuse import Task
from sliceforge.engine.gates import Made
from sliceforge.engine.scene import BROUGHT

if TYPE_CHECKING:
    from sliceforge.engine.collate import Form
    from sliceforge.engine.drafts import Draft
    from sliceforge.engine.recipe import Recipe


@dataclass(frozen=True)
class Part:
    """Images of one size on the device.

    Args:
        rows: of the batch.
        images: (n, C, H, W) uint8, or int16 that holds the bits of uint16.
        masks: (n, H, W) bool, what is marked on each, or None.
    """

    rows: list[int]
    images: torch.Tensor
    masks: torch.Tensor | None

    def formed(self, form: Form) -> Part:
        """The same as the batch's form wants it."""
        images, masks = self.images, self.masks
        if masks is None and form.masked:
            masks = torch.zeros_like(images[:, 0], dtype=torch.bool)
        if form.size:
            images = fitting.fitted(images, *form.size, form.way)
            masks = None if masks is None else fitting.fitted(masks, *form.size, form.way)
        return Part(self.rows, images, masks)


@dataclass(frozen=True)
class Extent:
    """Stands for a mask on the device, of which no more is asked than where it begins and ends.

    Args:
        box: x0, y0, x1, y1 in pixel edges.
        height, width: pixels of the mask.
    """

    box: tuple[int, ...]
    height: int
    width: int

    def any(self, axis: int) -> np.ndarray:
        """What is set along each column (axis 0) or row (axis 1): from the first to the last one."""
        line = np.zeros((self.width, self.height)[axis], bool)
        line[self.box[axis] : self.box[axis + 2]] = True
        return line


def made(recipes: Sequence[Recipe], banks: Banks, some: Sequence[Draft], device: str) -> tuple[list[Part], Found]:
    """Parts that have every row of the batch, later ones in the place of earlier ones; and what was made.

    Of an item's masks the boxes alone come to the host, and its pixels do not.

    Args:
        recipes, banks: of each share.
        some: drafts that are not made.
        device: as torch names it.
    """
    items: dict[int, Item] = {}
    for share in sorted({draft.share for draft in some if draft.share >= 0}):
        rows = [row for row, draft in enumerate(some) if draft.share == share]
        tasks = [Task(some[row].source, 0, dict(some[row].row), *some[row].marks) for row in rows]
        bank = banks[share]
        shelf = bank.shelf if isinstance(bank, Resident) else bank
        items |= zip(rows, image.launched(recipes[share], tasks, shelf, device), strict=True)
    landed: dict[Landed, list[int]] = {}
    for row, item in items.items():
        if item.landed:
            landed.setdefault(item.landed[0], []).append(row)
    still = [row for row in range(len(some)) if row not in items or not items[row].landed]
    parts = [*_as_read(some, still, device)]
    parts += [_part(one, rows, [items[row] for row in rows], device) for one, rows in landed.items()]
    found = _known(items, list(landed))
    failed = [row for row, one in found.items() if isinstance(one, InputError) and row not in still]
    return [*parts, *_as_read(some, failed, device)], found


def _as_read(some: Sequence[Draft], rows: Sequence[int], device: str) -> list[Part]:
    """Images as they were read, with what was marked on them, all in one copy."""
    alike: dict[Any, list[int]] = {}
    for row in rows:
        alike.setdefault((some[row].source.shape, some[row].source.dtype), []).append(row)
    up: dict[str, Any] = {}
    for n, own in enumerate(alike.values()):
        up[f"images {n}"] = [np.ascontiguousarray(some[row].source).view(np.uint8) for row in own]
        marks = [some[row].marks[0] for row in own]
        if any(mask is not None for mask in marks):
            none = np.zeros(some[own[0]].source.shape[:2], np.uint8)
            up[f"masks {n}"] = [none if mask is None else mask.view(np.uint8) for mask in marks]
    there, parts = upload(up, device) if up else {}, []
    for n, own in enumerate(alike.values()):
        wide = some[own[0]].source.dtype == np.uint16
        pixels = there[f"images {n}"].view(torch.int16 if wide else torch.uint8)
        masks = there.get(f"masks {n}")
        parts.append(Part(own, pixels.permute(0, 3, 1, 2).contiguous(), None if masks is None else masks.bool()))
    return parts


def _part(landed: Landed, rows: list[int], items: Sequence[Item], device: str) -> Part:
    pixels = landed.pixels.view(landed.shape) if landed.whole else landed.pixels.view(torch.float32).view(landed.shape)
    if landed.whole:
        pixels = pixels.permute(0, 3, 1, 2).contiguous()
    else:
        pixels = fitting.whole(pixels.clamp(0, 1) * 65535, torch.int16)
    marks = marks_of(landed)
    if not landed.covers:
        return Part(rows, pixels, None)
    owned = np.array([[name in item.masks for name in landed.covers] for item in items], np.uint8)
    if not owned.all():
        # What of a cover nobody asked for is not written.
        marks = marks & upload({"owned": owned}, device)["owned"][:, :, None, None]
    return Part(rows, pixels, marks.amax(1).bool())


def marks_of(landed: Landed) -> torch.Tensor:
    """What is marked on each of some images, (B, K, H, W) uint8, in the order of their covers."""
    height, width = landed.shape[1:3] if landed.whole else landed.shape[2:]
    shape = landed.shape[0], len(landed.covers), height, width
    return landed.marks[: int(np.prod(shape))].view(shape)


def _known(items: Mapping[int, Item], landed: Sequence[Landed]) -> Found:
    """What the host has to know of each item, brought down in one copy."""
    flawed = list({one: None for item in items.values() for one, _ in item.earlier} | dict.fromkeys(landed))
    wanted = [row for row, item in items.items() if item.landed and _outlined(item)]
    up = [one.flaws for one in flawed] + [fitting.boxes(marks_of(one)) for one in landed]
    up += [marks_of(one)[n, one.covers.index(BROUGHT)] for one, n in (_place(items[row]) for row in wanted)]
    down = iter(download(up))
    flaws = {one: next(down) for one in flawed}
    boxes = {one: next(down) for one in landed}
    brought = {row: next(down).astype(bool) for row in wanted}
    found = Found()
    for row, item in items.items():
        if item.error:
            found[row] = item.error
        elif any(flaws[one][n] for one, n in (*item.earlier, *([item.landed] if item.landed else []))):
            found[row] = InputError("non_finite", "a step made a value that is not finite")
        else:
            found[row] = _item(item, boxes, brought.get(row))
    return found


def _place(item: Item) -> tuple[Landed, int]:
    assert item.landed
    return item.landed


def _outlined(item: Item) -> bool:
    """Whether its objects have outlines, each of which is compared with the mask of them all."""
    row = item.task.row
    return bool(row.get("read.segmentations")) and not row.get("read.mask") and BROUGHT in item.masks


def _item(item: Item, boxes: Mapping[Landed, np.ndarray], brought: np.ndarray | None) -> Made:
    """Its masks stand for their boxes; a mask that was brought is there where its objects have outlines."""
    task = item.task
    masks: dict[str, Any] = {}
    if not item.landed:
        masks |= {} if task.mask is None else {BROUGHT: task.mask}
        return Made(task.parent, task.parent, masks=masks, boxes=task.boxes)
    landed, n = item.landed
    _, height, width = item.sides
    for name in item.masks:
        if name != BROUGHT:
            masks[name] = Extent(tuple(boxes[landed][n, landed.covers.index(name)].tolist()), height, width)
    masks |= {} if brought is None else {BROUGHT: brought}
    return Made(task.parent, task.parent, masks=masks, boxes=None if task.boxes is None else item.boxes)
