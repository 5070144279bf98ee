"""Add noise at a signal-to-noise ratio: out = foreground + noise · L(foreground) / L(noise) · 10^(−snr/20)."""

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from sliceforge.engine.deal import Deal, offsets, rounds
from sliceforge.engine.errors import InputError, SettingError, did_you_mean
from sliceforge.engine.keys import Keys
from sliceforge.engine.op import Columns, Inventory, Real, Shapes, setting
from sliceforge.engine.op import Mix as MixForm
from sliceforge.engine.shares import Shares
from sliceforge.kernels.loudness import REFERENCES, Levels

STEP = 2.0**-15
"""One step of 16 bits: what has a smaller RMS is silent."""


@dataclass(frozen=True)
class Mix(MixForm):
    """A second sound under the foreground, from a bank or from an earlier step that makes one.

    L is, by `reference`: `active`, the foreground's active speech level after ITU-T P.56 and the noise's RMS; `rms`,
    both RMS; `g712`, both RMS in the telephone band, 300–3400 Hz; `a_weighted`, both RMS after A-weighting. The gate
    `snr` stores what came out under each.

    Args:
        snr: dB.
        reference: what the SNR is measured by.
        source: `bank`, `either` (the bank and the step named by `procedural` half and half; that step alone where the
            run has no such bank), or the name of an earlier step that makes a sound, such as `cabin`.
        bank: the name of the bank.
        procedural: the name of the step that `either` takes.
        cap: how often an item of the bank is used in a run, at most; 0: no limit.
        in_turn: no item comes again before all have come, as with a cap. `either` then takes one of every two rows from
            the bank.
        quota: shares of tags, such as {street: 0.7, rain: 0.3}; empty: every item is as likely as any other.
        bins: equal parts of the range of `snr`, each of which as many rows of a run get; 0: freely drawn.
    """

    version: ClassVar[int] = 2

    snr: Real = setting([-5, 15], "dB", low=-60, high=100)
    reference: str = setting("active", choices=REFERENCES)
    source: str = setting("either")
    bank: str = setting("noise")
    procedural: str = setting("cabin")
    cap: int = setting(0, "uses", low=0)
    in_turn: bool = setting(False)
    quota: Shares = setting(None)
    bins: int = setting(0, "", low=0, high=1000)

    def check(self) -> None:
        """Only a range has parts."""
        if self.bins and self.snr.kind != "uniform":
            raise SettingError("bins: expected a range of SNRs to cut in parts, such as snr: [-5, 15]")

    def by_slot(self) -> bool:
        """With a cap, in turn, with a quota or bins."""
        return bool(self.bins) or self._deal().by_slot()

    def _deal(self) -> Deal:
        return Deal(self.bank, self.cap, self.in_turn, self.quota)

    def by_scale(self) -> bool:
        """The active level alone moves with the clip's loudness."""
        return self.reference == "active"

    def sources(self) -> set[str]:
        """What the plan's column `source` may hold: `bank`, and names of earlier steps."""
        return {"bank", self.procedural} if self.source == "either" else {self.source}

    def banks(self) -> tuple[str, ...]:
        """The bank, where nothing else will do."""
        return (self.bank,) if self.source == "bank" else ()

    def draw(self, keys: Keys, shapes: Shapes) -> Columns:
        """`snr`; `source`; and of a bank `item` and `offset`, in samples at the clip's rate (empty and 0 otherwise).

        Without quotas every bank item is as likely as any other, and every excerpt of it; one shorter than the clip is
        looped, from anywhere. An item that has been used as often as its cap says is empty.
        """
        plan = super().draw(keys, shapes)
        inventory = shapes.banks.get(self.bank)
        found = inventory is not None and len(inventory.ids) > 0
        if self.source == "bank" and not found and len(keys):
            known = did_you_mean(self.bank, shapes.banks)
            raise SettingError(
                f"banks.{self.bank}: the mix takes its noise from there: banks.{self.bank}=FOLDER{known}"
            )
        if self.bins and shapes.slots is not None:
            low, high = self.snr.values
            part, _ = rounds(keys.seed, keys.step, "bin", [str(i) for i in range(self.bins)], shapes.slots)
            within = (plan["snr"].astype(np.float64) - low) / self.bins
            plan["snr"] = (low + (high - low) / self.bins * part + within).astype(np.float32)
        other = self.procedural if self.source == "either" else self.source
        taken, slots = self._deal().taken(keys, shapes, self.source, found)
        plan["source"] = np.where(taken, "bank", other).astype(object)
        plan["item"] = np.full(len(keys), "", object)
        plan["offset"] = np.zeros(len(keys), np.int64)
        if inventory is not None and found and taken.any():
            rows = np.flatnonzero(taken)
            some = None if slots is None else slots[rows]
            item, offset = _excerpts(keys.take(rows), shapes.take(rows), inventory, self._deal(), some)
            plan["item"][rows], plan["offset"][rows] = item, offset
        return plan

    def factor(self, foreground: np.ndarray, noise: np.ndarray, rate: int, /, **plan: Any) -> float:
        """What the noise (T,) is multiplied by."""
        return self.by_levels(Levels(foreground, rate), Levels(noise, rate), **plan)

    def by_levels(self, foreground: Any, noise: Any, /, **plan: Any) -> float:
        """The same from levels."""
        for name, sound in (("foreground", foreground), ("noise", noise)):
            if not sound.level("rms", False) >= STEP:
                raise InputError("silent", f"the {name} of the mix has no level: below one step of 16 bits")
        over, under = foreground.level(self.reference, True), noise.level(self.reference, False)
        factor = over / under * 10 ** (-float(plan["snr"]) / 20) if over > 0 and under > 0 else math.nan
        if not math.isfinite(factor):
            raise InputError("silent", f"nothing of the mix is left to measure under {self.reference}")
        return factor


def _excerpts(
    keys: Keys, shapes: Shapes, inventory: Inventory, deal: Deal, slots: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    pick = deal.items(keys, shapes, inventory, slots)
    offset = offsets(keys, shapes, np.asarray(inventory.seconds, np.float64)[pick])
    return np.where(pick < 0, "", np.array(inventory.ids, object)[pick]), np.where(pick < 0, 0, offset)
