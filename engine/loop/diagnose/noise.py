"""How many labels of a slice are wrong, and whether that is too many."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from sliceforge.engine.loop.diagnose.confident import Confidence
from sliceforge.engine.loop.find.statistics import wilson

NOISY = 0.08
"""Share of wrong labels from which labels come first."""

BELOW, ABOVE = 0.5, 1.0
"""Standard errors: as far above `NOISY` the rate must lie; as far below it the surer half's rate may lie.

`python -m benchmarks.loop.labels` simulates this rule and others: the estimate alone alarms on up to 16 % of the sets
of 200 with 5 % noise, and a 95 % bound misses a quarter of those with 12 % and more. With a model that is right on 95 %
of the items, this rule closes from 500 items on in at most 1 % of the sets with 5 % noise and at least 99 % of those
with 12 %; with 200 in at most 7 % and at least 87 %. One that is right on 90 % needs 2000 items for as much.
"""

FEWEST = 30
"""Items of which the model is sure, that are needed to judge a slice."""

KNOWS = 0.75
"""Share of the given labels with which a model agrees that may judge them without more ado."""

AS_SURE, AS_WRONG = 0.9, 0.6
"""Another one may where it is sure of so many items against elsewhere, and the surer half is as wrong as this × all."""

EASY, HARD, LEAST = 0.4, 0.6, 0.55
"""What tells wrong labels from a model that errs: so much of the share of all items that it contradicts, it
contradicts of the surer half.

Wrong labels are contradicted wherever they are; a model that meets noise, or is weak, errs where it is less sure.
`HARD` is asked for, of the surest quarter too, in a slice of which the model is less often sure than elsewhere, or with
fewer than `KNOWS` of whose labels it agrees; there it must agree with `LEAST`. `python -m benchmarks.loop.slices`
measures false alarms on hard slices, and hits on mislabelled ones.
"""


@dataclass(frozen=True)
class Noise:
    """How many labels are wrong: those that the model contradicts / those of which it is sure of any class.

    Args:
        suspects: contradicted.
        sure: items with a confident class.
        items: items in all.
        rate: suspects / sure.
        low, high: 95 %, Wilson.
        surest: the rate in the surer half; about `rate` where labels are wrong, far less where the model is.
        agrees: share of the items whose most probable class is the given one.
        noisy: whether the gate closes.
        judged: whether the model knows enough of these items to judge labels.
    """

    suspects: int
    sure: int
    items: int
    rate: float
    low: float
    high: float
    surest: float
    agrees: float
    noisy: bool
    judged: bool

    def line(self) -> str:
        """In plain words."""
        if not self.judged:
            few = f"it is sure of {self.sure} of {self.items} items and agrees with {self.agrees:.0%} of the labels"
            return f"labels not judged: the model knows too little here: {few}"
        said = f"{self.suspects} of the {self.sure} labels that the model is sure about look wrong"
        why = ""
        if self.rate > NOISY and not self.noisy:
            surer = f"of the surer half it contradicts {self.surest:.1%}, of all items {1 - self.agrees:.1%}"
            why = f", and this is not surely more, or the model errs rather than the labels: {surer}"
        return f"label noise {self.rate:.1%} [{self.low:.1%}, {self.high:.1%}]: {said}; the limit is {NOISY:.0%}{why}"


def noise_rate(judged: Confidence, rows: np.ndarray | None = None) -> Noise:
    """The rate of wrong labels of a slice, with thresholds of all items.

    Items without a confident class are left out of both counts: the model says nothing of their labels.

    Noisy: Wilson's bound `BELOW` standard errors under the rate is above `NOISY`, so is the one `ABOVE` standard errors
    over the surer half's rate, and the contradictions are those of wrong labels (`EASY`, `HARD`).

    Args:
        judged: N items.
        rows: (N,) the slice; None: all.
    """
    rows = np.ones(len(judged.labels), bool) if rows is None else rows
    sure, half = rows & judged.sure, judged.surest(rows)
    suspects, known = int((judged.suspect & sure).sum()), int(sure.sum())
    wrong, top = int((judged.suspect & half).sum()), int(half.sum())
    right = judged.probabilities.argmax(axis=1) == judged.labels
    agrees = float(right[rows].mean()) if rows.any() else math.nan
    rate, surest = (count / total if total else math.nan for count, total in ((suspects, known), (wrong, top)))
    many = bool(wilson(suspects, known, BELOW)[0] > NOISY and wilson(wrong, top, ABOVE)[1] > NOISY)
    noisy = known >= FEWEST and many and _of_labels(judged, rows, surest, agrees)
    knows = known >= FEWEST and (agrees >= KNOWS or (_as_sure(judged, rows) and surest >= AS_WRONG * rate))
    low, high = map(float, wilson(suspects, known))
    return Noise(suspects, known, int(rows.sum()), rate, low, high, surest, agrees, noisy, knows or noisy)


def _of_labels(judged: Confidence, rows: np.ndarray, surest: float, agrees: float) -> bool:
    """Whether contradictions are where those of wrong labels are: among the surest items as well."""
    everywhere = int((~rows).sum()) < FEWEST
    if everywhere or (agrees >= KNOWS and _as_sure(judged, rows)):
        return surest >= EASY * (1 - agrees)
    quarter = judged.suspect[judged.surest(rows, 0.25)]
    return bool(agrees >= LEAST and min(surest, quarter.mean()) >= HARD * (1 - agrees))


def _as_sure(judged: Confidence, rows: np.ndarray) -> bool:
    """Whether the model is about as often sure in the slice as outside, where there is an outside."""
    if int((~rows).sum()) < FEWEST:
        return True
    return bool(judged.sure[rows].mean() >= AS_SURE * judged.sure[~rows].mean())
