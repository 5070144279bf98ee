"""The fused executor for sound: neighbouring filters are one convolution, levels are numbers until the last pass."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import copy
from typing import Any

import numpy as np

from sliceforge.engine.alone import apply_sound
from sliceforge.engine.cpu.convolve import Known, known
from sliceforge.engine.cpu.wave import Scaled, Wave, finished, peak_of, rms_of, total_of
from sliceforge.engine.errors import InputError
from sliceforge.engine.gates import Later, Made
from sliceforge.engine.op import Apply, Gain, Mix, Point, Source, Spectrum
from sliceforge.engine.picture import point
from sliceforge.engine.recipe import Recipe
from sliceforge.engine.sound import ROUNDS, SETTLED
from sliceforge.engine.step import Step
from sliceforge.engine.supply import Shelf, Sounds


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
    work = _Work(recipe, parent, rate, row, banks)
    done = work.done(apart=work.first < len(work.passes))
    item, fine = finished(list(done.parts.values()))
    if not fine:
        raise InputError("non_finite", "a step made a value that is not finite")
    whole: list[_Parts] = [done] if done.apart else []

    def apart() -> _Parts:
        if not whole:
            whole.append(work.done(apart=True))
        return whole[0]

    stems, heard = Later(lambda: apart().stems()), Later(lambda: apart().mixed())
    return Made(parent, item, rate, done.loudness if done.proportional else float("nan"), stems, heard)


class _Work:
    """The steps that happen to one item, neighbouring filters together, and the sounds they need."""

    def __init__(
        self, recipe: Recipe, parent: np.ndarray, rate: int, row: Mapping[str, Any], banks: Shelf | None
    ) -> None:
        happening = [step for step in recipe.steps if recipe.active(step, row)]
        self.guard = 10.0 ** (recipe.guard_db / 20) if happening else float("inf")
        self.parent, self.rate = Wave(parent, rate), rate
        self.sounds = Sounds(recipe, row, rate, banks)
        self.draws = {step.name: recipe.draws(step, row) for step in happening}
        self.noises: dict[str, Wave] = {}
        self.filters: dict[str, Known] = {}
        self.passes: list[list[Step]] = []
        for step in happening:
            if isinstance(step.op, Spectrum) and self.passes and isinstance(self.passes[-1][0].op, Spectrum):
                self.passes[-1].append(step)
            elif not isinstance(step.op, Source):
                self.passes.append([step])
        mixes = [(i, step.op) for i, (step, *_) in enumerate(self.passes) if isinstance(step.op, Mix)]
        self.last = mixes[-1][0] if mixes else -1
        """The pass after which nothing is added."""
        self.first = next((i for i, op in mixes if op.by_scale()), len(self.passes))
        """The pass from which on levels depend on how loud the clip will be."""

    def done(self, apart: bool) -> _Parts:
        """The parts of the finished item.

        Args:
            apart: keep every sound by itself to the end; else they become one as soon as nothing else is added.
        """
        scale, parts = 1.0, _Parts(self, apart)
        for i, steps in enumerate(self.passes[: self.first]):
            parts.take(i, steps)
        # A level that depends on how loud the clip will be is measured at that loudness, which depends on the level.
        before = parts
        for _ in range(ROUNDS if self.first < len(self.passes) else 1):
            parts = before.copied(scale)
            for i, steps in enumerate(self.passes[self.first :], self.first):
                parts.take(i, steps)
            parts.guard()
            if not abs(parts.loudness / scale - 1) > SETTLED:
                break
            scale = parts.loudness
        return parts

    def noise(self, name: str, op: Mix, length: int) -> Wave:
        """The sound that a mix adds, as it comes."""
        if name not in self.noises:
            self.noises[name] = Wave(self.sounds.noise(op, self.draws[name], length), self.rate)
        return self.noises[name]


class _Parts:
    """A clip on its way: the foreground and every sound that was added to it, each with its factor."""

    def __init__(self, work: _Work, apart: bool) -> None:
        self.work, self.scale, self.apart = work, 1.0, apart
        self.parts: dict[str, Scaled] = {"foreground": (work.parent, 1.0)}
        self.heard: dict[str, tuple[Scaled, Scaled, float]] = {}
        """Foreground and added sound of each mix as it was made, and the product of all gains up to then."""
        self.levelled: set[str] = set()
        """Mixes whose two sounds were only scaled since."""
        self.loudness, self.proportional = 1.0, True

    def copied(self, scale: float) -> _Parts:
        """The same once more, to go on from with the product of all gains as far as it is known."""
        other = copy(self)
        other.parts, other.heard, other.levelled = dict(self.parts), dict(self.heard), set(self.levelled)
        other.scale = scale
        return other

    def stems(self) -> dict[str, np.ndarray]:
        """The sounds as they are in the finished item."""
        return {name: total_of([part]) for name, part in self.parts.items()}

    def mixed(self) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """Both sounds of each mix to which a later step did more than scale them, as loud as they are now."""
        found = {}
        for name, (foreground, added, loudness) in self.heard.items():
            if name not in self.levelled:
                now = self.loudness / loudness
                found[name] = (
                    total_of([(foreground[0], foreground[1] * now)]),
                    total_of([(added[0], added[1] * now)]),
                )
        return found

    def total(self) -> np.ndarray:
        """What is heard, (T,) float32."""
        return total_of(list(self.parts.values()))

    def scaled(self, factor: float) -> None:
        """All of it louder or softer."""
        self.parts = {name: (wave, scale * factor) for name, (wave, scale) in self.parts.items()}
        self.loudness *= factor

    def guard(self) -> None:
        """Scaled so that the peak stays under the guard."""
        parts, limit = list(self.parts.values()), self.work.guard
        # The peak of a sum is at most the sum of the peaks: mostly that settles it.
        if sum(wave.peak * abs(scale) for wave, scale in parts) > limit:
            peak = peak_of(parts)
            self.scaled(limit / peak if peak > limit else 1.0)

    def take(self, at: int, steps: list[Step]) -> None:
        """One step further, or several filters."""
        step, *_ = steps
        op, draws = step.op, self.work.draws[step.name]
        if isinstance(op, Mix):
            self._add(step.name, op, draws)
        elif isinstance(op, Gain):
            factor = op.by_rms(rms_of(list(self.parts.values())), **draws)
            self.scaled(op.factor(self.total(), self.work.rate, **draws) if factor is None else factor)
        elif isinstance(op, Spectrum):
            self._filter(at, steps)
        elif isinstance(op, Point):
            self._become(point(step.name, op, draws, self.total()[None, :, None])[0][0, :, 0])
        elif isinstance(op, Apply) and op.linear:
            self._through(at, step.name, lambda x: apply_sound(op, x, self.work.rate, draws))
        elif isinstance(op, Apply):
            self._become(apply_sound(op, self.total(), self.work.rate, draws))

    def _add(self, name: str, op: Mix, draws: Mapping[str, Any]) -> None:
        foreground, scale = self.parts["foreground"]
        noise = self.work.noise(name, op, len(foreground.samples))
        louder = self.scale / self.loudness
        factor = op.by_levels(foreground.levels.at(scale * louder), noise.levels, **draws)
        if factor is None:
            sound = total_of([(foreground, scale * louder)])
            factor = op.factor(sound, noise.samples, self.work.rate, **draws)
        self.parts[name] = noise, factor / louder
        self.heard[name] = self.parts["foreground"], self.parts[name], self.loudness
        self.levelled.add(name)

    def _filter(self, at: int, steps: list[Step]) -> None:
        name = steps[0].name
        if name not in self.work.filters:
            self.work.filters[name] = known(self.work.sounds, steps, self.work.draws)
        self._through(at, name, self.work.filters[name].run)

    def _through(self, at: int, name: str, run: Callable[[np.ndarray], np.ndarray]) -> None:
        # Nothing is added any more: the sum goes through in one, where nobody asks for its parts.
        if at > self.work.last and not self.apart and len(self.parts) > 1:
            self.parts = {"foreground": (Wave(self.total(), self.work.rate), 1.0)}
        self.parts = {part: (wave.after(name, run), scale) for part, (wave, scale) in self.parts.items()}
        self.proportional = False
        self.levelled.clear()

    def _become(self, samples: np.ndarray) -> None:
        self.parts, self.proportional = {"foreground": (Wave(samples, self.work.rate), 1.0)}, False
        self.levelled.clear()
