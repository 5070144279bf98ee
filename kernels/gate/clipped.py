"""Clipping that nobody asked for: the share of samples at either end of 16 bits."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from sliceforge.engine.gates import Gate, Made, Verdict
from sliceforge.engine.op import setting
from sliceforge.kernels.passes import clipped_cpu

FULL = np.float32(1 - 2.0**-15)
"""The greatest value of 16 bits."""


@dataclass(frozen=True)
class Clipped(Gate):
    """Samples of the item at either end of 16 bits, as a share, less the share of its parent that was there already.

    Args:
        step: empty, or only items to which this step happened.
        most: the greatest share that passes.
        asked_by: the name of a step that clips on purpose: an item to which it happens passes whatever is found.
    """

    whole: ClassVar[bool] = True

    step: str = ""
    most: float = setting(1e-4, "share of the samples", low=0, high=1)
    asked_by: str = ""

    def suits(self, op: Any) -> bool:
        """A step for sound."""
        return bool(op.kind == "audio")

    def measure(self, made: Made, op: Any, plan: Mapping[str, Any], /) -> Verdict:
        """The share."""
        shares = [clipped_cpu(x, FULL) / max(len(x), 1) for x in (made.item, made.parent)]
        got = max(shares[0] - shares[1], 0.0)
        wanted = any(step.name == self.asked_by and op.active(step, plan) for step in op.steps)
        return Verdict(bool(wanted or got <= self.most), self.most, got)
