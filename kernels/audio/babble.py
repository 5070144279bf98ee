"""Other voices at once: Σₖ 10^(levelₖ/20) · xₖ / RMS(xₖ) of a few talkers, none of them the one of the clip."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from sliceforge.engine.deal import offsets
from sliceforge.engine.errors import SettingError, did_you_mean
from sliceforge.engine.excerpts import excerpt
from sliceforge.engine.keys import Keys
from sliceforge.engine.op import Columns, Inventory, Real, Shapes, Source, Whole, setting
from sliceforge.kernels.loudness import rms

MOST = 16


@dataclass(frozen=True)
class Babble(Source):
    """Voices from a bank, by default the run's own data, laid over each other.

    Talkers are drawn speaker by speaker, then an item of each: never the clip's own speaker, and no speaker twice. A
    bank with fewer others has fewer talkers. Whose an item is, its table says in a column `speaker`, `group` or
    `recording`; items of nobody count as one speaker each. Each talker has a level of its own against the RMS of the
    whole item, begins anywhere in it, and goes on with a crossfade where the item ends.

    Args:
        bank: the name of the bank; where the run has none of that name, its own data serve, train items alone.
        talkers: how many; passengers are 1 to 3, a crowd is 3 to 7.
        spread: dB of each talker against the others.
    """

    version: ClassVar[int] = 1

    bank: str = setting("voices")
    talkers: Whole = setting([1, 3], "", low=1, high=MOST)
    spread: Real = setting([-5, 5], "dB", low=-60, high=60)

    def own_banks(self) -> tuple[str, ...]:
        """The voices."""
        return (self.bank,)

    def draw(self, keys: Keys, shapes: Shapes) -> Columns:
        """`talkers`, as many as there are, and of each `item_1`, `offset_1` (samples at the clip's rate), `level_1`
        (dB): empty and 0 beyond the last."""
        most = int((self.talkers.ends() or (0, 0))[1])
        plan: Columns = {"talkers": self.talkers.draw(keys, "talkers")}
        inventory = shapes.banks.get(self.bank)
        if (inventory is None or not len(inventory.ids)) and len(keys):
            known = did_you_mean(self.bank, shapes.banks)
            raise SettingError(
                f"banks.{self.bank}: babble takes its voices from there: banks.{self.bank}=FOLDER{known}"
            )
        picked = np.full((len(keys), most), -1)
        if inventory is not None:
            for split, rows in shapes.by_split():
                own = None if shapes.groups is None else shapes.groups[rows]
                picked[rows] = _others(keys.take(rows), inventory, inventory.pool(split), own, most)
            ids, seconds = np.array([*inventory.ids, ""], object), np.array([*inventory.seconds, 0.0])
        plan["talkers"] = np.minimum(plan["talkers"], (picked >= 0).sum(axis=1))
        for k in range(most):
            on = k < plan["talkers"]
            name, place = f"offset_{k + 1}", picked[:, k]
            plan[f"item_{k + 1}"] = np.where(on, ids[place], "") if len(keys) else np.empty(0, object)
            plan[name] = np.where(on, offsets(keys, shapes, seconds[place], name), 0) if len(keys) else place
            plan[f"level_{k + 1}"] = np.where(on, self.spread.draw(keys, f"level_{k + 1}"), 0).astype(np.float32)
        return plan

    def wave(self, length: int, rate: int, /, **plan: Any) -> np.ndarray:
        """(length,) float32 with an RMS of one; silence where no talker is left, or all of them pause."""
        sounds: Sequence[np.ndarray] = plan["sounds"]
        total = np.zeros(length, np.float32)
        for k, whole in enumerate(sounds[: plan["talkers"]], 1):
            power = rms(whole)
            if power > 0:
                heard = excerpt(whole, int(plan[f"offset_{k}"]), length, rate)
                total += heard * np.float32(10 ** (float(plan[f"level_{k}"]) / 20) / power)
        power = rms(total)
        return total * np.float32(1 / power) if power > 0 else total


def _others(keys: Keys, inventory: Inventory, pool: np.ndarray, own: np.ndarray | None, most: int) -> np.ndarray:
    """(B, most) int64, items of as many speakers, none of them the row's own; −1 from where there are no more.

    Args:
        pool: (M,), the items that may be heard.
        own: (B,), the speaker of each row, or None.
    """
    picked = np.full((len(keys), most), -1)
    if not len(pool):
        return picked
    groups = np.array([*inventory.groups] or [f"={item}" for item in inventory.ids], object)[pool]
    names, which = np.unique(groups.astype(str), return_inverse=True)
    by_group = pool[np.argsort(which, kind="stable")]
    counts = np.bincount(which, minlength=len(names))
    first = np.cumsum(counts) - counts
    place = {name: i for i, name in enumerate(names.tolist())}
    mine = np.array(
        [place.get(name, -1) for name in ([] if own is None else own.tolist())] or [-1] * len(keys), np.int64
    )
    # Speakers that are out, in order: the one of the clip, and those that talk already. Absent ones lie past the end.
    out = np.where(mine < 0, len(names), mine)[:, None]
    left = len(names) - (mine >= 0)
    for k in range(most):
        who = (keys.uniform(f"talker_{k + 1}")[:, 0] * np.maximum(left - k, 1)).astype(np.int64)
        for column in range(out.shape[1]):
            who += who >= out[:, column]
        there = left > k
        who = np.where(there, who, 0)
        item = (keys.uniform(f"item_{k + 1}")[:, 0] * counts[who]).astype(np.int64)
        picked[there, k] = by_group[(first[who] + item)[there]]
        out = np.sort(np.concatenate([out, np.where(there, who, len(names))[:, None]], axis=1), axis=1)
    return picked
