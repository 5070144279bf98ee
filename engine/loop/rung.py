"""One rung of successive halving: arms trained alike, and what their figures say."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sliceforge.engine.errors import SettingError

NOTHING, OVERSAMPLE = "nothing", "oversample"
MARGIN = 0.01
"""What an arm may cost another slice."""

NOISE = 1.0
"""Standard errors by which a made-data arm must be better than the best that makes none."""


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


Train = Callable[[Candidate, int, float], Mapping[str, float]]
"""(candidate, seed, resource) → mean loss of each slice on rows that tune, never on those that report."""


@dataclass(frozen=True)
class Figure:
    """One arm on one rung.

    Args:
        name: of the candidate.
        resource: share of the full training.
        losses: slice → (S,) losses, one per seed.
        says: `out` (too weak for the next rung) or `on`, on the last rung `chosen` or `not chosen`; `hurts`: not taken,
            as another slice loses.
        gain: on the weak slice against the best arm that makes no data (before the last rung: against nothing).
        noise: standard error of that gain, pooled over the rung's arms.
    """

    name: str
    resource: float
    losses: Mapping[str, tuple[float, ...]]
    says: str
    gain: float
    noise: float

    def plain(self) -> dict[str, Any]:
        """For YAML and JSON."""
        losses = {name: [round(v, 6) for v in values] for name, values in self.losses.items()}
        figures = {"gain": round(self.gain, 6), "noise": round(self.noise, 6)}
        return {"name": self.name, "resource": self.resource, "says": self.says, **figures, "losses": losses}


class Rung:
    """Arms trained with the same resource and the same seeds."""

    def __init__(
        self, train: Train, arms: Sequence[Candidate], weak: str, resource: float, seeds: range, margin: float
    ) -> None:
        self.arms, self.weak, self.resource, self.margin = list(arms), weak, resource, margin
        self.at = {arm.name: row for row, arm in enumerate(self.arms)}
        runs = [[train(arm, seed, resource) for seed in seeds] for arm in self.arms]
        names = list(runs[0][0])
        if weak not in names or any(set(run) != set(names) for line in runs for run in line):
            raise SettingError(f"train: losses of {', '.join(names)}; expected {weak} and the same slices each time")
        self.losses = {n: np.array([[run[n] for run in line] for line in runs], np.float64) for n in names}  # (A, S)
        bad = next((name for name, losses in self.losses.items() if not np.isfinite(losses).all()), None)
        if bad is not None:
            raise SettingError(f"train: a loss of {bad} is not a number; expected one, such as 0.25")

    def loss(self, arm: Candidate) -> float:
        """Of an arm on the weak slice, over seeds."""
        return float(self.losses[self.weak][self.at[arm.name]].mean())

    def noise(self, name: str) -> float:
        """Standard error of the difference of two arms on a slice: what is left beside arms and seeds, pooled."""
        losses = self.losses[name]
        arms, seeds = losses.shape
        if seeds < 2:
            return 0.0
        left = losses - losses.mean(axis=1, keepdims=True) - losses.mean(axis=0) + losses.mean()
        return math.sqrt(2 * float((left**2).sum()) / ((arms - 1) * (seeds - 1)) / seeds)

    def hurts(self, arm: Candidate) -> bool:
        """Whether another slice loses more than the margin, and more than the noise explains."""
        row, base = self.at[arm.name], self.at[NOTHING]
        for name, losses in self.losses.items():
            lost = float(losses[row].mean() - losses[base].mean())
            if name != self.weak and lost > self.margin + NOISE * self.noise(name):
                return True
        return False

    def best(self) -> tuple[Candidate, Candidate, str]:
        """The arm to take, the arm without made data that it is measured against, and why."""
        fit = [arm for arm in self.arms if not self.hurts(arm)]  # nothing is always among them
        base = min((arm for arm in fit if not arm.makes), key=lambda arm: (self.loss(arm), arm.name == OVERSAMPLE))
        noise = self.noise(self.weak)
        better = [arm for arm in fit if arm.makes and self.loss(base) - self.loss(arm) > NOISE * noise]
        if not better:
            return base, base, f"no operation beats {base.name} by more than its noise ({100 * noise:.1f} points)"
        top = min(self.loss(arm) for arm in better)
        chosen = min(better, key=lambda arm: (self.loss(arm) - top > NOISE * noise, arm.cost, self.loss(arm)))
        gain = 100 * (self.loss(base) - self.loss(chosen))
        return chosen, base, f"{chosen.name} is {gain:.1f} points better than {base.name} (noise {100 * noise:.1f})"

    def figures(self, base: Candidate, says: Mapping[str, str], otherwise: str) -> list[Figure]:
        """A row for each arm, with its gain against one of them, and what `says` or `otherwise` has of it."""
        noise = self.noise(self.weak)
        found = []
        for arm in self.arms:
            row = self.at[arm.name]
            losses = {name: tuple(values[row].tolist()) for name, values in self.losses.items()}
            said = says.get(arm.name, "hurts" if self.hurts(arm) else otherwise)
            found.append(Figure(arm.name, self.resource, losses, said, self.loss(base) - self.loss(arm), noise))
        return found
