"""The stages of a run over one batch, each by itself: draw, read, apply, measure, encode, write; and all together."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sliceforge.engine import fuse, making, plan, regions, shards, sink, sound, stepwise
from sliceforge.engine.codecs import audio, image
from sliceforge.engine.errors import SettingError
from sliceforge.engine.outcome import Outcome
from sliceforge.engine.preview import begin
from sliceforge.engine.work import Workshop

STAGES = ("draw", "read", "apply", "measure", "encode", "write")

LIMITED_BY = {"read": "decode alone", "apply": "copy", "encode": "code alone"}
"""What a stage cannot be faster than."""

COPIED = 1 << 28
"""Bytes that are copied to measure the memory: more than any cache holds."""


class Stages:
    """A batch of a recipe, with the input of every stage made beforehand.

    Args:
        config: what `compose("bench", …)` returns.
        scratch: a folder for shards.

    Raises:
        SettingError: a setting is wrong, or no item could be made.
    """

    def __init__(self, config: Mapping[str, Any], scratch: Path) -> None:
        self.shop, parents = begin(config)
        self.recipe, self.scratch, self.sink = self.shop.recipe, scratch, sink.named(config["sink"]["kind"])
        self.parents = _batch(parents, config["batch"])
        self.banks = self.shop.banks.inventories()
        self.rows = self._draw()
        self.outcomes = [one for one in self.shop.outcomes(self.rows) if not one.reason]
        if not self.outcomes:
            raise SettingError("recipe: none of the items passed; see sliceforge preview with the same settings")
        self.plan_rows = [one.row for one in self.outcomes]
        self.sources = self._read()
        pairs = zip(self.plan_rows, self.sources, strict=True)
        self.tasks = [fuse.Task(one.parent, one.rate, row, one.mask, one.boxes) for row, one in pairs]
        self.items = [self.shop.item(one) for one in self.outcomes]
        self.raw = [self._values(one) for one in self.outcomes]
        self.paths = [self.shop.data / row["path"] for row in self.plan_rows]

    def of(self, stage: str, device: str = "cpu") -> Callable[[], int]:
        """What does a stage once, and returns how many items that were.

        Args:
            device: where items are made, in `apply` and `whole`: from memory and back to it.
        """
        shop = self.shop.on(device)
        does: dict[str, Callable[[], Any]] = {"draw": self._draw, "read": self._read, "measure": self._measure}
        does |= {"apply": lambda: self._apply(device), "whole": lambda: self._whole(shop)}
        does |= {"encode": self._encode, "write": self._write}
        does |= {"decode": self._decode, "code": self._code, "step by step": self._step_by_step}
        work = does[stage]
        return lambda: len(work())

    def bytes_of_an_item(self) -> float:
        """Bytes of a made item as the steps hold it, the mean."""
        return float(np.mean([one.made.item.nbytes for one in self.outcomes if one.made]))

    def _draw(self) -> pa.Table:
        return plan.draw(self.recipe, self.parents, self.shop.spec.seed, 1, self.banks, self.shop.spec.slice)

    def error(self, device: str = "cpu") -> float:
        """The largest difference of what `apply` makes from what the step-by-step executor makes of the same plan.

        Steps of 16 bit for clips; grey levels for images.
        """
        pairs = zip(self._apply(device), self._step_by_step(), strict=True)
        apart = max(float(np.abs(fused.item.astype(np.float64) - plain.item).max()) for fused, plain in pairs)
        return apart * (sound.PCM if self.recipe.kind == "audio" else 1)

    def _read(self) -> list[making.Source]:
        found = []
        for row in self.plan_rows:
            parent, rate = making.parent(self.recipe, self.shop.data, row)
            found.append(making.Source(parent, rate, *regions.read(self.shop.data, row, parent)))
        return found

    def _apply(self, device: str = "cpu") -> list[Any]:
        return [fuse.only([one]) for one in fuse.make(self.recipe, self.tasks, self.shop.banks, device=device)]

    def _step_by_step(self) -> list[Any]:
        banks = self.shop.banks
        return [
            stepwise.make(self.recipe, one.parent, one.rate, one.row, banks, one.mask, one.boxes) for one in self.tasks
        ]

    def _measure(self) -> list[Any]:
        return [stepwise.measure(self.recipe, one.made, one.row) for one in self.outcomes if one.made]

    def _encode(self) -> list[Any]:
        return [self.shop.item(one) for one in self.outcomes]

    def _write(self) -> list[Any]:
        self.sink.write(self.scratch, shards.name(1, 0), iter(self.items))
        return self.items

    def _whole(self, shop: Workshop) -> list[Any]:
        accepted = [one for one in shop.outcomes(self._draw()) if not one.reason]
        self.sink.write(self.scratch, shards.name(1, 1), (shop.item(one) for one in accepted))
        return accepted

    def _values(self, outcome: Outcome) -> np.ndarray:
        made = outcome.made
        assert made is not None
        if self.recipe.kind == "image":
            return made.item
        return (made.item.astype(np.float64) * sound.PCM).astype(np.int16)

    def _decode(self) -> list[Any]:
        decode: Callable[[Path], Any] = image.decode if self.recipe.kind == "image" else audio.decode
        return [decode(path) for path in self.paths]

    def _code(self) -> list[Any]:
        suffix = self.shop.spec.suffix
        if self.recipe.kind == "image":
            return [image.encode(values, suffix) for values in self.raw]
        rates = [one.rate for one in self.sources]
        return [audio.encode(values, rate, suffix) for values, rate in zip(self.raw, rates, strict=True)]


def _batch(parents: pa.Table, size: int) -> pa.Table:
    """The first `size` parents that can be read; where there are fewer they stand several times, under further ids."""
    good = parents.filter(pc.is_null(parents["read.reason"]))
    if not len(good):
        raise SettingError("data: nothing in it can be read; see sliceforge preview with the same settings")
    again = -(-size // len(good))
    whole = pa.concat_tables([good] * again).slice(0, size).combine_chunks()
    ids = [f"{item}·{i // len(good)}" for i, item in enumerate(whole["parent"].to_pylist())]
    return whole.set_column(whole.column_names.index("parent"), "parent", pa.array(ids, pa.string()))


def copy_rate(rounds: int = 7) -> float:
    """Bytes per second that numpy copies from memory to memory in this process, the median."""
    source, target = np.ones(COPIED, np.uint8), np.zeros(COPIED, np.uint8)
    seconds = []
    for _ in range(rounds):
        began = time.perf_counter()
        np.copyto(target, source)
        seconds.append(time.perf_counter() - began)
    return COPIED / float(np.median(seconds))


def copy_rate_on(device: str, rounds: int = 7) -> float:
    """Bytes per second that torch copies from a CUDA device's memory to the same memory, the median."""
    import torch

    source = torch.ones(COPIED, dtype=torch.uint8, device=device)
    target = torch.zeros_like(source)
    seconds = []
    for number in range(1 + rounds):
        torch.cuda.synchronize(device)
        began = time.perf_counter()
        target.copy_(source)
        torch.cuda.synchronize(device)
        seconds += [time.perf_counter() - began] if number else []
    return COPIED / float(np.median(seconds))
