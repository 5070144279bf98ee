"""What a batch of sounds goes through on a device, worked out on the host: stages of parts, and the plan as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from sliceforge.engine.cuda import smoothers, waves, words
from sliceforge.engine.cuda.upload import Table, stacked
from sliceforge.engine.errors import InputError
from sliceforge.engine.step import Step
from sliceforge.kernels.activity import HANGOVER, SMOOTHER


@dataclass(frozen=True)
class Filter:
    """Neighbouring `Spectrum` steps: columns of places that name each one's response, from `column` on."""

    column: int
    count: int


@dataclass(frozen=True)
class Noise:
    """One mix's sound: the first of its five columns of places, and the stem that it becomes."""

    column: int
    stem: int


@dataclass(frozen=True)
class Measure:
    """The stems as they are now, measured into row `version`; `active` where the foreground's envelope is wanted."""

    version: int
    active: bool


@dataclass(frozen=True)
class Dot:
    """A `Point` step: what it reads are `count` columns of numbers from `first`; `column` of places says whether."""

    step: Step
    column: int
    first: int
    count: int


@dataclass(frozen=True)
class Alone:
    """An `Apply` step, on the stems one by one or on their sum; a column of places is 0 where it happens, else −1.

    Args:
        draws: the plan of each item; of those that it does not happen to, another's.
    """

    step: Step
    column: int
    draws: Sequence[Mapping[str, Any]]


@dataclass
class Stage:
    """What goes on while stems stay apart: parts, the script of factors, and the step that takes the sum, if any."""

    parts: list[Filter | Noise | Measure | Alone] = field(default_factory=list)
    script: list[tuple[int, ...]] = field(default_factory=list)
    versions: int = 0
    end: Dot | Alone | None = None


@dataclass(frozen=True)
class Response:
    """An impulse response of `samples` samples: an array that goes up, or a tensor that is there already.

    Args:
        key: what it is kept under, or None where it will not come again.
    """

    samples: int
    wave: Any
    key: Any = None


@dataclass
class Program:
    """A batch, ready to go up.

    Args:
        clips: (T,) float32 each, as the device gets them.
        rates: hertz.
        table: the plan's numbers.
        stages: in order.
        made: sounds that were made on the host.
        responses: impulse responses; those that are kept each once.
        errors: row → what was wrong with it; it goes through nothing.
    """

    clips: list[np.ndarray]
    rates: np.ndarray
    table: Table
    stages: list[Stage] = field(default_factory=lambda: [Stage()])
    made: list[np.ndarray] = field(default_factory=list)
    responses: list[Response] = field(default_factory=list)
    errors: dict[int, InputError] = field(default_factory=dict)
    stems: int = 1

    def head(self, guard_db: float, touched: np.ndarray, by_scale: np.ndarray) -> None:
        """The fixed columns, which come first.

        Args:
            touched: (B,) bool, whether any step happens.
            by_scale: (B,) bool, whether a level depends on the final loudness.
        """
        slope = 1 / (self.rates * SMOOTHER)
        limit = 10 ** (guard_db / 20)
        most = np.where(touched, limit, np.inf)
        left = np.full(len(most), limit - float(np.float32(limit)))
        lengths = np.array([len(clip) for clip in self.clips])
        hang = np.rint(self.rates * HANGOVER)
        numbers = {smoothers.GAP: -np.expm1(-slope), smoothers.SLOPE: slope, words.LIMIT: most, words.LIMIT_LOW: left}
        places = {waves.LENGTH: lengths, smoothers.HANG: hang, words.ROUNDS_ON: by_scale}
        self.table.numbers[:] = [numbers[i].astype(np.float32) for i in range(len(numbers))]
        self.table.places[:] = [places[i].astype(np.int32) for i in range(len(places))]

    def arrays(self) -> dict[str, np.ndarray]:
        """Everything that goes up, by name; the script's rows of every stage one after the other, at least one row."""
        fresh = [one.wave for one in self.responses if isinstance(one.wave, np.ndarray)]
        rows = [row for stage in self.stages for row in stage.script]
        count = len(self.clips)
        return {
            "clips": stacked(self.clips),
            "made": stacked(self.made),
            "responses": stacked(fresh),
            "numbers": np.stack(self.table.numbers, 1),
            "places": np.stack(self.table.places, 1),
            "script": np.array(rows or [(0,) * WIDTH], np.int32),
            "parts": np.eye(1, self.stems, dtype=np.float32).repeat(count, 0),
            "state": np.ones((count, 2), np.float32),
            "status": np.zeros(count, np.int32),
        }


WIDTH = 6
"""Of a row of a script; `factors` names its columns."""
