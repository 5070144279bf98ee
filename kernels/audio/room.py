"""A room, heard from afar: out = x ∗ h, with the impulse response h of a shoebox that decays in the T60 drawn."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from sliceforge.engine.errors import SettingError
from sliceforge.engine.keys import Keys
from sliceforge.engine.op import Columns, Real, Shapes, Spectrum, setting
from sliceforge.kernels import shoebox
from sliceforge.kernels.noise import lattice, pieces

CLEAR = 0.4
"""Metres that talker and microphone keep from the walls."""

TRIES = 16


@dataclass(frozen=True)
class Room(Spectrum):
    """The response has an energy of one and its direct path at 0, so that no alignment moves.

    A shoebox with image sources up to the moment at which nobody tells echoes apart, and a diffuse tail from there
    (`kernels.shoebox`): every octave band from 500 to 4000 Hz decays in `t60`. Talker and microphone are anywhere in
    the room, at least 0.4 m from the walls, at heights of 0.9 to 1.8 m, `distance` apart or, in a room that is too
    small for it, as far as it allows.

    Args:
        t60: seconds in which the sound falls by 60 dB.
        distance: metres from the talker to the microphone.
        width, length, height: metres, of the room.
    """

    version: ClassVar[int] = 2

    t60: Real = setting([0.2, 1.3], "s", low=0.1, high=5)
    distance: Real = setting([0.5, 5.0], "m", low=0.1, high=30)
    width: Real = setting([3, 8], "m", low=1.5, high=50)
    length: Real = setting([3, 10], "m", low=1.5, high=50)
    height: Real = setting([2.4, 4.0], "m", low=2, high=20)

    def check(self) -> None:
        """Talker and microphone have room to be as far apart as is asked for at least."""
        least = min((getattr(self, name).ends() or (3.0,))[0] for name in ("width", "length"))
        nearest = (self.distance.ends() or (0.0,))[0]
        if nearest > least - 2 * CLEAR + 1e-9:
            raise SettingError(f"distance: {nearest:g}: expected at most {least - 2 * CLEAR:.2g} m in rooms this small")

    def draw(self, keys: Keys, shapes: Shapes) -> Columns:
        """Every setting, and a `key` for the places in the room and the tail's noise; `distance` as it will be."""
        plan = super().draw(keys, shapes)
        most = np.hypot(plan["width"] - 2 * CLEAR, plan["length"] - 2 * CLEAR)
        plan["distance"] = np.minimum(plan["distance"], 0.9 * most).astype(np.float32)
        plan["key"] = keys.field()
        return plan

    def response(self, rate: int, sound: np.ndarray | None, /, **plan: Any) -> np.ndarray:
        """(N,) float64 with an energy of one."""
        size = np.array([float(plan[name]) for name in ("width", "height", "length")])
        key = pieces(int(plan["key"]))
        mouth, ear = places(size, float(plan["distance"]), key)
        wave = shoebox.response(size, mouth, ear, float(plan["t60"]), rate, key)
        return wave / math.sqrt(float(np.square(wave).sum()))

    def responses(self, rate: int, device: str, plans: Sequence[Columns]) -> Sequence[Any]:
        """The same of many rooms at once."""
        from sliceforge.kernels.rooms import normalised

        sizes = [np.array([float(plan[name]) for name in ("width", "height", "length")]) for plan in plans]
        keys = [pieces(int(plan["key"])) for plan in plans]
        there = [places(size, float(plan["distance"]), key) for size, plan, key in zip(sizes, plans, keys, strict=True)]
        return normalised(sizes, there, [float(plan["t60"]) for plan in plans], rate, keys, device)


def places(size: np.ndarray, distance: float, key: tuple[float, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Talker and microphone, (3,) each, metres from one corner: width, height, length.

    The first of a fixed sequence of places whose microphone is in the room; if none is, both lie on the diagonal.
    """
    for turn in range(TRIES):
        u = [0.5 + 0.5 * float(lattice(i, 1 + turn, *key)) for i in range(5)]
        low, high = np.array([CLEAR, 0.9, CLEAR]), size - [CLEAR, size[1] - 1.8, CLEAR]
        mouth = low + (high - low) * np.array(u[:3])
        rise = low[1] + (high[1] - low[1]) * u[3] - mouth[1]
        if abs(rise) >= distance:
            rise = 0.0
        flat, angle = math.sqrt(distance * distance - rise * rise), 2 * math.pi * u[4]
        ear = mouth + np.array([flat * math.cos(angle), rise, flat * math.sin(angle)])
        if (ear >= low - 1e-9).all() and (ear <= high + 1e-9).all():
            return mouth, ear
    span = size[[0, 2]] - 2 * CLEAR
    way = span / math.hypot(*span) * distance / 2
    middle = np.array([size[0] / 2, 1.3, size[2] / 2])
    step = np.array([way[0], 0.0, way[1]])
    return middle - step, middle + step
