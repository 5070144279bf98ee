"""A gate measures a made item, as it will be written, against what its plan asked for: accept, draw again, reject.

One measurement is one frozen dataclass in `kernels/gate/<noun>.py`; its fields are what it tolerates.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from sliceforge.engine.keys import Keys
from sliceforge.engine.op import Op, Shapes

CELLS = 64
"""Into which each side of a painted mask is divided to be remembered."""


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
        regions: image: column of the parent's row → the mask that it names, (H, W) bool, on the parent.
    """

    parent: np.ndarray
    item: np.ndarray
    rate: int = 0
    gain: float = 1.0
    stems: Mapping[str, np.ndarray] = field(default_factory=dict)
    heard: Mapping[str, tuple[np.ndarray, np.ndarray]] = field(default_factory=dict)
    masks: Mapping[str, np.ndarray] = field(default_factory=dict)
    boxes: np.ndarray | None = None
    regions: Mapping[str, np.ndarray] = field(default_factory=dict)

    def sounds(self, step: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The foreground, a mix step's own sound, and all that was added, (T,) float32 each.

        As they were when they were mixed, where a later step did more than scale them; else as they were written, with
        rounding as part of what was added.
        """
        if step in self.heard:
            foreground, own = self.heard[step]
            others = [pair[1] for name, pair in self.heard.items() if name != step and len(pair[1]) == len(own)]
            return foreground, own, sum(others, own) if others else own
        foreground = self.stems["foreground"]
        # Exact: both are near each other, or small.
        added = self.item - foreground
        others = [stem for name, stem in self.stems.items() if name not in ("foreground", step)]
        return foreground, added - sum(others) if others else added, added


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
class Mark:
    """What is remembered of an item, so that later ones can be compared with it.

    Args:
        hash: 64 bits of `kernels/hashes.py`.
        painted: (h, w) bool, where anything is painted, in at most `CELLS` cells a side; None where no step paints.
    """

    hash: int
    painted: np.ndarray | None = None

    @classmethod
    def of(cls, made: Made, brought: str, hash_: int) -> Mark:
        """An item's mark; `brought` is the name of the mask that does not count."""
        masks = [mask for name, mask in made.masks.items() if name != brought]
        return cls(hash_, _coarse(np.any(masks, axis=0)) if masks else None)


def hashed(made: Made) -> int:
    """The 64 bits of `kernels/hashes.py` of an item."""
    from sliceforge.kernels.hashes import of_image, of_sound

    return of_sound(made.item, made.rate) if made.rate else of_image(made.item)


def _coarse(mask: np.ndarray) -> np.ndarray:
    for axis in (0, 1):
        starts = np.arange(0, mask.shape[axis], -(-mask.shape[axis] // CELLS))
        mask = np.logical_or.reduceat(mask, starts, axis=axis)
    return mask


@dataclass(frozen=True)
class Gate(ABC):
    """A measurement and its tolerance. `step` names the step whose plan is asked."""

    whole: ClassVar[bool] = False
    """True: of the whole item, whichever steps happened to it; then `step` may be empty, and where it is not, only
    items to which that step happened are measured."""

    step: str

    def suits(self, op: Any) -> bool:
        """Whether there is anything to measure of such a step."""
        return True

    @abstractmethod
    def measure(self, made: Made, op: Any, plan: Mapping[str, Any], /) -> Verdict:
        """Measure one item; `op` is the step's operator and `plan` its own draws (`{"snr": 3.2, …}`).

        A `whole` gate gets the recipe and the whole plan row in their place.
        """

    def columns(self) -> tuple[str, ...]:
        """The columns of the parent's metadata that name a mask which it looks at."""
        return ()

    def near(self, one: Mark, other: Mark) -> bool:
        """Whether two items of a shard are so alike that the later one is drawn again."""
        return False

    def check(self) -> None:
        """Refuse settings that are wrong together."""


def draws(op: Op, column: str) -> bool:
    """Whether a step's plan has a column of that name."""
    nobody = np.zeros(0, np.int64)
    return column in op.draw(Keys.of(0, []), Shapes(nobody, nobody, nobody, nobody))
