"""Arms against each other on the same rows: accuracy in each slice, and paired gains with 95 % intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from sliceforge.engine.loop.verify.paired import resampled
from sliceforge.engine.loop.verify.pairs import Pairs
from sliceforge.engine.loop.verify.verdict import verify

REPLICATES = 4000


class Asked(NamedTuple):
    """The rows that a model is asked, the same for every seed and arm.

    Args:
        x: what it sees of them.
        y: the class of each.
        ids: of the rows.
        cluster: which of them are of one item.
        slices: name → which rows.
    """

    x: np.ndarray
    y: np.ndarray
    ids: np.ndarray
    cluster: np.ndarray
    slices: dict[str, np.ndarray]


@dataclass(frozen=True)
class Judged:
    """Losses of the arms on the rows that report.

    Args:
        ids: (N,) of the rows.
        cluster: (N,) which rows are of one item.
        slices: name → (N,) bool.
        losses: arm → (S, N) of 0 and 1, the same seeds in each.
    """

    ids: np.ndarray
    cluster: np.ndarray
    slices: Mapping[str, np.ndarray]
    losses: Mapping[str, np.ndarray]

    def accuracy(self) -> list[dict[str, Any]]:
        """A row for each slice: its rows, each arm's percent right, one for each seed, and its mean's interval."""
        found = []
        ends = {arm: self._ends(losses) for arm, losses in self.losses.items()}
        for at, (name, mask) in enumerate(self.slices.items()):
            right = {arm: 100 * (1 - losses[:, mask].mean(axis=1)) for arm, losses in self.losses.items()}
            seeds = {arm: [round(float(one), 2) for one in values] for arm, values in right.items()}
            interval = {arm: [round(float(end), 2) for end in some[:, at]] for arm, some in ends.items()}
            found.append({"slice": name, "rows": int(mask.sum()), "percent": seeds, "interval": interval})
        return found

    def _ends(self, losses: np.ndarray) -> np.ndarray:
        """(2, slices) percent right, 95 % over items and seeds, cut at 0 and 100."""
        never = Pairs(self.ids, np.ones((1, len(self.ids))), losses, cluster=self.cluster)
        _, draws = resampled(never, np.stack(list(self.slices.values()), axis=1), REPLICATES)
        return np.clip(100 * np.quantile(draws, [0.025, 0.975], axis=0), 0, 100)

    def pairs(self, base: str, arm: str) -> Pairs:
        """Two arms' losses."""
        return Pairs(self.ids, self.losses[base], self.losses[arm], cluster=self.cluster)

    def gains(self, base: str, arm: str) -> list[dict[str, Any]]:
        """Points that an arm is right more often than another, in each slice, over items and seeds."""
        gain, draws = resampled(self.pairs(base, arm), np.stack(list(self.slices.values()), axis=1), REPLICATES)
        low, high = np.quantile(draws, [0.025, 0.975], axis=0)
        triples = zip(self.slices, gain, low, high, strict=True)
        return [{"slice": name, "base": base, "arm": arm, **points(*three)} for name, *three in triples]

    def share(self, name: str, start: str, arm: str, end: str) -> dict[str, float]:
        """Percent of the way from one arm to another that a third one goes in a slice; the same rows in each draw."""
        mask = self.slices[name][:, None]
        made, whole = (resampled(self.pairs(start, to), mask, REPLICATES) for to in (arm, end))
        ratio = made[1][:, 0] / np.where(np.abs(whole[1][:, 0]) > 1e-9, whole[1][:, 0], np.nan)
        low, high = np.nanquantile(ratio, [0.025, 0.975])
        return points(float(made[0][0] / whole[0][0]) if whole[0][0] else float("nan"), low, high)

    def verdict(self, base: str, arm: str, weak: str) -> dict[str, Any]:
        """What `verify` says of the arm."""
        found = verify(self.pairs(base, arm), weak, self.slices, replicates=REPLICATES).plain()
        return {"base": base, "arm": arm, **{key: found[key] for key in ("decision", "reason", "weak", "seeds")}}


def points(gain: float, low: float, high: float) -> dict[str, float]:
    """In hundredths, as JSON holds them."""
    return {"gain": round(100 * float(gain), 2), "low": round(100 * float(low), 2), "high": round(100 * float(high), 2)}


def stacked(found: Sequence[Mapping[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """arm → (S, N) from one arm → (N,) for each seed."""
    return {arm: np.stack([one[arm] for one in found]) for arm in found[0]}


def bar(says: str, value: Mapping[str, float], least: float) -> dict[str, Any]:
    """One bar: what it asks for, what came out with its interval, and whether the figure itself reaches it."""
    return {"bar": says, **value, "least": least, "met": bool(value["gain"] >= least)}
