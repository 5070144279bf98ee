"""Which operation a slice needs: successive halving over a few candidates, trained for real."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from sliceforge.engine.errors import SettingError
from sliceforge.engine.loop.rung import MARGIN, NOTHING, OVERSAMPLE, Candidate, Figure, Parts, Rung, Train

MOST = 8
"""Candidates, with the two that make no data."""

RUNGS = (2, 3)
"""Seeds of each rung; half of the made-data arms goes on to the next. All of them train on everything there is: on a
part of it, a scarce slice would be scarcer still, and fewer seeds save as much."""


@dataclass(frozen=True)
class Choice:
    """The candidate to use, why, and every arm's figures."""

    candidate: Candidate
    reason: str
    figures: tuple[Figure, ...]

    def plain(self) -> dict[str, Any]:
        """For YAML and JSON."""
        found = {"chosen": self.candidate.name, "reason": self.reason}
        return {**found, "figures": [figure.plain() for figure in self.figures]}


def choose(
    train: Train,
    candidates: Sequence[Candidate],
    weak: str,
    *,
    default: str = NOTHING,
    margin: float = MARGIN,
    rungs: Sequence[int] = RUNGS,
    seed: int = 0,
) -> Choice:
    """Train all candidates with a few seeds, and the better half of those that make data with more.

    On the last rung the default is taken, unless another gains more on the weak slice than its noise; see `Rung.best`.
    An arm that surely costs another slice more than the margin, against nothing, is never taken.

    Args:
        train: see `Train`; asked once for each seed of an arm, from `seed` on, all of a rung together.
        candidates: at most 8 with `nothing` and `oversample`, which are added where they are missing and always stay.
        weak: the slice that should gain.
        default: `nothing` or `oversample`: what is right as far as is known without a trial.
        margin: in units of the loss.
        rungs: seeds of each, more from rung to rung.
        seed: the first one.

    Raises:
        SettingError: too many candidates, a name twice, no rung, or losses without the weak slice.
    """
    left = _with_both(candidates)
    if not rungs or rungs[0] < 1 or any(after < before for before, after in pairwise(rungs)):
        raise SettingError(f"rungs: {list(rungs)}; expected seeds of each, no fewer on a later one, such as 2, 3")
    base = next(arm for arm in left if arm.name == default)
    runs: dict[tuple[str, int], Parts] = {}
    out: list[Figure] = []
    for at, seeds in enumerate(rungs, 1):
        used = range(seed, seed + seeds)
        _train(runs, train, left, used, weak)
        rung = Rung(runs, left, weak, used, margin)
        if at < len(rungs):
            left = _better_half(rung)
            says = {arm.name: "on" for arm in left}
            out += [figure for figure in rung.figures(base, says, "out") if figure.name not in says]
    chosen, reason = rung.best(base)
    return Choice(chosen, reason, (*rung.figures(base, {chosen.name: "chosen"}, "not chosen"), *out))


def _better_half(rung: Rung) -> list[Candidate]:
    """Of the arms that make data, and with them the others."""
    made = [arm for arm in rung.arms if arm.makes]
    ranked = sorted(made, key=lambda arm: (rung.hurts(arm), rung.loss(arm), arm.cost))
    out = ranked[math.ceil(len(ranked) / 2) :]
    return [arm for arm in rung.arms if arm not in out]


def _train(
    runs: dict[tuple[str, int], Parts], train: Train, arms: Sequence[Candidate], seeds: range, weak: str
) -> None:
    """Train what is missing.

    Raises:
        SettingError: not the losses of the weak slice, or not the same rows each time, or one that is no number.
    """
    wanted = [(arm, seed) for arm in arms for seed in seeds if (arm.name, seed) not in runs]
    for (arm, seed), losses in zip(wanted, train(wanted), strict=True):
        runs[arm.name, seed] = found = {name: np.atleast_1d(parts) for name, parts in losses.items()}
        first = next(iter(runs.values()))
        if weak not in found or {n: len(p) for n, p in found.items()} != {n: len(p) for n, p in first.items()}:
            raise SettingError(f"train: losses of {', '.join(found)}; expected {weak} and the same rows each time")
        bad = next((name for name, parts in found.items() if not np.isfinite(parts).all()), None)
        if bad is not None:
            raise SettingError(f"train: a loss of {bad} is not a number; expected one, such as 0.25")


def _with_both(candidates: Sequence[Candidate]) -> list[Candidate]:
    names = [arm.name for arm in candidates]
    found = [*(Candidate(name) for name in (NOTHING, OVERSAMPLE) if name not in names), *candidates]
    if len(found) > MOST or len(set(names)) < len(names):
        raise SettingError(
            f"candidates: {', '.join(names)}; expected at most {MOST} different ones with {NOTHING} and {OVERSAMPLE}"
        )
    return found
