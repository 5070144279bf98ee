"""The contract of an operator: settings in, plan columns drawn, and one small function that says what happens.

An operator is one frozen dataclass in `kernels/<family>/<noun>.py`, named as its file in CapWords. Its fields are its
settings. It takes one of the forms below, so that the engine can let neighbours share a pass; the engine knows no
operator by name. Units, bounds and choices of a setting stand in its `setting(...)`.
"""

from __future__ import annotations

import dataclasses
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from sliceforge.engine.distribution import Distribution
from sliceforge.engine.keys import Keys
from sliceforge.engine.shapes import Inventory as Inventory
from sliceforge.engine.shapes import Shapes as Shapes

Columns = dict[str, np.ndarray]


class Real(Distribution):
    """The type of a setting that may vary over the real numbers."""


class Whole(Distribution):
    """The type of a setting that may vary over the whole numbers."""


def setting(
    default: Any,
    unit: str = "",
    *,
    low: float = -math.inf,
    high: float = math.inf,
    choices: Sequence[str] = (),
) -> Any:
    """A field of an operator: its default as a recipe would write it, its unit, and what it may be."""
    metadata = {"unit": unit, "low": low, "high": high, "choices": tuple(choices)}
    if isinstance(default, list | dict):
        return dataclasses.field(default_factory=lambda: default, metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)


def stack(*numbers: Any) -> np.ndarray:
    """(…, P) float32 of P numbers, or columns (B,) of them: what `row` returns."""
    return np.stack(np.broadcast_arrays(*numbers), axis=-1).astype(np.float32)


@dataclass(frozen=True)
class Op(ABC):
    """One thing that can happen to an item."""

    version: ClassVar[int] = 1
    """Raised when the operator's bytes change; part of the recipe's hash."""

    kind: ClassVar[str] = "audio"
    """What it works on: audio or image."""

    paints: ClassVar[bool] = False
    """Image: makes a mask and a label."""

    def draw(self, keys: Keys, shapes: Shapes) -> Columns:
        """One column for each setting that is a distribution, each row a function of its own key (and shape) only."""
        fields = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        return {name: value.draw(keys, name) for name, value in fields.items() if isinstance(value, Distribution)}

    def by_slot(self) -> bool:
        """Whether its draws depend on a row's place in the run, as they do where a bank's items have quotas."""
        return False

    def banks(self) -> tuple[str, ...]:
        """The names of the banks that it cannot do without."""
        return ()

    def own_banks(self) -> tuple[str, ...]:
        """The names of the banks that a run's own data serve as where it has none of that name."""
        return ()

    def moment(self, seconds: float, /, **plan: Any) -> float:
        """Audio: where a moment of the clip is after the step, in seconds from its beginning."""
        return seconds

    def check(self) -> None:
        """Refuse settings that are wrong together.

        Raises:
            SettingError: without the step's name, which the caller knows.
        """


class Source(Op):
    """Audio: makes a sound that a later `Mix` can name as its `source`.

    One with a `bank` has the columns `item_1`, `item_2`… in its plan, empty from the first that names nothing on.
    """

    bank: str = ""

    @abstractmethod
    def wave(self, length: int, rate: int, /, **plan: Any) -> np.ndarray:
        """(length,) float32 with an RMS of one, from one row of the plan. `rate` in hertz.

        With a `bank`, the keyword `sounds` is a list of the items that the plan names, each whole and at that rate,
        (N,) float32 and not to be written to.
        """


class Mix(Op):
    """Audio: adds a second sound, levelled against the clean, reverberated foreground and never the running mix.

    Its plan has the columns `source` (the name of an earlier `Source` step, or `bank`), `item` (the bank item, or
    empty) and `offset` (samples into it).
    """

    bank: str

    def by_scale(self) -> bool:
        """Whether the factor depends on how loud the foreground is, other than in proportion."""
        return False

    @abstractmethod
    def sources(self) -> set[str]:
        """Every `source` that it may draw: names of steps, and `bank`."""

    @abstractmethod
    def factor(self, foreground: np.ndarray, noise: np.ndarray, rate: int, /, **plan: Any) -> float:
        """What to multiply the noise (T,) by before it is added to the foreground (T,), both float32.

        The foreground comes as loud as it will be written.

        Raises:
            InputError: where no level can be measured.
        """

    def by_levels(self, foreground: Any, noise: Any, /, **plan: Any) -> float | None:
        """The same from levels alone, so that no sound need be scaled to be measured; None: `factor` is asked.

        Args:
            foreground, noise: `kernels.loudness.Levels`, whose `level(reference, speech)` is an amplitude.
        """
        return None


class Gain(Op):
    """Audio: one factor for the whole clip; the foreground and every added sound are scaled alike."""

    @abstractmethod
    def factor(self, audio: np.ndarray, rate: int, /, **plan: Any) -> float:
        """What to multiply audio (T,) float32 by."""

    def by_rms(self, rms: float, /, **plan: Any) -> float | None:
        """The same from the RMS of the audio alone; None: `factor` is asked."""
        return None


class Spectrum(Op):
    """Audio: a linear filter. Neighbours multiply; the foreground and every added sound are filtered alike.

    Where its plan has a column `item`, that names an item of the bank `bank`.
    """

    bank: str

    by_item: ClassVar[bool] = False
    """Whether the response to a bank item depends on that item's sound alone, so that its spectrum may be kept."""

    @abstractmethod
    def response(self, rate: int, sound: np.ndarray | None, /, **plan: Any) -> np.ndarray:
        """The impulse response (N,) float64; what it makes of a sample begins at that sample.

        Args:
            rate: hertz.
            sound: (M,) float32, the bank item that the plan names, whole and at that rate.
        """

    def responses(self, rate: int, device: str, plans: Sequence[Columns]) -> Sequence[Any] | None:
        """Those of many items whose plans name no bank item, made on a device at once: a tensor (N,) float32 of each.

        None: `response` makes them one by one.
        """
        return None


class Warp(Op):
    """Image: moves pixels. Neighbouring warps compose into one resampling; masks, boxes and points follow."""

    kind: ClassVar[str] = "image"

    @abstractmethod
    def matrix(self, height: int, width: int, /, **plan: Any) -> np.ndarray:
        """(…, 3, 3) float64: homogeneous (x, y, 1) of an output pixel's centre → the source position it shows.

        Pixel centres lie at whole numbers: (0, 0) is the centre of the upper left pixel. The plan's values are
        numbers, or columns (B,) of a batch of images of one size; numpy's functions take both.
        """

    shift: ClassVar[Callable[..., Any] | None] = None
    """`staticmethod` f(x, y, row) → (dx, dy), pixels, plain Python that Numba compiles, or None. An output pixel at p
    then shows `matrix` · (p + shift(p)). Every |∂d| stays below 0.5, so that the map is one-to-one."""

    line: ClassVar[Callable[..., Any] | None] = None
    """With `along`, a quicker `shift` for positions of one y, or None: f(y, left, right, row, line) writes to `line`,
    which is as long as `row`, what positions from `left` to `right` have in common."""

    along: ClassVar[Callable[..., Any] | None] = None
    """f(x, row, line) → (dx, dy), as `shift` on the row that `line` was worked out for."""

    def row(self, height: int, width: int, /, **plan: Any) -> np.ndarray:
        """(…, P) float32: the numbers that `shift` reads; of a batch (B, P), where shorter rows end in zeros."""
        return np.zeros(0, np.float32)


class Point(Op):
    """Image or audio: a new value at each place from (value, position, plan row)."""

    kind: ClassVar[str] = "image"

    pixel: ClassVar[Callable[..., Any]]
    """`staticmethod` f(value, x, y, row) → value: float32 in and out, plain Python that Numba compiles. An image's
    values are 0…1; of audio, x is the sample and y is 0. Without a branch it works on sixteen pixels at once."""

    @abstractmethod
    def row(self, height: int, width: int, /, **plan: Any) -> np.ndarray:
        """(…, P) float32: the numbers that `pixel` reads, worked out once for an item; audio is 1 × T.

        The plan's values are numbers, or columns (B,) of a batch of one size; `stack` takes both.
        """


class Paint(Point):
    """Image: a `Point` that also makes a label: where the value changed by at least `label_above` at its own output."""

    paints: ClassVar[bool] = True

    label: str
    label_above: float
    """Grey levels of 255."""

    line: ClassVar[bool] = False
    """A thin mark: its mask counts from a quarter of a pixel's coverage after a resampling, not from a half."""


class Apply(Op):
    """Any torch, Kornia or torchaudio code; runs alone, and item by item on a CPU unless `batched_exact`.

    Batches: `audio` (B, T) float32 and `length` (B,); or `image` (B, C, H, W) float32, `mask` (B, K, H, W) bool, the
    labels of the K masks that the item has so far, and `boxes` (B, N, 4), x0, y0, x1, y1 in pixel edges. What it
    returns of these replaces them. A painting one says `paints`, returns `painted` (B, H, W) bool, and has a `label`
    or a plan column of that name. With a bank, `bank` is a list of what the plan's column `item` names.
    """

    batched_exact: ClassVar[bool] = False
    """True: the same bytes for any batch and number of threads, which the law test checks."""

    linear: ClassVar[bool] = False
    """Audio: the foreground and every added sound go through it one by one; otherwise their sum does."""

    resizes: ClassVar[bool] = False
    """What it returns may be of another length, or height and width."""

    label: str = ""
    bank: str = ""

    @abstractmethod
    def apply(self, batch: dict[str, Any], /, **plan: Any) -> dict[str, Any]:
        """A new batch of named tensors; its input is left as it was. Each keyword is a column of the plan, (B,)."""


FORMS = (Source, Mix, Gain, Spectrum, Warp, Paint, Point, Apply)
