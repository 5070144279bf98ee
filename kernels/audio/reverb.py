"""Reverberation: out = x ∗ h, with an impulse response h from a bank, or of a car's cabin; its direct path is at 0."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from sliceforge.engine.deal import Deal
from sliceforge.engine.errors import InputError, SettingError, did_you_mean
from sliceforge.engine.keys import Keys
from sliceforge.engine.op import Columns, Real, Shapes, Spectrum, setting
from sliceforge.engine.shares import Shares
from sliceforge.kernels import shoebox
from sliceforge.kernels.noise import lattice, pieces

CABIN = ("t60", "distance", "width", "height", "length")
NEAR = 0.05  # metres that a microphone keeps from the walls


@dataclass(frozen=True)
class Reverb(Spectrum):
    """The response has an energy of one, and what comes before its main peak is cut off: no alignment moves.

    A cabin is a shoebox with image sources, in which every reflection leaves the same share, chosen so that the
    response decays by 60 dB in `t60`. The speaker sits in the middle of its length, the microphone is in front.

    Args:
        source: `cabin`; `bank`; or `either`, half and half, the cabin alone where the run has no such bank.
        bank: the name of a bank of impulse responses; of one with several channels, one is drawn.
        cap: how often an item of the bank is used in a run, at most; 0: no limit.
        in_turn: no item comes again before all have come, as with a cap. `either` then takes one of every two rows from
            the bank.
        quota: shares of tags, such as {hall: 0.3, car: 0.7}; empty: every item is as likely as any other.
        t60: seconds, of the cabin.
        distance: metres from mouth to microphone.
        width, height, length: metres, of the cabin.
    """

    version: ClassVar[int] = 4
    by_item: ClassVar[bool] = True

    source: str = setting("cabin", choices=("cabin", "bank", "either"))
    bank: str = setting("rirs")
    cap: int = setting(0, "uses", low=0)
    in_turn: bool = setting(False)
    quota: Shares = setting(None)
    t60: Real = setting([0.03, 0.1], "s", low=0.02, high=0.2)
    distance: Real = setting([0.3, 1.0], "m", low=0.05, high=3)
    width: Real = setting([1.2, 1.6], "m", low=1, high=5)
    height: Real = setting([1.1, 1.3], "m", low=1, high=5)
    length: Real = setting([1.9, 2.6], "m", low=1, high=10)

    def check(self) -> None:
        """The microphone stays inside the cabin, whatever is drawn."""
        least = {name: (getattr(self, name).ends() or (1.0,))[0] for name in ("width", "height", "length")}
        most = min(0.9 * least["width"], least["height"], 0.55 * least["length"])
        reach = (self.distance.ends() or (0.0, 0.0))[1]
        if reach > most + 1e-9:
            raise SettingError(f"distance: {reach:g}: expected at most {most:.2g} m in a cabin of these sizes")

    def banks(self) -> tuple[str, ...]:
        """The bank, where nothing else will do."""
        return (self.bank,) if self.source == "bank" else ()

    def draw(self, keys: Keys, shapes: Shapes) -> Columns:
        """`source`; of the bank `item` and `channel`, 0 the first and almost 1 the last; of the cabin its numbers, 0
        with a bank item, and a `key` for the places in it."""
        plan = super().draw(keys, shapes)
        inventory = shapes.banks.get(self.bank)
        ids = list(inventory.ids) if inventory is not None else []
        if self.source == "bank" and not ids and len(keys):
            known = did_you_mean(self.bank, shapes.banks)
            raise SettingError(f"banks.{self.bank}: responses come from there: banks.{self.bank}=FOLDER{known}")
        taken, slots = self._deal().taken(keys, shapes, self.source, bool(ids))
        plan["source"] = np.where(taken, "bank", "cabin").astype(object)
        plan["item"] = np.full(len(keys), "", object)
        if inventory is not None and ids and taken.any():
            rows = np.flatnonzero(taken)
            some = None if slots is None else slots[rows]
            pick = self._deal().items(keys.take(rows), shapes.take(rows), inventory, some)
            plan["item"][rows] = np.where(pick < 0, "", np.array(ids, object)[pick])
        plan["channel"] = np.where(taken, keys.uniform("channel")[:, 0], 0).astype(np.float32)
        for name in CABIN:
            plan[name] = np.where(taken, 0, plan[name]).astype(np.float32)
        plan["key"] = keys.field()
        return plan

    def by_slot(self) -> bool:
        """With a cap, in turn or with a quota."""
        return self._deal().by_slot()

    def _deal(self) -> Deal:
        return Deal(self.bank, self.cap, self.in_turn, self.quota)

    def response(self, rate: int, sound: np.ndarray | None, /, **plan: Any) -> np.ndarray:
        """(N,) float64 with an energy of one."""
        if sound is None and plan["source"] == "bank":
            raise InputError("empty", f"every item of banks.{self.bank} has been used as often as its cap says")
        if sound is None:
            size = np.array([float(plan[name]) for name in ("width", "height", "length")])
            mouth, ear = places(size, float(plan["distance"]), int(plan["key"]))
            wave = shoebox.response(size, mouth, ear, float(plan["t60"]), rate, pieces(int(plan["key"])))
        else:
            wave = sound[int(np.argmax(np.abs(sound))) :].astype(np.float64)
        energy = float(np.square(wave).sum())
        if not energy > 0:
            raise InputError("silent", "an impulse response of nothing but zeros")
        return wave / math.sqrt(energy)

    def responses(self, rate: int, device: str, plans: Sequence[Columns]) -> Sequence[Any]:
        """The same of many rooms at once."""
        from sliceforge.kernels.rooms import normalised

        sizes = [np.array([float(plan[name]) for name in ("width", "height", "length")]) for plan in plans]
        keys = [pieces(int(plan["key"])) for plan in plans]
        there = [
            places(size, float(plan["distance"]), int(plan["key"])) for size, plan in zip(sizes, plans, strict=True)
        ]
        return normalised(sizes, there, [float(plan["t60"]) for plan in plans], rate, keys, device)


def places(size: np.ndarray, distance: float, key: int) -> tuple[np.ndarray, np.ndarray]:
    """Mouth and microphone, (3,) each, metres from the left, the floor and the windscreen.

    The microphone is `distance` away, up to 30° to either side of straight ahead and from 15° below to 30° above.
    """
    u = [0.5 + 0.5 * float(lattice(i, 0, *pieces(key))) for i in range(5)]
    mouth = size * np.array([0.25 + 0.5 * u[0], 0.6 + 0.1 * u[1], 0.58 + 0.08 * u[2]])
    turn, tilt = math.radians(60 * u[3] - 30), math.radians(45 * u[4] - 15)
    ahead = np.array([math.sin(turn) * math.cos(tilt), math.sin(tilt), -math.cos(turn) * math.cos(tilt)])
    ear = mouth + distance * ahead
    # Where a wall is in the way, the other side of the mouth has room: `check` saw to that.
    ear = np.where((ear < NEAR) | (ear > size - NEAR), mouth - distance * ahead, ear)
    return mouth, ear
