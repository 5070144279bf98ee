"""Convolution of a clip with a response: blocks that suit both, scratch of each thread, spectra within a bound."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import Any

import numpy as np
from scipy.fft import rfft
from scipy.signal import fftconvolve

from sliceforge.engine.op import Spectrum
from sliceforge.engine.sound import filtered
from sliceforge.engine.step import Step
from sliceforge.engine.supply import Sounds
from sliceforge.kernels.convolution import (
    MOST_PARTS,
    WINDOW,
    convolve_cpu,
    convolve_parts_cpu,
    spread_cpu,
)
from sliceforge.kernels.fourier import ROW, order, twiddles

LANES = 16
COST = {256: 46.0, 1024: 24.0, 4096: 38.0, 16384: 46.0, 65536: 49.0, 262144: 86.0}
"""Points of a block → nanoseconds for each of its rows, there and back, measured: what does not fit a cache costs."""

FIRST, PART = 0.45, 1.3
"""The share of the way there in it, and nanoseconds of a row for each part of a response."""

LONGEST = MOST_PARTS * max(COST) // 2
"""Samples of a response that can be cut so."""


@dataclass(frozen=True)
class Blocks:
    """How a clip and a response are cut.

    Args:
        n: points of a transform.
        parts: of the response, each of n/2 samples; one part may be of up to n − step + 1.
        step: samples of output of a block.
        rounds: times that the lanes are filled.
        apart: samples from a lane's first to its second block.
    """

    n: int
    parts: int
    step: int
    rounds: int
    apart: int

    @property
    def lead(self) -> int:
        """Samples of silence in front of the clip."""
        return self.n - self.step + (LANES * self.step if self.parts > 1 else 0)

    @property
    def covered(self) -> int:
        """Samples of output, at least the clip's."""
        return self.apart + LANES * self.step * (self.rounds if self.parts > 1 else 2 * self.rounds - 1)


def ways(length: int, taps: int, n: int) -> dict[Blocks, float]:
    """How a clip of `length` samples and a response of `taps` can be cut for n points → about how many nanoseconds."""
    found, cost = {}, COST[n]
    step = (n - taps + 1) // LANES * LANES
    if step > 0:
        rounds = -(-length // (2 * LANES * step))
        found[Blocks(n, 1, step, rounds, LANES * step)] = rounds * n * cost
    step, parts = n // 2, max(-(-taps // (n // 2)), 2)
    if parts <= MOST_PARTS:
        half = -(-length // (2 * step))
        rounds = -(-half // LANES)
        found[Blocks(n, parts, step, rounds, half * step)] = n * (rounds * (cost + 10 + PART * parts) + FIRST * cost)
    return found


@lru_cache(maxsize=4096)
def blocks(length: int, taps: int) -> Blocks:
    """The quickest blocks for a clip of `length` samples and a response of up to `LONGEST`."""
    found = {cut: time for n in COST for cut, time in ways(length, taps, n).items()}
    return min(found, key=found.__getitem__)


def transfer(response: np.ndarray, cut: Blocks) -> np.ndarray:
    """The spectra of a response's parts (N,), as the loops read them, (n, parts, 2) float32, flat."""
    each = len(response) if cut.parts == 1 else cut.n // 2
    rows = np.zeros((cut.parts, each), np.float32)
    rows.ravel()[: len(response)] = response
    out = np.empty(cut.parts * 2 * cut.n, np.float32)
    spread_cpu(rfft(rows, cut.n, workers=1), order(cut.n), cut.n, out)
    return out


class Scratch(threading.local):
    """Arrays of one thread, used again and again; what they hold means nothing."""

    def __init__(self) -> None:
        self.arrays: dict[str, np.ndarray] = {}

    def array(self, name: str, count: int) -> np.ndarray:
        """(at least `count`,) float32."""
        found = self.arrays.get(name)
        if found is None or len(found) < count:
            found = self.arrays[name] = np.full(count, np.nan, np.float32)
        return found


SCRATCH = Scratch()


def convolve(x: np.ndarray, spectra: np.ndarray, cut: Blocks) -> np.ndarray:
    """The beginning (T,) float32 of a clip (T,) float32 convolved with a response.

    Args:
        x: the clip.
        spectra: `transfer` of the response.
        cut: `blocks` of both.
    """
    padded = SCRATCH.array("padded", cut.lead + cut.covered)
    padded[: cut.lead] = 0
    padded[cut.lead : cut.lead + len(x)] = x
    padded[cut.lead + len(x) : cut.lead + cut.covered] = 0
    data, w = SCRATCH.array("data", cut.n * ROW), twiddles(cut.n)
    y = np.empty(cut.covered, np.float32)
    if cut.parts == 1:
        convolve_cpu(padded, spectra, cut.n, cut.step, cut.apart, cut.rounds, w, data, y)
    else:
        before = SCRATCH.array("before", cut.n * WINDOW)
        convolve_parts_cpu(padded, spectra, cut.n, cut.parts, cut.apart, cut.rounds, w, data, before, y)
    return y[: len(x)]


@dataclass
class Known:
    """A response and its spectra, for each way to cut it.

    Args:
        response: (N,) float64.
        sound: the bank item that it comes from, which lives as long as this.
        spectra: cut → `transfer`.
    """

    response: np.ndarray
    sound: np.ndarray | None = None
    spectra: dict[Blocks, np.ndarray] = field(default_factory=dict)

    def run(self, x: np.ndarray) -> np.ndarray:
        """The convolution with a clip (T,) float32, cut to its length."""
        response = self.response[: len(x)]
        if not len(response):
            return x
        if len(response) > LONGEST:
            return filtered(x, response)
        cut = blocks(len(x), len(response))
        spectra = self.spectra.get(cut)
        if spectra is None:
            spectra = self.spectra[cut] = transfer(response, cut)
        return convolve(x, spectra, cut)


class Library:
    """Responses of bank items that were used last.

    Args:
        most: how many are kept.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self._kept: OrderedDict[tuple[type, int, int], Known] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, kind: type, sound: np.ndarray, rate: int, make: Callable[[], np.ndarray]) -> Known:
        """What an operator's class makes of a sound, which is told from others by being the same array."""
        key = kind, id(sound), rate
        with self._lock:
            known = self._kept.get(key)
            if known is not None:
                self._kept.move_to_end(key)
                return known
        known = Known(make(), sound)
        with self._lock:
            self._kept[key] = known
            while len(self._kept) > self.most:
                self._kept.popitem(last=False)
        return known


LIBRARY = Library(256)


def known(sounds: Sounds, steps: Sequence[Step], draws: Mapping[str, Mapping[str, Any]]) -> Known:
    """The one response of neighbouring filters.

    Args:
        sounds: where bank items come from.
        steps: the filters.
        draws: the plan values of each step.
    """
    first, *rest = steps
    sound = sounds.sound(first, draws[first.name])
    if not rest and sound is not None and isinstance(first.op, Spectrum) and first.op.by_item:
        make = partial(sounds.response, first, draws[first.name])
        return LIBRARY.get(type(first.op), sound, sounds.rate, make)
    whole = sounds.response(first, draws[first.name])
    for step in rest:
        whole = fftconvolve(whole, sounds.response(step, draws[step.name]))
    return Known(whole)
