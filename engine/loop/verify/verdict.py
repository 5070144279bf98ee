"""Did the weak slice gain, and did no other lose? One verdict, and a row for every slice that it looked at."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from sliceforge.engine.errors import SettingError, did_you_mean
from sliceforge.engine.loop.verify.mcnemar import mcnemar
from sliceforge.engine.loop.verify.paired import LEVEL, REPLICATES, joint, resampled
from sliceforge.engine.loop.verify.pairs import Pairs
from sliceforge.engine.loop.verify.swing import stretch

MARGIN = 0.01
"""What another slice may lose: 1 point."""

FEWEST = 8
"""Rows or clusters that a slice needs for an interval: with fewer, a bootstrap's is far too narrow."""

REST = "the rest"
"""The row of everything outside the weak slice: many small losses show where each alone would not."""


@dataclass(frozen=True)
class Change:
    """What became of one slice. Gains are before − after in units of the loss: 0.01 is 1 point.

    Args:
        slice: its name.
        rows: of the evaluation set.
        units: rows, or clusters of them, that are independent.
        before, after: mean loss, weighted, over seeds.
        gain: before − after.
        low, high: 95 % interval of the gain, for this slice alone, with what other seeds would give.
        worst, best: one-sided 95 % bounds that hold for all slices but the weak one at once; with one training on a
            side they are of these two models: a loss that their rows show counts, whatever it comes from.
        says: of the weak slice `gained` (low above 0) or `no gain shown`. Of another `lost` (best is below −margin),
            `held` (worst is not), or `unsure`: it may have lost more than the margin, and these rows cannot tell.
        more, fewer: units that gained and lost, and `p`, McNemar's mid-p.
    """

    slice: str
    rows: int
    units: int
    before: float
    after: float
    gain: float
    low: float
    high: float
    worst: float
    best: float
    says: str
    more: int
    fewer: int
    p: float

    def plain(self) -> dict[str, Any]:
        """For YAML and JSON; a bound that is not known is None."""
        rounded = {k: round(v, 6) if isinstance(v, float) else v for k, v in asdict(self).items()}
        return {k: None if isinstance(v, float) and math.isinf(v) else v for k, v in rounded.items()}


@dataclass(frozen=True)
class Verdict:
    """What to do with a change.

    Args:
        decision: `accept`, `halve` (the weak slice gained, another lost: try with half the budget) or `reject`.
        reason: one line.
        weak: the name of the weak slice.
        changes: a row per slice, the weak one first.
        margin: what another slice may lose.
        seeds: models before and after. With one on a side, what another seed would give is estimated (`swing.py`),
            which misses what moves a slice of one class as a whole; `benchmarks/loop/seeds.py` counts both. Two of
            each are as safe as three, and see far less.
    """

    decision: str
    reason: str
    weak: str
    changes: tuple[Change, ...]
    margin: float
    seeds: tuple[int, int]

    def plain(self) -> dict[str, Any]:
        """For YAML and JSON."""
        found = {"decision": self.decision, "reason": self.reason, "weak": self.weak, "margin": self.margin}
        return {**found, "seeds": list(self.seeds), "changes": [change.plain() for change in self.changes]}


def verify(
    pairs: Pairs,
    weak: str,
    slices: Mapping[str, np.ndarray],
    *,
    margin: float = MARGIN,
    replicates: int = REPLICATES,
    seed: int = 0,
) -> Verdict:
    """Accept only if the weak slice's gain is above 0 and no other slice is shown to have lost more than the margin.

    The gain must be above 0 with the lower bound of its 95 % interval. A loss elsewhere counts when it is beyond the
    margin with the upper bound of all other slices' joint interval. Point estimates do not do there: of eleven slices
    of 100 to 1 000 rows some estimate is a point down in most pairs of models that differ in their seed alone
    (`benchmarks/loop/verify.py`). The price is stated: a row whose interval is wide is `unsure`, never `held`.

    Args:
        pairs: losses before and after.
        weak: the name of the weak slice.
        slices: name → (N,) bool, its rows; all outside the weak one are looked at together too.
        margin: in units of the loss.
        replicates, seed: of the bootstrap.

    Raises:
        SettingError: no such slice, a slice without rows, or a mask of another length.
    """
    if weak not in slices:
        raise SettingError(f"weak: no slice {weak}{did_you_mean(weak, slices)}")
    members = _members(pairs, weak, slices)
    names, mask = list(members), np.stack(list(members.values()), axis=1)
    gain, draws = resampled(pairs, mask, replicates, seed)
    inside = mask & (pairs.weights > 0)[:, None]
    units = np.array([len(np.unique(pairs.units[column])) for column in inside.T])
    known = units >= FEWEST
    wider = gain + (draws - gain) * stretch(pairs, mask, draws.std(axis=0))
    low, high = np.quantile(wider, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    low, high = np.where(known, low, -math.inf), np.where(known, high, math.inf)
    worst, best = joint(gain, draws, known & (np.arange(len(names)) > 0))
    worst[0], best[0] = low[0], high[0]
    changes = [
        _change(pairs, name, member, int(count), (float(g), *map(float, bounds)), None if name == weak else margin)
        for name, member, count, g, *bounds in zip(names, mask.T, units, gain, low, high, worst, best, strict=True)
    ]
    decision, reason = _decided(changes, margin)
    if min(len(pairs.before), len(pairs.after)) == 1:
        reason += "; one training on a side: how far another seed goes is estimated, not seen"
    return Verdict(decision, reason, weak, tuple(changes), margin, (len(pairs.before), len(pairs.after)))


def _change(
    pairs: Pairs, name: str, member: np.ndarray, units: int, figures: tuple[float, ...], margin: float | None
) -> Change:
    """One row; `figures` are the gain and its four bounds, and without a margin it is the weak slice's."""
    share = pairs.weights * member / (pairs.weights * member).sum()
    before, after = (float(losses.mean(axis=0) @ share) for losses in (pairs.before, pairs.after))
    gain, low, high, worst, best = figures
    says = _weak_says(low) if margin is None else _other_says(worst, best, margin)
    votes, rows = mcnemar(pairs, member), int(member.sum())
    size = (name, rows, units, before, after)
    return Change(*size, gain, low, high, worst, best, says, votes.gained, votes.lost, votes.mid_p)


def _members(pairs: Pairs, weak: str, slices: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The weak slice first, then the others, then the rest."""
    found = {weak: slices[weak], **{name: mask for name, mask in slices.items() if name != weak}}
    rows = len(pairs.ids)
    for name, mask in found.items():
        if np.shape(mask) != (rows,) or not (pairs.weights * np.asarray(mask, bool)).any():
            raise SettingError(f"slice {name}: {int(np.sum(mask))} of {np.size(mask)} rows; expected some of {rows}")
    found = {name: np.asarray(mask, bool) for name, mask in found.items()}
    rest = ~found[weak]
    if (pairs.weights * rest).any():
        found.setdefault(REST, rest)
    return found


def _weak_says(low: float) -> str:
    return "gained" if low > 0 else "no gain shown"


def _other_says(worst: float, best: float, margin: float) -> str:
    if best < -margin:
        return "lost"
    return "held" if worst >= -margin else "unsure"


def _decided(changes: list[Change], margin: float) -> tuple[str, str]:
    first, others = changes[0], changes[1:]
    lost = [c for c in others if c.says == "lost"]
    unsure = sum(c.says == "unsure" for c in others)
    told = f"{first.slice} gained {100 * first.gain:.1f} points ({100 * first.low:.1f} to {100 * first.high:.1f})"
    few = f"{100 * margin:g} point{'s' * (margin != MARGIN)}"
    if math.isinf(first.low):
        return "reject", f"{first.slice}: {first.units} rows or clusters are too few to tell; {FEWEST} are needed"
    if first.says != "gained":
        moved = f"{100 * first.gain:+.1f} points ({100 * first.low:+.1f} to {100 * first.high:+.1f})"
        return "reject", f"no gain shown: {first.slice} {moved}"
    if lost:
        most = min(lost, key=lambda c: c.gain)
        return "halve", f"{told}, but {most.slice} lost {-100 * most.gain:.1f} (at least {-100 * most.best:.1f})"
    if not others:
        return "accept", f"{told}; there are no other rows"
    several = len(others) > 1
    who = f"none of {len(others)} others is" if several else f"{others[0].slice} is not"
    blind = f", though {unsure if several else 'it'} may have" if unsure else ""
    return "accept", f"{told}; {who} shown to have lost more than {few}{blind}"
