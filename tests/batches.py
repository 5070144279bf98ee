"""Batches on a device beside what the plain executor makes of the same drafts; in Numba's simulator, or on a device."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import simulator
import torch

from sliceforge.engine import collate, plan, stepwise
from sliceforge.engine.collate import Form
from sliceforge.engine.cuda.batch import batch
from sliceforge.engine.cuda.launch import SIMULATED
from sliceforge.engine.donors import Donor
from sliceforge.engine.drafts import Draft
from sliceforge.engine.errors import InputError
from sliceforge.engine.excerpts import excerpt
from sliceforge.engine.keys import Keys
from sliceforge.engine.op import Inventory, Shapes
from sliceforge.engine.outcome import Outcome, facts
from sliceforge.engine.stock import Share

DEVICE = "cpu" if SIMULATED else "cuda"
if SIMULATED:
    simulator.set_up()

STEP = 2.0**-15
CLASSES = {"0": 0, "1": 1, "scratch": 2}
BANK = {"noise": Inventory(["street"], np.array([0.2])), "donors": Inventory(["block"], np.zeros(0), ["1"], ["mask"])}


class Shelf:
    """One noise and one donor; `read` counts how often the noise was asked for."""

    read = 0

    def sound(self, bank: str, item: str, rate: int, channel: float | None = None) -> np.ndarray:
        self.read += 1
        return np.random.default_rng(4).normal(0, 0.05, rate // 5).astype(np.float32)

    def excerpt(self, bank: str, item: str, rate: int, offset: int, length: int) -> np.ndarray:
        return excerpt(self.sound(bank, item, rate), offset, length, rate)

    def donor(self, bank: str, item: str) -> Donor:
        if item == "gone":
            raise InputError("unreadable", "gone")
        image, mask = np.full((12, 16, 1), 0.5, np.float32), np.zeros((12, 16), bool)
        image[4:8, 5:11], mask[4:8, 5:11] = 0.2, True
        return Donor(image, mask, mask, np.full((12, 16, 1), 0.5, np.float32), "1")


def drafts_of(
    shares: Sequence[Share], which: Sequence[int], sources: Sequence[np.ndarray], rates: Sequence[int], **more: Any
) -> list[Draft]:
    """A draft of each source, by the share named in `which`, with its plan row and whatever else its row says."""
    made = []
    for n, (share, source, rate) in enumerate(zip(which, sources, rates, strict=True)):
        row = {"id": f"{n}", "parent": f"{n}", "path": f"{n}.x", "label": str(n % 2), "split": "train"}
        row |= {"group": None, "variant": 0, "attempt": 0, "speaker": f"s{n}", **more}
        if share >= 0:
            sides = source.shape[:2] if source.ndim == 3 else (0, 0)
            sizes = len(source), rate, *sides
            recipe, shapes = shares[share].recipe, Shapes(*(np.array([one]) for one in sizes), BANK)
            columns = plan.nulled(recipe, recipe.draw(Keys.of(3, [f"{n}"]), shapes))
            row |= {**pa.table(columns).to_pylist()[0], "id": f"{n}~1", "variant": 1}
        made.append(Draft(share, row, source, rate))
    return made


def by_host(
    shares: Sequence[Share],
    banks: Sequence[Any],
    some: Sequence[Draft],
    look: Form,
    classes: Mapping[str, int] = CLASSES,
) -> dict[str, Any]:
    """What the plain executor makes of the same drafts."""
    plain, made = shares[0].recipe.untouched(), [replace(draft) for draft in some]
    for draft in made:
        share = shares[draft.share] if draft.share >= 0 else Share(plain)
        outcome = Outcome(dict(draft.row))
        given = draft.source, draft.rate, draft.row
        try:
            outcome.made = stepwise.make(share.recipe, *given, banks[draft.share], *draft.marks)
        except InputError as error:
            draft.reason, share = error.reason, Share(plain)
            outcome = Outcome({**draft.row, "id": draft.row["parent"], "variant": 0, "attempt": 0})
            outcome.made = stepwise.make(plain, *given, None, *draft.marks)
        draft.item, draft.facts = outcome.made.item, facts(share.recipe, outcome, share.slice)
        if look.masked:
            draft.mask = np.logical_or.reduce([np.zeros(draft.item.shape[:2], bool), *outcome.made.masks.values()])
    return collate.batch(made, classes, look)


def agree(found: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
    """Every entry is the host's: media within one step, masks in 99.99 % of the pixels, gains to 6 digits."""
    assert found.keys() == wanted.keys()
    for name in {"id", "parent", "label", "reason", "box_labels"} & found.keys():
        assert found[name] == wanted[name]
    for one, other in zip(found["row"], wanted["row"], strict=True):
        assert one.keys() == other.keys()
        for key, value in other.items():
            assert one[key] == pytest.approx(value, rel=1e-6, nan_ok=True) if key == "got.gain" else one[key] == value
    for name in {"length", "target", "made", "boxes"} & found.keys():
        for one, other in zip(found[name], wanted[name], strict=True):
            assert (one.dtype, one.device.type) == (other.dtype, DEVICE)
            assert torch.equal(one.cpu(), other)
    for name, most in (("audio", STEP), ("image", 1), ("mask", 1)):
        if name not in wanted:
            continue
        assert isinstance(found[name], list) == isinstance(wanted[name], list)
        off = []
        for one, other in zip(found[name], wanted[name], strict=True):
            assert one.dtype == other.dtype
            assert one.shape == other.shape
            assert one.device.type == DEVICE
            off.append(np.abs(one.cpu().numpy().astype(np.float64) - other.numpy()).ravel())
        apart = np.concatenate(off)
        assert apart.max() <= most
        assert name != "mask" or (apart > 0).mean() <= 1e-4


def alike(shares: Sequence[Share], some: Sequence[Draft], look: Form, banks: Sequence[Any] = (None,) * 3) -> Any:
    """The batch on the device, once it was seen to be the host's."""
    marked = any(draft.marks[0] is not None for draft in some)
    look = replace(look, masked=marked or any(share.recipe.paints() for share in shares))
    found = batch(shares, banks, some, CLASSES, DEVICE, look)
    agree(found, by_host(shares, banks, some, look))
    return found
