"""Keep a band of frequencies, as a telephone or a small microphone does: a Butterworth filter at each edge."""

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from sliceforge.engine.errors import SettingError
from sliceforge.engine.op import Real, Spectrum, Whole, setting
from sliceforge.kernels.butterworth import respond_cpu, sections

SETTLED_DB = 120.0
LONGEST = 4.0  # seconds of a response
TOP = 0.49
"""Of the rate: an upper edge from here on leaves nothing to take away, and a lower one leaves nothing."""

NONE = np.zeros((0, 5))


@dataclass(frozen=True)
class Band(Spectrum):
    """|H(f)|² = 1 / (1 + (low/f)^2n) · 1 / (1 + (f/high)^2n) with the order n, −3 dB at each edge.

    Minimum phase: no sample is delayed as a whole and nothing rings ahead, so that no alignment moves; inside the
    band the group delay is that of an analogue filter, about n/(2π·high) seconds.

    Args:
        low: hertz; 0 keeps all that is low.
        high: hertz; an edge at half the rate or above is left out.
        order: of each edge; 6 dB an octave each.
    """

    version: ClassVar[int] = 2

    low: Real = setting(["log", 50, 300], "Hz", low=0, high=20000)
    high: Real = setting(["log", 3000, 8000], "Hz", low=100, high=400000)
    order: Whole = setting(4, "6 dB/octave each", low=1, high=12)

    def check(self) -> None:
        """The edges keep their order, whatever is drawn."""
        below, above = self.low.ends(), self.high.ends()
        if below and above and below[1] >= above[0]:
            raise SettingError(f"low: up to {below[1]:g} Hz, and high from {above[0]:g} Hz; expected low below high")

    def response(self, rate: int, sound: np.ndarray | None, /, **plan: Any) -> np.ndarray:
        """(N,) float64, up to where it has fallen by 120 dB."""
        low, high, order = float(plan["low"]), float(plan["high"]), int(plan["order"])
        edges = [(edge, above) for edge, above in ((low, True), (high, False)) if 0 < edge < TOP * rate]
        # The slowest pole of either edge: what rings longest.
        slowest = min((edge for edge, _ in edges), default=float(rate)) * math.sin(math.pi / (2 * order))
        seconds = min(SETTLED_DB / 20 * math.log(10) / (2 * math.pi * slowest), LONGEST)
        wave = np.empty(math.ceil(seconds * rate) + 1)
        respond_cpu(np.concatenate([sections(edge, order, above, rate) for edge, above in edges] or [NONE]), wave)
        return wave
