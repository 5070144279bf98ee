"""A voice raised against noise: louder, brighter, higher and slower, the more the louder the noise (Lombard)."""

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from sliceforge.engine.errors import SettingError
from sliceforge.engine.keys import Keys
from sliceforge.engine.op import Apply, Columns, Real, Shapes, setting
from sliceforge.kernels import sinc
from sliceforge.kernels.audio.speed import exact, length_at, moved
from sliceforge.kernels.wsola import stretched

BRIGHT, TOP = 1000, 8000
"""Hertz from where the spectrum is tilted, and from where it is not tilted any further."""

RING = 0.004
"""Seconds that the tilting filter reaches to each side."""


@dataclass(frozen=True)
class Lombard(Apply):
    """Level + slope · (noise − quiet); tilt, pitch and tempo go from nothing at `quiet` to what is drawn at `loud`.

    The tempo changes without the pitch, by overlapping pieces, and then the pitch with all resonances, as the mouth
    opens wider. What an item says of moments moves with the tempo. A later `masker` adds a noise as loud as the speaker
    heard.
    J.-C. Junqua, "The Lombard reflex and its role on human listeners", JASA 93 (1993).

    Args:
        noise: dB(A) at the speaker's ears.
        slope: dB of speech for each dB of noise above `quiet`.
        tilt: dB an octave from 1 to 8 kHz, at `loud`.
        pitch: % higher at `loud`.
        tempo: times as fast at `loud`.
        quiet: dB(A), up to which a voice is as it always is.
        loud: dB(A), from which on only the level grows.
    """

    resizes: ClassVar[bool] = True
    batched_exact: ClassVar[bool] = True

    noise: Real = setting([50, 80], "dB(A)", low=0, high=120)
    slope: Real = setting([0.3, 0.7], "dB/dB", low=0, high=1)
    tilt: Real = setting([0, 3], "dB/octave", low=-6, high=6)
    pitch: Real = setting([0, 10], "%", low=0, high=50)
    tempo: Real = setting([0.95, 1.0], "times as fast", low=0.7, high=1.3)
    quiet: float = setting(50.0, "dB(A)", low=0, high=120)
    loud: float = setting(80.0, "dB(A)", low=0, high=120)

    def check(self) -> None:
        """Loud is louder than quiet."""
        if self.loud <= self.quiet:
            raise SettingError(f"loud: {self.loud:g}: expected more than quiet, {self.quiet:g} dB(A)")

    def draw(self, keys: Keys, shapes: Shapes) -> Columns:
        """`noise` and `slope`, and what they come to: `level` in dB, `tilt` in dB an octave, `pitch` and `tempo` as
        factors."""
        plan = {name: column.astype(np.float64) for name, column in super().draw(keys, shapes).items()}
        effort = np.clip((plan["noise"] - self.quiet) / (self.loud - self.quiet), 0, 1)
        plan["level"] = rise(plan["noise"], plan["slope"], self.quiet)
        plan["tilt"] = plan["tilt"] * effort
        plan["pitch"] = 1 + plan["pitch"] / 100 * effort
        plan["tempo"] = 1 + (plan["tempo"] - 1) * effort
        return {name: column.astype(np.float32) for name, column in plan.items()}

    def apply(self, batch: dict[str, Any], /, **plan: Any) -> dict[str, Any]:
        """`audio` (B, T) and `length` (B,), each clip ⌈T / tempo⌉ samples long."""
        from sliceforge.engine.read import pad

        clips = []
        drawn = zip(*(plan[name] for name in ("level", "tilt", "pitch", "tempo")), strict=True)
        for clip, length, rate, row in zip(batch["audio"], batch["length"], batch["rate"], drawn, strict=True):
            level, tilt, pitch, tempo = map(float, row)
            x = clip[: int(length)].cpu().numpy()
            made = brightened(paced(x, int(rate), exact(pitch), exact(tempo)), int(rate), tilt)
            before, after = (float(np.mean(np.square(one, dtype=np.float64))) if len(x) else 0.0 for one in (x, made))
            factor = math.sqrt(before / after) if before > 0 and after > 0 else 1.0
            clips.append(made * np.float32(factor * 10 ** (level / 20)))
        return pad(clips)

    def moment(self, seconds: float, /, **plan: Any) -> float:
        """Later, as the tempo is slower."""
        return moved(seconds, plan["tempo"])


def rise(noise: np.ndarray, slope: np.ndarray, quiet: float) -> np.ndarray:
    """dB by which a voice is raised, (B,), of the noise in dB(A)."""
    return slope * np.maximum(noise - quiet, 0)


def paced(x: np.ndarray, rate: int, pitch: float, tempo: float) -> np.ndarray:
    """A clip (T,) `pitch` times as high and `tempo` times as fast, (⌈T / tempo⌉,) float32."""
    count = length_at(len(x), tempo)
    if pitch == tempo == 1:
        return x
    # Pitch and tempo both change with the speed: what the speed will shorten is stretched first.
    longer = x if pitch == tempo else stretched(x, rate, pitch / tempo, math.ceil(len(x) * pitch / tempo))
    return longer if pitch == 1 else sinc.read(longer, pitch, count)


def brightened(x: np.ndarray, rate: int, tilt: float) -> np.ndarray:
    """A clip (T,) with `tilt` dB an octave from 1 to 8 kHz, (T,) float32; nothing is delayed."""
    from scipy.signal import upfirdn

    if tilt == 0:
        return x
    half, points = round(RING * rate), 1 << max(round(RING * rate) * 4, 1).bit_length()
    octaves = np.log2(np.clip(np.fft.rfftfreq(points, 1 / rate), BRIGHT, TOP) / BRIGHT)
    wave = np.fft.irfft(10 ** (tilt * octaves / 20))
    taps = np.concatenate([wave[points - half :], wave[: half + 1]]) * np.hanning(2 * half + 3)[1:-1]
    made: np.ndarray = upfirdn(taps, x.astype(np.float64))[half : half + len(x)]
    return made.astype(np.float32)
