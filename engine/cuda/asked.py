"""What a mix or a gain asks for, as a number and a word: found by asking it about sounds of level one and two."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from sliceforge.engine.cuda import words
from sliceforge.engine.op import Gain, Mix


class Unfit(Exception):
    """A step has no form on a device; its message says which and why."""


class _One:
    """Stands for a sound whose every level is the same, and remembers by what it was measured."""

    def __init__(self, amplitude: float = 1.0) -> None:
        self.amplitude = amplitude
        self.references: set[str] = set()

    def level(self, reference: str, speech: bool) -> float:
        """See `kernels.loudness.Levels`."""
        self.references.add(reference)
        return self.amplitude


def ratio(name: str, op: Mix, draws: Mapping[str, Any]) -> tuple[float, int]:
    """What the noise is multiplied by where both levels are one, and the script's word for how it is measured."""
    foreground = _One()
    once, twice = op.by_levels(foreground, _One(), **draws), op.by_levels(_One(2.0), _One(), **draws)
    if once is None or twice is None or not math.isclose(twice, 2 * once):
        raise Unfit(f"{name}: its factor is not one level over the other")
    kinds = {"active": words.MIX_ACTIVE, "": words.MIX_RMS}
    asked = "".join(sorted(foreground.references - {"rms"}))
    if asked not in kinds:
        raise Unfit(f"{name}: no kernel measures by {asked}")
    return once, kinds[asked]


def gain(name: str, op: Gain, draws: Mapping[str, Any]) -> tuple[float, int]:
    """What a sum of RMS one is multiplied by, and whether one of another RMS is, too, or what it has to become."""
    once, twice = op.by_rms(1.0, **draws), op.by_rms(2.0, **draws)
    if once is None or twice is None or not (once == twice or math.isclose(once, 2 * twice)):
        raise Unfit(f"{name}: its factor does not follow from the RMS alone")
    return once, words.PLAIN if once == twice else words.TO_RMS
