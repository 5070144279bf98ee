"""Add the noise that a voice was raised against: the louder it is, the less of it the speaker makes up for."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from sliceforge.engine.build import build
from sliceforge.engine.keys import Keys
from sliceforge.engine.op import Columns, Real, Shapes, setting
from sliceforge.engine.op import Mix as MixForm
from sliceforge.kernels.audio.lombard import rise
from sliceforge.kernels.audio.mix import Mix
from sliceforge.kernels.loudness import REFERENCES


@dataclass(frozen=True)
class Masker(MixForm):
    """A `mix` whose SNR is speech + slope · (noise − quiet) − noise, in dB: what a raised voice leaves of it.

    Args:
        speaker: the step that raises the voice, a `lombard`: `noise` and `slope` are drawn as it draws them, and have
            to be what they are there.
        noise: dB(A) at the speaker's ears and at the microphone.
        slope: dB of speech for each dB of noise above `quiet`.
        quiet: dB(A).
        speech: dB(A) of that voice in quiet, at the microphone.
        reference: what the SNR is measured by, as of `mix`.
        source, bank, procedural: what is added, as of `mix`.
    """

    speaker: str = setting("lombard")
    noise: Real = setting([50, 80], "dB(A)", low=0, high=120)
    slope: Real = setting([0.3, 0.7], "dB/dB", low=0, high=1)
    quiet: float = setting(50.0, "dB(A)", low=0, high=120)
    speech: Real = setting([60, 66], "dB(A)", low=0, high=120)
    reference: str = setting("a_weighted", choices=REFERENCES)
    source: str = setting("either")
    bank: str = setting("noise")
    procedural: str = setting("cabin")

    @cached_property
    def _mix(self) -> Mix:
        """A mix of the same sounds; its SNR is never asked."""
        same = {name: getattr(self, name) for name in ("reference", "source", "bank", "procedural")}
        made: Mix = build(Mix, {"snr": 0, **same}, "mix")
        return made

    def by_scale(self) -> bool:
        """As a mix."""
        return self._mix.by_scale()

    def sources(self) -> set[str]:
        """As a mix."""
        return self._mix.sources()

    def banks(self) -> tuple[str, ...]:
        """As a mix."""
        return self._mix.banks()

    def draw(self, keys: Keys, shapes: Shapes) -> Columns:
        """`noise`, `slope`, `speech`, the `snr` in dB that they come to, and `source`, `item`, `offset` as of a mix."""
        own = keys.at(self.speaker)
        noise, slope = self.noise.draw(own, "noise"), self.slope.draw(own, "slope")
        speech = self.speech.draw(keys, "speech")
        plan = self._mix.draw(keys, shapes) | {"noise": noise, "slope": slope, "speech": speech}
        loud = noise.astype(np.float64)
        plan["snr"] = (speech - loud + rise(loud, slope.astype(np.float64), self.quiet)).astype(np.float32)
        return plan

    def factor(self, foreground: np.ndarray, noise: np.ndarray, rate: int, /, **plan: Any) -> float:
        """What the noise (T,) is multiplied by."""
        return self._mix.factor(foreground, noise, rate, **plan)

    def by_levels(self, foreground: Any, noise: Any, /, **plan: Any) -> float | None:
        """The same from levels."""
        return self._mix.by_levels(foreground, noise, **plan)
