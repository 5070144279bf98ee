"""The stages of a run over one batch, each by itself: draw, read, apply, measure, encode, write; and all together."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sliceforge.engine import making, picture, plan, regions, shards, sound, stepwise
from sliceforge.engine.codecs import audio, image
from sliceforge.engine.errors import SettingError
from sliceforge.engine.outcome import Outcome
from sliceforge.engine.preview import begin

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
        self.recipe, self.scratch, self.sink = self.shop.recipe, scratch, shards.sink(config["sink"]["kind"])
        self.parents = _batch(parents, config["batch"])
        self.banks = self.shop.banks.inventories()
        self.rows = self._draw()
        self.outcomes = [one for one in self.shop.outcomes(self.rows) if not one.reason]
        if not self.outcomes:
            raise SettingError("recipe: none of the items passed; see sliceforge preview with the same settings")
        self.plan_rows = [one.row for one in self.outcomes]
        self.read = self._read()
        self.items = [self.shop.item(one) for one in self.outcomes]
        self.raw = [self._values(one) for one in self.outcomes]
        self.paths = [self.shop.data / row["path"] for row in self.plan_rows]

    def of(self, stage: str) -> Callable[[], int]:
        """What does a stage once, and returns how many items that were."""
        does = {"draw": self._draw, "read": self._read, "apply": self._apply, "measure": self._measure}
        does |= {"encode": self._encode, "write": self._write, "whole": self._whole}
        does |= {"decode": self._decode, "code": self._code}
        work = does[stage]
        return lambda: len(work())

    def bytes_of_an_item(self) -> float:
        """Bytes of a made item as the steps hold it, the mean."""
        return float(np.mean([one.made.item.nbytes for one in self.outcomes if one.made]))

    def _draw(self) -> pa.Table:
        return plan.draw(self.recipe, self.parents, self.shop.spec.seed, 1, self.banks, self.shop.spec.slice)

    def _read(self) -> list[tuple[np.ndarray, int, regions.Marks]]:
        found = []
        for row in self.plan_rows:
            parent, rate = making.parent(self.recipe, self.shop.data, row)
            found.append((parent, rate, regions.read(self.shop.data, row, parent)))
        return found

    def _apply(self) -> list[Any]:
        pairs = zip(self.plan_rows, self.read, strict=True)
        banks = self.shop.banks
        return [stepwise.make(self.recipe, one, rate, row, banks, *marks) for row, (one, rate, marks) in pairs]

    def _measure(self) -> list[Any]:
        return [stepwise.measure(self.recipe, one.made, one.row) for one in self.outcomes if one.made]

    def _encode(self) -> list[Any]:
        return [self.shop.item(one) for one in self.outcomes]

    def _write(self) -> list[Any]:
        self.sink.write(self.scratch, shards.name(1, 0), iter(self.items))
        return self.items

    def _whole(self) -> list[Any]:
        accepted = [one for one in self.shop.outcomes(self._draw()) if not one.reason]
        self.sink.write(self.scratch, shards.name(1, 1), (self.shop.item(one) for one in accepted))
        return accepted

    def _values(self, outcome: Outcome) -> np.ndarray:
        made = outcome.made
        assert made is not None
        if self.recipe.kind == "image":
            return picture.quantise(made.item, np.dtype(f"uint{made.depth}"))
        return (made.item.astype(np.float64) * sound.PCM).astype(np.int16)

    def _decode(self) -> list[Any]:
        decode: Callable[[Path], Any] = image.decode if self.recipe.kind == "image" else audio.decode
        return [decode(path) for path in self.paths]

    def _code(self) -> list[Any]:
        suffix = self.shop.spec.suffix
        if self.recipe.kind == "image":
            return [image.encode(values, suffix) for values in self.raw]
        rates = [rate for _, rate, _ in self.read]
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
