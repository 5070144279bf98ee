"""The achieved signal-to-noise ratio of a mix, measured on the samples as they will be written."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from sliceforge.engine.gates import Gate, Made, Verdict
from sliceforge.engine.op import Mix, setting
from sliceforge.kernels.loudness import REFERENCES, Levels, ratio, rms
from sliceforge.kernels.passes import clipped_cpu, peak_cpu

FULL = np.float32(1 - 2.0**-15)
"""The greatest value of 16 bits."""

HALF = np.float32(0.5)


@dataclass(frozen=True)
class Snr(Gate):
    """|achieved − asked| ≤ tolerance, the noise being what the written item has beside its foreground and other mixes.

    Rounding to 16 bits is thus part of the noise: a mix whose noise drowns in it does not pass. Where a later step
    filtered or bent the sum, an SNR can only be that of the two sounds as they were mixed, and that is measured.

    Args:
        step: the mix.
        tolerance: dB.
    """

    tolerance: float = setting(0.1, "dB", low=0)

    def suits(self, op: Any) -> bool:
        """A mix."""
        return isinstance(op, Mix)

    def measure(self, made: Made, op: Any, plan: Mapping[str, Any], /) -> Verdict:
        """More: `rms`, `active`, `g712`, `a_weighted`, the SNR in dB under each reference; `total`, that of all mixes
        together under the mix's own; `crest_factor_db`; `clipped_share`, of samples at either end of 16 bits."""
        speech, noise, added = (Levels(sound, made.rate) for sound in made.sounds(self.step))
        more = {name: ratio(speech.level(name, True), noise.level(name, False)) for name in REFERENCES}
        got, asked = more[op.reference], float(plan["snr"])
        others = added.x is not noise.x
        more["total"] = ratio(speech.level(op.reference, True), added.level(op.reference, False)) if others else got
        peak, power = float(peak_cpu(made.item, HALF, made.item, HALF)), rms(made.item)
        more["crest_factor_db"] = ratio(peak, power)
        more["clipped_share"] = clipped_cpu(made.item, FULL) / max(len(made.item), 1)
        return Verdict(abs(got - asked) <= self.tolerance, asked, got, more)
