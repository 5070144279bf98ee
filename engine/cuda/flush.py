"""Images of one size through what waits for them: one copy up, a launch for each pass, one copy back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from sliceforge.engine import picture
from sliceforge.engine.cuda.launch import blocks, launch
from sliceforge.engine.cuda.scripts import Functions, Script, Writer
from sliceforge.engine.cuda.upload import upload
from sliceforge.engine.op import Paint

if TYPE_CHECKING:
    from sliceforge.engine.cuda.image import Item

MOST_BYTES = 1 << 30
"""Of float32 that the images of a launch take: more go through in parts."""


class Landed:
    """What comes back of some images, when it is first asked for.

    Args:
        back: flaws (B,) int32, the images, and covers (B, K, H, W) uint8, one behind the other, as bytes.
        shape: of the images, (B, H, W, C) of uint8 or (B, C, H, W) of float32.
        whole: uint8.
        covers: the name of each.
    """

    def __init__(self, back: torch.Tensor, shape: tuple[int, ...], whole: bool, covers: Sequence[str]) -> None:
        self.back, self.shape, self.whole, self.covers = back, shape, whole, list(covers)
        count = int(np.prod(shape)) * (1 if whole else 4)
        self.flaws = back[: 4 * shape[0]].view(torch.int32)
        self.pixels = back[4 * shape[0] :][:count]
        self.marks = back[4 * shape[0] + count :]

    @cached_property
    def _here(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        octets = self.back.cpu().numpy()
        count, (first, size) = self.shape[0], (4 * self.shape[0], self.pixels.numel())
        image = octets[first : first + size].view(np.uint8 if self.whole else np.float32).reshape(self.shape)
        height, width = self.shape[1:3] if self.whole else self.shape[2:]
        shape = count, len(self.covers), height, width
        marks = octets[first + size :][: int(np.prod(shape))].reshape(shape)
        return octets[:first].view(np.int32), image, marks.view(bool)

    @cached_property
    def flawed(self) -> list[bool]:
        """Of each of them, whether a value was not finite."""
        there = self.__dict__.get("_here")
        return [bool(flaw) for flaw in (self.flaws.tolist() if there is None else there[0])]

    def image(self, n: int) -> np.ndarray:
        """One of them."""
        return self._here[1][n].copy()

    def masks(self, n: int, names: Sequence[str]) -> dict[str, np.ndarray]:
        """Those of its covers that it has, (H, W) bool."""
        return {name: self._here[2][n, self.covers.index(name)].copy() for name in names}


def flush(functions: Functions, items: Sequence[Item], device: str, last: bool) -> Iterator[list[Item]]:
    """Launch what waits, and yield those whose launches are under way; nobody has waited for the device.

    Args:
        functions: of the recipe.
        items: of one size, all fresh or none.
        device: as torch names it.
        last: they are finished then, and `landed`; else they are on the device.
    """
    channels, height, width = items[0].sides
    most = max(1, MOST_BYTES // (4 * channels * height * width))
    for start in range(0, len(items), most):
        part = list(items[start : start + most])
        _launched(functions, part, device, last)
        yield part


def _launched(functions: Functions, items: list[Item], device: str, last: bool) -> None:
    channels, height, width = items[0].sides
    fresh, whole = items[0].fresh, items[0].task.parent.dtype == np.uint8
    steps, rows = [item.waiting for item in items], [item.task.row for item in items]
    first = list(dict.fromkeys(name for item in items for name in item.masks))
    writer = Writer(functions, height, width, steps, rows, [list(item.masks) for item in items], first)
    script = writer.script(fresh and whole, last and whole)
    there = upload(
        {"words": script.words, "numbers": script.numbers, **(_fresh(items, first) if fresh else {})}, device
    )
    if not fresh:
        there |= _aboard(items, first)
    count, covers, float_out = len(items), len(script.covers), not (last and whole)
    shape = (count, channels, height, width) if float_out else (count, height, width, channels)
    sizes = 4 * count, int(np.prod(shape)) * (4 if float_out else 1), max(covers, 1) * count * height * width
    back = torch.empty(sum(sizes), dtype=torch.uint8, device=device)
    back[: 4 * count].zero_()
    landed = Landed(back, shape, not float_out, script.covers)
    _passes(functions, script, there, landed, (channels, height, width), len(first))
    for n, item in enumerate(items):
        item.masks |= dict.fromkeys(step.name for step in item.waiting if isinstance(step.op, Paint))
        if last:
            item.landed = landed, n
            continue
        item.image = landed.pixels.view(torch.float32).view(shape)[n]
        marks = landed.marks[: covers * count * height * width].view(count, covers, height, width)
        item.masks = {name: marks[n, script.covers.index(name)] for name in item.masks}
        item.earlier.append((landed, n))


def _fresh(items: Sequence[Item], first: Sequence[str]) -> dict[str, Any]:
    """What goes up of images on the host."""
    images: list[np.ndarray] = [item.image for item in items if isinstance(item.image, np.ndarray)]
    up: dict[str, Any] = {}
    if images[0].dtype == np.uint8:
        up["pixels"] = images
    else:
        up["planes"] = [picture.unit(image).transpose(2, 0, 1) for image in images]
    if first:
        none = np.zeros(images[0].shape[:2], np.uint8)
        given = [item.masks[name].view(np.uint8) if name in item.masks else none for item in items for name in first]
        up["given"] = given
    return up


def _aboard(items: Sequence[Item], first: Sequence[str]) -> dict[str, torch.Tensor]:
    """The same of images on the device."""
    there = {"planes": torch.stack([torch.as_tensor(item.image) for item in items])}
    if first:
        none = torch.zeros_like(there["planes"][0, 0], dtype=torch.uint8)
        there["given"] = torch.stack([item.masks.get(name, none) for item in items for name in first])
    return there


def _passes(
    functions: Functions,
    script: Script,
    there: dict[str, torch.Tensor],
    landed: Landed,
    sides: tuple[int, int, int],
    brought: int,
) -> None:
    channels, height, width = sides
    turns, count, _ = script.words.shape
    covers, device = len(script.covers), landed.back.device
    octet, number = (torch.empty(1, dtype=kind, device=device) for kind in (torch.uint8, torch.float32))
    size = count * height * width
    between = [torch.empty(size * channels, device=device) for _ in range(min(turns - 1, 2))] or [number]
    parted = [torch.empty(size * max(covers, 1), device=device) for _ in range(min(turns - 1, 2))] or [number]
    given = [
        there[name].view(-1) if name in there else none
        for name, none in (("pixels", octet), ("planes", number), ("given", octet))
    ]
    made = (landed.pixels, number) if landed.whole else (octet, landed.pixels.view(torch.float32))
    for p in range(turns):
        odd, even = (p - 1) % len(between), p % len(between)
        how = there["words"][p], there["numbers"], script.steps_at, script.covers_at, covers, brought
        outward = *made, landed.marks, between[even], parted[even], landed.flaws
        grid = blocks(height * width), count
        launch(functions.kernel, grid, *given, between[odd], parted[odd], *how, *outward, channels, height, width)
