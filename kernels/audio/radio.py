"""A radio in the car: plain music, made up note by note, through a loudspeaker of a narrow band."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from sliceforge.engine.keys import Keys
from sliceforge.engine.op import Columns, Real, Shapes, Source, Whole, setting
from sliceforge.kernels import music
from sliceforge.kernels.butterworth import filter_cpu, sections
from sliceforge.kernels.noise import pieces

Q = 2.0  # of the loudspeaker's resonances


@dataclass(frozen=True)
class Radio(Source):
    """Four chords round and round with a bass, a tune and drums (`kernels.music`), brought to an RMS of one.

    The loudspeaker: Butterworth, 12 dB an octave below `low` and above `high`, and a resonance of the box.

    Args:
        tempo: beats a minute.
        root: half tones of the key above C.
        offset: seconds into the piece.
        drums: amplitude of the drums against the other instruments.
        low, high: hertz, −3 dB there.
        resonance: hertz.
        boost: dB, of the resonance.
    """

    version: ClassVar[int] = 1

    tempo: Real = setting([70, 150], "beats/min", low=30, high=300)
    root: Whole = setting([0, 11], "half tones", low=0, high=11)
    offset: Real = setting([0, 60], "s", low=0, high=3600)
    drums: Real = setting(["choice", 0, 0.5, 1, 1.5], "of the amplitude", low=0, high=10)
    low: Real = setting([80, 200], "Hz", low=20, high=1000)
    high: Real = setting(["log", 5000, 12000], "Hz", low=1000, high=24000)
    resonance: Real = setting(["log", 150, 600], "Hz", low=50, high=5000)
    boost: Real = setting([2, 8], "dB", low=0, high=20)

    def draw(self, keys: Keys, shapes: Shapes) -> Columns:
        """Every setting, and the piece's `key`."""
        return {**super().draw(keys, shapes), "key": keys.field()}

    def wave(self, length: int, rate: int, /, **plan: Any) -> np.ndarray:
        """(length,) float32 with an RMS of one."""
        key = pieces(int(plan["key"]))
        tempo, offset, drums = (float(plan[name]) for name in ("tempo", "offset", "drums"))
        sound = music.piece(length, rate, tempo, int(plan["root"]), offset, drums, key)[None]
        filter_cpu(loudspeaker(rate, *(float(plan[name]) for name in ("low", "high", "resonance", "boost"))), sound)
        power = float(np.sqrt(np.square(sound[0]).mean()))
        return (sound[0] / power if power > 0 else np.ones(length)).astype(np.float32)


def loudspeaker(rate: int, low: float, high: float, resonance: float, boost: float) -> np.ndarray:
    """Sections (K, 5) of the loudspeaker's filter; an edge at half the rate or above is left out."""
    parts = [sections(low, 2, True, rate), _peak(min(resonance, 0.4 * rate), boost, rate)]
    if high < 0.49 * rate:
        parts.append(sections(high, 2, False, rate))
    return np.concatenate(parts)


def _peak(middle: float, boost: float, rate: int) -> np.ndarray:
    """One section that lifts a band by `boost` dB (Bristow-Johnson's peaking equaliser)."""
    turn = 2 * np.pi * middle / rate
    alpha, root = np.sin(turn) / (2 * Q), 10 ** (boost / 40)
    whole = 1 + alpha / root
    b = (1 + alpha * root) / whole, -2 * np.cos(turn) / whole, (1 - alpha * root) / whole
    return np.array([[*b, -2 * np.cos(turn) / whole, (1 - alpha / root) / whole]])
