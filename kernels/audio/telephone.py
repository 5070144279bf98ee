"""The band of a telephone ahead of its codec: a Butterworth filter at each edge, the same in every bit everywhere."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from sliceforge.engine.op import Apply, Real, Whole, setting
from sliceforge.kernels.butterworth import filter_cpu, sections

TOP = 0.49
"""Of the rate: an edge from here on is left out."""


@dataclass(frozen=True)
class Telephone(Apply):
    """As `band`, but on its own and sample after sample, so that a codec behind it hears the same in every executor.

    A filter that shares a pass with its neighbours is the same to a fraction of a step only, and a codec that remembers
    makes another sound of another step.

    Args:
        low: hertz, −3 dB there.
        high: hertz; an edge near half the rate or above is left out.
        order: of each edge; 6 dB an octave each.
    """

    linear: ClassVar[bool] = True
    batched_exact: ClassVar[bool] = True

    low: Real = setting([200, 300], "Hz", low=10, high=1000)
    high: Real = setting([3200, 3400], "Hz", low=1500, high=20000)
    order: Whole = setting(8, "6 dB/octave each", low=1, high=12)

    def apply(self, batch: dict[str, Any], /, **plan: Any) -> dict[str, Any]:
        """`audio` (B, T), each clip filtered from rest."""
        import torch

        audio = batch["audio"].clone()
        drawn = zip(plan["low"], plan["high"], plan["order"], strict=True)
        for clip, length, rate, (low, high, order) in zip(audio, batch["length"], batch["rate"], drawn, strict=True):
            count, own = int(length), int(rate)
            x = clip[None, :count].cpu().numpy().astype(np.float64)
            for edge, above in ((float(low), True), (float(high), False)):
                if edge < TOP * own:
                    filter_cpu(sections(edge, int(order), above, own), x)
            clip[:count] = torch.from_numpy(x[0].astype(np.float32))
        return {**batch, "audio": audio}
