"""The plain executor: one item, one step after the other. Its meaning is what faster executors must keep."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby
from typing import Any, Protocol

import numpy as np

from sliceforge.engine import picture
from sliceforge.engine.errors import InputError
from sliceforge.engine.gates import Made, Verdict
from sliceforge.engine.op import Apply, Gain, Mix, Op, Source
from sliceforge.engine.read import pad
from sliceforge.engine.recipe import Recipe, Step

PCM = 32768.0


class Excerpts(Protocol):
    """Where bank material comes from."""

    def excerpt(self, bank: str, item: str, rate: int, offset: int, length: int) -> np.ndarray:
        """(length,) float32 of a bank's item at `rate` hertz, from sample `offset`, looped without a seam."""


def make(recipe: Recipe, parent: np.ndarray, rate: int, row: Mapping[str, Any], banks: Excerpts | None = None) -> Made:
    """One finished item from one plan row.

    Args:
        recipe: what to do.
        parent: audio (T,) float32, or image (H, W, C) uint8 or uint16; left as it is.
        rate: hertz, 0 for images.
        row: the plan row.
        banks: needed where the plan names bank items.

    Raises:
        InputError: where a level cannot be measured, or a value is not finite.
    """
    if recipe.kind == "image":
        return _make_image(recipe, parent, row)
    return _make_audio(recipe, parent, rate, row, banks)


def _make_audio(recipe: Recipe, parent: np.ndarray, rate: int, row: Mapping[str, Any], banks: Excerpts | None) -> Made:
    steps = {step.name: step for step in recipe.steps}
    waves: dict[str, np.ndarray] = {}
    stems: dict[str, np.ndarray] = {"foreground": parent}
    gain, changed = 1.0, False
    for step in recipe.steps:
        if not recipe.active(step, row):
            continue
        changed = True
        op, draws = step.op, recipe.draws(step, row)
        if isinstance(op, Mix):
            noise = _noise(recipe, steps, op, draws, row, len(parent), rate, banks, waves)
            stems[step.name] = noise * np.float32(op.factor(stems["foreground"], noise, rate, **draws))
        elif isinstance(op, Gain):
            factor = np.float32(op.factor(_total(stems), rate, **draws))
            stems = {name: stem * factor for name, stem in stems.items()}
            gain *= float(factor)
        elif isinstance(op, Apply):
            # Nothing is known of what it does to the parts: from here on the whole is the foreground.
            stems, gain = {"foreground": _apply_audio(op, _total(stems), draws)}, float("nan")
    if changed:
        factor = _guard(_total(stems), recipe.guard_db)
        stems = {name: stem * factor for name, stem in stems.items()}
        gain *= float(factor)
    total = _total(stems)
    if not np.isfinite(total).all():
        raise InputError("non_finite", "a step made a value that is not finite")
    item = np.clip(np.rint(total.astype(np.float64) * PCM), -PCM, PCM - 1) / PCM
    return Made(parent, item.astype(np.float32), rate, gain, stems)


def _noise(
    recipe: Recipe,
    steps: Mapping[str, Step],
    op: Mix,
    draws: Mapping[str, Any],
    row: Mapping[str, Any],
    length: int,
    rate: int,
    banks: Excerpts | None,
    waves: dict[str, np.ndarray],
) -> np.ndarray:
    source = draws["source"]
    if source == "bank":
        if banks is None:
            raise InputError("empty", f"the plan names an item of the bank {op.bank}, and no bank is given")
        return banks.excerpt(op.bank, draws["item"], rate, draws["offset"], length)
    if source not in waves:
        step = steps[source]
        if not isinstance(step.op, Source):
            raise TypeError(f"{source} makes no sound")
        waves[source] = step.op.wave(length, rate, **recipe.draws(step, row))
    return waves[source]


def _total(stems: Mapping[str, np.ndarray]) -> np.ndarray:
    total, *rest = stems.values()
    for stem in rest:
        total = total + stem
    return total


def _guard(total: np.ndarray, guard_db: float) -> np.float32:
    """The factor, at most one, that keeps the peak under the guard."""
    limit = 10.0 ** (guard_db / 20)
    peak = float(np.abs(total).max(initial=0.0))
    return np.float32(limit / peak) if peak > limit else np.float32(1)


def _apply_audio(op: Apply, audio: np.ndarray, draws: Mapping[str, Any]) -> np.ndarray:
    import torch

    columns = {name: torch.as_tensor([value]) for name, value in draws.items()}
    return op.apply(pad([audio]), **columns)["audio"][0].numpy()


def _make_image(recipe: Recipe, parent: np.ndarray, row: Mapping[str, Any]) -> Made:
    before = picture.unit(parent)
    image = before
    masks: dict[str, np.ndarray] = {}
    happening = [step for step in recipe.steps if recipe.active(step, row)]
    for alone, group in groupby(happening, key=lambda step: isinstance(step.op, Apply)):
        run: list[tuple[str, Op, dict[str, Any]]] = [(s.name, s.op, recipe.draws(s, row)) for s in group]
        if alone:
            for _, op, draws in run:
                image = _apply_image(op, image, draws)  # type: ignore[arg-type]
        else:
            rendered = picture.render(image, run)
            image, masks = rendered.image, masks | dict(rendered.masks)
    if not np.isfinite(image).all():
        raise InputError("non_finite", "a step made a value that is not finite")
    item = picture.unit(picture.quantise(image, parent.dtype))
    return Made(before, item, depth=8 * parent.itemsize, masks=masks)


def _apply_image(op: Apply, image: np.ndarray, draws: Mapping[str, Any]) -> np.ndarray:
    import torch

    batch = {"image": torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1)))[None]}
    columns = {name: torch.as_tensor([value]) for name, value in draws.items()}
    return np.ascontiguousarray(op.apply(batch, **columns)["image"][0].numpy().transpose(1, 2, 0))


def measure(recipe: Recipe, made: Made, row: Mapping[str, Any]) -> dict[str, Verdict]:
    """What each gate finds on a made item; gates of steps that did not happen are left out."""
    found = {}
    for name, gate in recipe.gates.items():
        step = recipe.step(gate.step)
        if recipe.active(step, row):
            found[name] = gate.measure(made, step.op, recipe.draws(step, row))
    return found
