"""A gate measures a made item, as it will be written, against what its plan asked for: accept, draw again, reject.

One measurement is one frozen dataclass in `kernels/gate/<noun>.py`; its fields are what it tolerates.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np


class Later(Mapping[str, Any]):
    """A mapping that is worked out when it is first asked anything, and once.

    Args:
        make: what works it out.
    """

    def __init__(self, make: Callable[[], Mapping[str, Any]]) -> None:
        self._make = make
        self._found: Mapping[str, Any] | None = None

    def _all(self) -> Mapping[str, Any]:
        if self._found is None:
            self._found = self._make()
            del self._make
        return self._found

    def __getitem__(self, name: str) -> Any:
        return self._all()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())

    def __reduce__(self) -> tuple[Any, ...]:
        # Another process gets what it holds.
        return dict, (dict(self._all()),)


@dataclass(frozen=True)
class Made:
    """One finished item, beside what it was made from.

    Args:
        parent: what was read: audio (T,) float32, or image (H, W, C) uint8 or uint16.
        item: what will be written, after rounding, in the same form.
        rate: hertz; 0 for images.
        gain: audio: what the parent was multiplied by, all steps together, where only gains and mixes touched it.
        stems: audio: `foreground` and each mix step's added sound, (T,) float32, as they are in the finished item;
            the foreground alone, and it is the whole, after a step that takes the sum of them apart no more.
        heard: audio: mix step → foreground and added sound, (T,) float32, as they were when they were mixed and as
            loud as they are in the finished item, where a later step did more to them than scale them.
        masks: image: each painting step's label mask, (H, W) bool; and `mask`, what the parent brought along.
        boxes: image: the parent's boxes, (N, 4) x0, y0, x1, y1 in pixel edges, where they are now.
    """

    parent: np.ndarray
    item: np.ndarray
    rate: int = 0
    gain: float = 1.0
    stems: Mapping[str, np.ndarray] = field(default_factory=dict)
    heard: Mapping[str, tuple[np.ndarray, np.ndarray]] = field(default_factory=dict)
    masks: Mapping[str, np.ndarray] = field(default_factory=dict)
    boxes: np.ndarray | None = None


@dataclass(frozen=True)
class Verdict:
    """What one gate found on one item.

    Args:
        ok: whether the item passes.
        asked: what the plan asked for (the limit itself where a gate has only a limit).
        got: what was measured.
        more: further measured numbers, stored as `got.<gate>_<name>`.
    """

    ok: bool
    asked: float
    got: float
    more: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Gate(ABC):
    """A measurement and its tolerance. `step` names the step whose plan is asked."""

    step: str

    def suits(self, op: Any) -> bool:
        """Whether there is anything to measure of such a step."""
        return True

    @abstractmethod
    def measure(self, made: Made, op: Any, plan: Mapping[str, Any], /) -> Verdict:
        """Measure one item; `op` is the step's operator and `plan` its own draws (`{"snr": 3.2, …}`)."""

    def check(self) -> None:
        """Refuse settings that are wrong together."""
