"""The plain executor: one item, one step after the other. Its meaning is what faster executors must keep."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
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

ROUNDS, SETTLED = 8, 1e-4
"""How often, and to which share, a clip's final loudness is worked out where a level depends on it."""


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
    happening = [step for step in recipe.steps if recipe.active(step, row)]
    by_scale = any(isinstance(step.op, Mix) and step.op.by_scale() for step in happening)
    sounds = _Sounds(recipe, row, len(parent), rate, banks)
    # A level that depends on how loud the clip will be is measured at that loudness, which depends on the level.
    scale = 1.0
    for _ in range(ROUNDS if by_scale else 1):
        stems, gain = _chain(recipe, happening, parent, rate, row, sounds, scale)
        if not abs(gain / scale - 1) > SETTLED:
            break
        scale = gain
    total = _total(stems)
    if not np.isfinite(total).all():
        raise InputError("non_finite", "a step made a value that is not finite")
    item = np.clip(np.rint(total.astype(np.float64) * PCM), -PCM, PCM - 1) / PCM
    return Made(parent, item.astype(np.float32), rate, gain, stems)


def _chain(
    recipe: Recipe,
    happening: Sequence[Step],
    parent: np.ndarray,
    rate: int,
    row: Mapping[str, Any],
    sounds: _Sounds,
    scale: float,
) -> tuple[dict[str, np.ndarray], float]:
    """Stems, and the gain of the foreground, when it is expected to end as `scale` times the parent."""
    stems, gain = {"foreground": parent}, 1.0
    for step in happening:
        op, draws = step.op, recipe.draws(step, row)
        if isinstance(op, Mix):
            noise = sounds.noise(op, draws)
            louder = scale / gain if gain == gain else 1.0
            factor = op.factor(stems["foreground"] * np.float32(louder), noise, rate, **draws) / louder
            stems[step.name] = noise * np.float32(factor)
        elif isinstance(op, Gain):
            stems, gain = _scaled(stems, gain, op.factor(_total(stems), rate, **draws))
        elif isinstance(op, Apply):
            # Nothing is known of what it does to the parts: from here on the whole is the foreground.
            stems, gain = {"foreground": _apply_audio(op, _total(stems), draws)}, float("nan")
    if happening:
        stems, gain = _scaled(stems, gain, _guard(_total(stems), recipe.guard_db))
    return stems, gain


def _scaled(stems: Mapping[str, np.ndarray], gain: float, factor: float) -> tuple[dict[str, np.ndarray], float]:
    narrow = np.float32(factor)
    return {name: stem * narrow for name, stem in stems.items()}, gain * float(narrow)


@dataclass
class _Sounds:
    """What the mixes of one item add, each sound made once."""

    recipe: Recipe
    row: Mapping[str, Any]
    length: int
    rate: int
    banks: Excerpts | None
    made: dict[str, np.ndarray] = field(default_factory=dict)

    def noise(self, op: Mix, draws: Mapping[str, Any]) -> np.ndarray:
        """The sound that a mix's plan names, (T,) float32."""
        source = draws["source"]
        if source == "bank":
            if self.banks is None:
                raise InputError("empty", f"the plan names an item of the bank {op.bank}, and no bank is given")
            return self.banks.excerpt(op.bank, draws["item"], self.rate, draws["offset"], self.length)
        if source not in self.made:
            step = self.recipe.step(source)
            if not isinstance(step.op, Source):
                raise TypeError(f"{source} makes no sound")
            self.made[source] = step.op.wave(self.length, self.rate, **self.recipe.draws(step, self.row))
        return self.made[source]


def _total(stems: Mapping[str, np.ndarray]) -> np.ndarray:
    total, *rest = stems.values()
    for stem in rest:
        total = total + stem
    return total


def _guard(total: np.ndarray, guard_db: float) -> float:
    """The factor, at most one, that keeps the peak under the guard."""
    limit = 10.0 ** (guard_db / 20)
    peak = float(np.abs(total).max(initial=0.0))
    return limit / peak if peak > limit else 1.0


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
