"""The achieved signal-to-noise ratio of a mix, measured on the samples as they will be written."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from sliceforge.engine.gates import Gate, Made, Verdict
from sliceforge.engine.op import Mix, setting
from sliceforge.kernels.loudness import FLOOR, REFERENCES, rms, snr

FULL = 1 - 2.0**-15
"""The greatest value of 16 bits."""


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
        foreground, noise, added = self._sounds(made)
        more = {name: snr(foreground, noise, made.rate, name) for name in REFERENCES}
        got, asked = more[op.reference], float(plan["snr"])
        more["total"] = snr(foreground, added, made.rate, op.reference)
        peak, power = float(np.abs(made.item).max(initial=0.0)), rms(made.item)
        more["crest_factor_db"] = 20 * float(np.log10(max(peak, FLOOR) / max(power, FLOOR)))
        more["clipped_share"] = float(np.mean((made.item >= FULL) | (made.item <= -1))) if len(made.item) else 0.0
        return Verdict(abs(got - asked) <= self.tolerance, asked, got, more)

    def _sounds(self, made: Made) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The foreground, this mix's noise, and all that was added."""
        if self.step in made.heard:
            foreground, noise = (np.asarray(sound, np.float64) for sound in made.heard[self.step])
            others = [pair[1] for name, pair in made.heard.items() if name != self.step and len(pair[1]) == len(noise)]
            return foreground, noise, noise + sum(others) if others else noise
        foreground = np.asarray(made.stems["foreground"], np.float64)
        added = made.item.astype(np.float64) - foreground
        others = [stem for name, stem in made.stems.items() if name not in ("foreground", self.step)]
        return foreground, added - sum(others) if others else added, added
