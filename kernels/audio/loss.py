"""Packets that a network loses in bursts, and what a receiver plays instead: a Markov chain of two states (Gilbert)."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numba import njit

from sliceforge.engine.cache import install
from sliceforge.engine.keys import Keys
from sliceforge.engine.op import Apply, Columns, Real, Shapes, setting
from sliceforge.kernels.noise import lattice, pieces

install()

JOIN = 0.002
"""Seconds from one sound to another."""

HOLD, GONE = 0.01, 0.06
"""Seconds into a burst at which a repeated packet begins to fade, and at which nothing is left, as in G.711's appendix
I."""


@dataclass(frozen=True)
class Loss(Apply):
    """A packet is lost with p after one that came and with 1 − 1/burst after one that was lost, p/(p + 1/burst) = loss.

    The clip is cut out of a call: where in it a packet begins is random, and so is the first packet's fate.
    E. N. Gilbert, "Capacity of a burst-noise channel", Bell System Technical Journal 39 (1960).

    Args:
        loss: share of all packets, in the long run; a short clip has more or fewer.
        burst: packets that are lost in a row, the mean.
        packet: seconds in one.
        conceal: `repeat`, the last packet that came again and again, joined over 2 ms, fading from 10 ms to 60 ms; or
            `silence`.
    """

    linear: ClassVar[bool] = True
    batched_exact: ClassVar[bool] = True

    loss: Real = setting([0, 0.1], "of all packets", low=0, high=0.5)
    burst: Real = setting([1, 4], "packets", low=1, high=100)
    packet: Real = setting(["choice", 0.01, 0.02, 0.03], "s", low=0.0025, high=0.2)
    conceal: str = setting("repeat", choices=("repeat", "silence"))

    def draw(self, keys: Keys, shapes: Shapes) -> Columns:
        """`loss`, `burst`, `packet`, and `key`, of which each packet's fate is a hash."""
        return {**super().draw(keys, shapes), "key": keys.field()}

    def apply(self, batch: dict[str, Any], /, **plan: Any) -> dict[str, Any]:
        """`audio` (B, T) as each clip is played; what came is left as it is but for joins."""
        import torch

        audio = batch["audio"].clone()
        rows = zip(*(plan[name] for name in ("loss", "burst", "packet", "key")), strict=True)
        for clip, length, rate, (loss, burst, packet, key) in zip(
            audio, batch["length"], batch["rate"], rows, strict=True
        ):
            sound, own = clip[: int(length)], int(rate)
            size = max(round(float(packet) * own), 1)
            states = lost(len(sound), size, float(loss), float(burst), int(key))
            if states[1].any():
                played = concealed(sound.cpu().numpy(), own, size, states, self.conceal == "repeat")
                sound.copy_(torch.from_numpy(played))
        return {**batch, "audio": audio}


def lost(length: int, size: int, loss: float, burst: float, key: int) -> tuple[int, np.ndarray]:
    """Where the first packet begins, at 0 or before, and (N,) bool, which of the packets of a clip are lost.

    Args:
        length: samples.
        size: samples in a packet.
        loss, burst, key: as drawn.
    """
    key0, key1, key2 = pieces(key)
    out = np.zeros(-(-length // size) + 1, np.bool_)
    shift = chain_cpu(loss, burst, key0, key1, key2, out)
    return -int(shift * size), out


@njit(nogil=True, cache=True, error_model="numpy")
def chain_cpu(loss, burst, key0, key1, key2, out):
    """Fill (N,) bool with the states of the chain, and return a number in [0, 1)."""
    again = 1.0 - 1.0 / burst
    first = (1.0 - again) * loss / (1.0 - loss)
    likely = loss
    for n in range(len(out)):
        drawn = 0.5 + 0.5 * np.float64(lattice(n, 0, key0, key1, key2))
        out[n] = drawn < likely
        likely = again if out[n] else first
    return 0.5 + 0.5 * np.float64(lattice(0, 1, key0, key1, key2))


def concealed(x: np.ndarray, rate: int, size: int, states: tuple[int, np.ndarray], repeat: bool) -> np.ndarray:
    """(T,) float32: x with a receiver's stand-in for lost packets.

    Args:
        x: (T,) float32.
        rate: hertz.
        size: samples in a packet.
        states: as `lost` has them.
        repeat: the last packet that came, fading; else silence.
    """
    begin, gone = states
    out = x.copy()
    edges = np.flatnonzero(np.diff(np.concatenate([[False], gone, [False]])))
    for first, last in edges.reshape(-1, 2):
        start, end = begin + int(first) * size, min(begin + int(last) * size, len(x))
        if start >= len(x):
            break
        if repeat:
            _repeat(x, rate, size, start, end, out)
        else:
            out[max(start, 0) : end] = 0
    return out


def _repeat(x: np.ndarray, rate: int, size: int, start: int, end: int, out: np.ndarray) -> None:
    """Put the packet before `start` into `out` until `end`, as a loop without a seam, and lead over to what comes."""
    join = min(max(round(JOIN * rate), 1), size)
    before = np.zeros(2 * size, np.float32)
    count = min(max(start, 0), 2 * size)
    before[2 * size - count :] = x[max(start, 0) - count : max(start, 0)]
    rising = ((np.arange(join) + 0.5) / join).astype(np.float32)
    loop = before[size:].copy()
    # What led to the loop's beginning comes in at its end: so each turn joins the next, and what came the first one.
    loop[size - join :] += rising * (before[size - join : size] - loop[size - join :])
    if start >= join:
        out[start - join : start] = loop[size - join :]
    until = min(end + join, len(x))
    n = np.arange(until - start)
    gain = np.clip((GONE - n / rate) / (GONE - HOLD), 0, 1).astype(np.float32)
    played = loop[n % size] * gain
    if until > end:
        played[end - start :] += rising[: until - end] * (x[end:until] - played[end - start :])
    out[max(start, 0) : until] = played[max(-start, 0) :]
