"""Which operation a slice needs: successive halving over a few candidates, trained for real."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sliceforge.engine.errors import SettingError
from sliceforge.engine.loop.rung import MARGIN, NOTHING, OVERSAMPLE, Candidate, Figure, Rung, Train

MOST = 8
"""Candidates, with the two that make no data."""

RUNGS = ((0.25, 2), (0.5, 2), (1.0, 3))
"""Resource (a share of the full training) and seeds of each rung; half of the made-data arms goes on to the next."""


@dataclass(frozen=True)
class Choice:
    """The candidate to use, why, and every figure of every rung."""

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
    margin: float = MARGIN,
    rungs: Sequence[tuple[float, int]] = RUNGS,
    seed: int = 0,
) -> Choice:
    """Train candidates briefly and the better half longer; the last few, and both that make no data, fully.

    `nothing` is on every rung, as what the others are measured against; `oversample` on the last. There, the better of
    these two is taken, unless a made-data arm beats it on the weak slice by more than its noise. An arm that costs
    another slice more than the margin and its noise, against nothing, is never taken while there is another.

    Args:
        train: see `Train`; called with seeds from `seed` on, the same for all arms of a rung.
        candidates: at most 8 with `nothing` and `oversample`, which are added where they are missing.
        weak: the slice that should gain.
        margin: in units of the loss.
        rungs: (resource, seeds) each.
        seed: the first one.

    Raises:
        SettingError: too many candidates, a name twice, no rung, or losses without the weak slice.
    """
    arms = _with_both(candidates)
    if not rungs or any(seeds < 1 for _, seeds in rungs):
        raise SettingError(f"rungs: {list(rungs)}; expected (resource, seeds) each, such as (0.25, 2), (1.0, 3)")
    made, figures = [arm for arm in arms if arm.makes], []
    nothing, oversample = (next(arm for arm in arms if arm.name == name) for name in (NOTHING, OVERSAMPLE))
    for resource, seeds in rungs[:-1]:
        if len(made) > 1:
            rung = Rung(train, [nothing, *made], weak, resource, range(seed, seed + seeds), margin)
            ranked = sorted(made, key=lambda arm: (rung.hurts(arm), rung.loss(arm), arm.cost))
            made = ranked[: math.ceil(len(ranked) / 2)]
            figures += rung.figures(nothing, {arm.name: "on" for arm in (nothing, *made)}, "out")
    resource, seeds = rungs[-1]
    last = Rung(train, [nothing, oversample, *made], weak, resource, range(seed, seed + seeds), margin)
    chosen, base, reason = last.best()
    figures += last.figures(base, {chosen.name: "chosen"}, "not chosen")
    return Choice(chosen, reason, tuple(figures))


def _with_both(candidates: Sequence[Candidate]) -> list[Candidate]:
    names = [arm.name for arm in candidates]
    found = [*(Candidate(name) for name in (NOTHING, OVERSAMPLE) if name not in names), *candidates]
    if len(found) > MOST or len(set(names)) < len(names):
        raise SettingError(
            f"candidates: {', '.join(names)}; expected at most {MOST} different ones with {NOTHING} and {OVERSAMPLE}"
        )
    return found
