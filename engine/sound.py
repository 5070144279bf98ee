"""What the steps of a recipe make of one clip; its parts are kept apart as long as that is possible."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from typing import Any

import numpy as np
from scipy.fft import irfft, next_fast_len, rfft

from sliceforge.engine.alone import apply_sound
from sliceforge.engine.errors import InputError
from sliceforge.engine.gates import Made
from sliceforge.engine.op import Apply, Gain, Mix, Point, Spectrum
from sliceforge.engine.picture import point
from sliceforge.engine.recipe import Recipe
from sliceforge.engine.step import Step
from sliceforge.engine.supply import Shelf, Sounds

PCM = 32768.0

ROUNDS, SETTLED = 8, 1e-4
"""How often, and to which share, a clip's final loudness is worked out where a level depends on it."""


def make(recipe: Recipe, parent: np.ndarray, rate: int, row: Mapping[str, Any], banks: Shelf | None = None) -> Made:
    """One finished clip from one plan row.

    Args:
        recipe: what to do.
        parent: (T,) float32; left as it is.
        rate: hertz.
        row: the plan row.
        banks: needed where the plan names bank items.

    Raises:
        InputError: where a level cannot be measured, or a value is not finite.
    """
    happening = [step for step in recipe.steps if recipe.active(step, row)]
    sounds = Sounds(recipe, row, rate, banks)
    parts = _Parts(parent)
    first = next((i for i, step in enumerate(happening) if _by_scale(step)), len(happening))
    for step in happening[:first]:
        parts.take(step, recipe.draws(step, row), sounds)
    # A level that depends on how loud the clip will be is measured at that loudness, which depends on the level.
    before, scale = parts, 1.0
    for _ in range(ROUNDS if first < len(happening) else 1):
        parts = before.copied(scale)
        for step in happening[first:]:
            parts.take(step, recipe.draws(step, row), sounds)
        if happening:
            parts.scaled(_guard(parts.total(), recipe.guard_db))
        if not abs(parts.loudness / scale - 1) > SETTLED:
            break
        scale = parts.loudness
    total = parts.total()
    if not np.isfinite(total).all():
        raise InputError("non_finite", "a step made a value that is not finite")
    item = np.clip(np.rint(total.astype(np.float64) * PCM), -PCM, PCM - 1) / PCM
    gain = parts.loudness if parts.proportional else float("nan")
    return Made(parent, item.astype(np.float32), rate, gain, parts.stems, parts.mixed())


def _by_scale(step: Step) -> bool:
    return isinstance(step.op, Mix) and step.op.by_scale()


class _Parts:
    """A clip on its way: the foreground and every sound that was added to it.

    Args:
        parent: (T,) float32.
    """

    def __init__(self, parent: np.ndarray) -> None:
        self.stems: dict[str, np.ndarray] = {"foreground": parent}
        self.heard: dict[str, tuple[np.ndarray, np.ndarray, float]] = {}
        """Foreground and added sound of each mix as it was made, and the product of all gains up to then."""
        self.levelled: set[str] = set()
        """Mixes whose two sounds were only scaled since."""
        self.loudness, self.proportional = 1.0, True
        self._scale = 1.0

    def copied(self, scale: float) -> _Parts:
        """The same once more, to go on from with the product of all gains as far as it is known."""
        other = copy(self)
        other.stems, other.heard, other.levelled = dict(self.stems), dict(self.heard), set(self.levelled)
        other._scale = scale
        return other

    def mixed(self) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """Both sounds of each mix to which a later step did more than scale them, as loud as they are now."""
        found = {}
        for name, (foreground, added, loudness) in self.heard.items():
            if name not in self.levelled:
                louder = np.float32(self.loudness / loudness)
                found[name] = foreground * louder, added * louder
        return found

    def total(self) -> np.ndarray:
        """What is heard, (T,) float32."""
        total, *rest = self.stems.values()
        for stem in rest:
            total = total + stem
        return total

    def scaled(self, factor: float) -> None:
        """All of it louder or softer."""
        narrow = np.float32(factor)
        self.stems = {name: stem * narrow for name, stem in self.stems.items()}
        self.loudness *= float(narrow)

    def take(self, step: Step, draws: Mapping[str, Any], sounds: Sounds) -> None:
        """One step further."""
        op = step.op
        if isinstance(op, Mix):
            self._add(step.name, op, draws, sounds)
        elif isinstance(op, Gain):
            self.scaled(op.factor(self.total(), sounds.rate, **draws))
        elif isinstance(op, Spectrum):
            response = sounds.response(step, draws)
            self._become({name: filtered(stem, response) for name, stem in self.stems.items()})
        elif isinstance(op, Point):
            self._become({"foreground": point(step.name, op, draws, self.total()[None, :, None])[0][0, :, 0]})
        elif isinstance(op, Apply) and op.linear:
            self._become({name: apply_sound(op, stem, sounds.rate, draws) for name, stem in self.stems.items()})
        elif isinstance(op, Apply):
            self._become({"foreground": apply_sound(op, self.total(), sounds.rate, draws)})

    def _add(self, name: str, op: Mix, draws: Mapping[str, Any], sounds: Sounds) -> None:
        foreground = self.stems["foreground"]
        noise = sounds.noise(op, draws, len(foreground))
        louder = self._scale / self.loudness
        factor = op.factor(foreground * np.float32(louder), noise, sounds.rate, **draws) / louder
        self.stems[name] = noise * np.float32(factor)
        self.heard[name] = foreground, self.stems[name], self.loudness
        self.levelled.add(name)

    def _become(self, stems: dict[str, np.ndarray]) -> None:
        self.stems, self.proportional = stems, False
        self.levelled.clear()


def filtered(x: np.ndarray, response: np.ndarray) -> np.ndarray:
    """The convolution of a clip (T,) with a response (N,), cut to the clip's length, (T,) float32.

    One item and one thread at a time, so that the bytes do not depend on a batch.
    """
    size = next_fast_len(len(x) + len(response) - 1, real=True)
    spectrum = rfft(x.astype(np.float64), size, workers=1) * rfft(np.asarray(response, np.float64), size, workers=1)
    return irfft(spectrum, size, workers=1)[: len(x)].astype(np.float32)


def _guard(total: np.ndarray, guard_db: float) -> float:
    """The factor, at most one, that keeps the peak under the guard."""
    limit = 10.0 ** (guard_db / 20)
    peak = float(np.abs(total).max(initial=0.0))
    return limit / peak if peak > limit else 1.0
