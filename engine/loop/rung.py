"""Arms trained with the same seeds, and what their figures say."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

NOTHING, OVERSAMPLE = "nothing", "oversample"
MARGIN = 0.01
"""What an arm may cost another slice."""

NOISE, HARM = 1.0, 1.645
"""Standard errors by which an arm must be better than the default, and by which it must have cost another slice more
than the margin: as surely as `verify` asks for, which would send it back."""


@dataclass(frozen=True)
class Candidate:
    """An operation at a strength.

    Args:
        name: `nothing`, `oversample`, or any other name for one that makes data.
        cost: of making its data; of two equals the cheaper one is taken.
        settings: what `train` needs to know.
    """

    name: str
    cost: float = 0.0
    settings: Any = None

    @property
    def makes(self) -> bool:
        """Whether it makes data."""
        return self.name not in (NOTHING, OVERSAMPLE)


Parts = Mapping[str, Sequence[float] | np.ndarray]
"""Slice → (U,) what each of its rows, or of its clusters of rows, adds to its mean loss: their sum is that."""

Train = Callable[[Sequence[tuple[Candidate, int]]], Sequence[Parts]]
"""Candidates with a seed each → the losses of each on rows that tune, never on those that report; the same units each
time."""


@dataclass(frozen=True)
class Figure:
    """One arm.

    Args:
        name: of the candidate.
        losses: slice → (S,) mean losses, one per seed.
        says: `out` (too weak for the last rung), `chosen`, `not chosen`, or `hurts`: another slice loses.
        gain: on the weak slice against the default arm, with the seeds of both.
        noise: standard error of that gain.
    """

    name: str
    losses: Mapping[str, tuple[float, ...]]
    says: str
    gain: float
    noise: float

    def plain(self) -> dict[str, Any]:
        """For YAML and JSON."""
        losses = {name: [round(v, 6) for v in values] for name, values in self.losses.items()}
        figures = {"gain": round(self.gain, 6), "noise": round(self.noise, 6)}
        return {"name": self.name, "says": self.says, **figures, "losses": losses}


class Rung:
    """Arms with the same seeds.

    Args:
        runs: (arm's name, seed) → what its training says.
        arms: with `nothing`.
        weak: the slice that should gain.
        seeds: of each.
        margin: what an arm may cost another slice.
    """

    def __init__(
        self, runs: Mapping[tuple[str, int], Parts], arms: Sequence[Candidate], weak: str, seeds: range, margin: float
    ) -> None:
        self.arms, self.weak, self.margin = list(arms), weak, margin
        self.at = {arm.name: row for row, arm in enumerate(self.arms)}
        self.parts = {
            name: np.array([[runs[arm.name, seed][name] for seed in seeds] for arm in self.arms], np.float64)
            for name in runs[self.arms[0].name, seeds[0]]
        }  # (A, S, U)

    def loss(self, arm: Candidate, name: str | None = None) -> float:
        """Of an arm on a slice, the weak one unless named, over seeds."""
        return float(self.parts[name or self.weak][self.at[arm.name]].sum(axis=1).mean())

    def noise(self, arm: Candidate, base: Candidate, name: str | None = None) -> float:
        """Standard error of the difference of two arms on a slice: other rows might have said else, and other seeds.

        Of rows by the spread of the paired differences, of seeds by what is left beside arms and seeds, over all arms.
        """
        if arm == base:
            return 0.0
        parts = self.parts[name or self.weak]
        apart = (parts[self.at[arm.name]] - parts[self.at[base.name]]).mean(axis=0)  # (U,)
        units = len(apart)
        of_rows = units / (units - 1) * float(((apart - apart.mean()) ** 2).sum()) if units > 1 else 0.0
        means = parts.sum(axis=2)  # (A, S)
        arms, seeds = means.shape
        left = means - means.mean(axis=1, keepdims=True) - means.mean(axis=0) + means.mean()
        of_seeds = 2 * float((left**2).sum()) / ((arms - 1) * (seeds - 1)) / seeds if min(arms, seeds) > 1 else 0.0
        return math.sqrt(of_rows + of_seeds)

    def hurts(self, arm: Candidate) -> bool:
        """Whether another slice surely loses more than the margin, against nothing."""
        nothing = self.arms[self.at[NOTHING]]
        others = [name for name in self.parts if name != self.weak]
        lost = {name: self.loss(arm, name) - self.loss(nothing, name) for name in others}
        return any(lost[name] > self.margin + HARM * self.noise(arm, nothing, name) for name in others)

    def best(self, default: Candidate) -> tuple[Candidate, str]:
        """The arm to take, and why: the default, unless another gains more than the noise of its gain; then the most.

        A few rows and seeds make some arm look better by chance, the more so the more arms there are. The default is
        what is known to be right without a trial, so that it is left for evidence alone (the one-standard-error rule).
        """
        if self.hurts(default):
            default = self.arms[self.at[NOTHING]]
        others = [arm for arm in self.arms if arm is not default and not self.hurts(arm)]
        if not others:
            return default, f"everything but {default.name} harms another slice"
        sure = [arm for arm in others if self.gain(arm, default) > NOISE * self.noise(arm, default)]
        chosen = max(sure or others, key=lambda arm: (self.gain(arm, default), -arm.cost))
        gain, noise = 100 * self.gain(chosen, default), 100 * self.noise(chosen, default)
        said = f"{chosen.name} is {abs(gain):.1f} points {'better' if gain > 0 else 'worse'} than {default.name}"
        if not sure:
            return default, f"no arm is surely better than {default.name}: {said} (noise {noise:.1f})"
        return chosen, f"{said} (noise {noise:.1f})"

    def gain(self, arm: Candidate, base: Candidate) -> float:
        """By how much an arm's loss on the weak slice is less than another's."""
        return self.loss(base) - self.loss(arm)

    def figures(self, base: Candidate, says: Mapping[str, str], otherwise: str) -> list[Figure]:
        """A row for each arm, with its gain against one of them, and what `says` or `otherwise` has of it."""
        found = []
        for arm in self.arms:
            losses = {name: tuple(parts[self.at[arm.name]].sum(axis=1).tolist()) for name, parts in self.parts.items()}
            said = says.get(arm.name, "hurts" if self.hurts(arm) else otherwise)
            found.append(Figure(arm.name, losses, said, self.gain(arm, base), self.noise(arm, base)))
        return found
