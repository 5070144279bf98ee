"""Play a clip faster or slower, pitch and all: out(t) = x(factor · t)."""

import math
from dataclasses import dataclass
from typing import Any, ClassVar

from sliceforge.engine.op import Apply, Real, setting
from sliceforge.kernels import sinc


@dataclass(frozen=True)
class Speed(Apply):
    """Resampling: the clip becomes ⌈T / factor⌉ samples long, and every frequency `factor` times as high.

    What an item says of moments, the start of a word or its duration, moves with it: see `moved`.

    Args:
        factor: above 1 faster and higher; six decimals of it count. 1 changes no bit.
    """

    version: ClassVar[int] = 2
    linear: ClassVar[bool] = True
    resizes: ClassVar[bool] = True

    factor: Real = setting([0.9, 1.1], "times as fast", low=0.25, high=4)

    def apply(self, batch: dict[str, Any], /, **plan: Any) -> dict[str, Any]:
        """`audio` (B, T) and `length` (B,), each clip at its own speed."""
        from sliceforge.engine.read import pad

        clips = []
        for clip, length, factor in zip(batch["audio"], batch["length"], plan["factor"], strict=True):
            x, step = clip[: int(length)].cpu().numpy(), exact(factor)
            clips.append(x if step == 1 else sinc.read(x, step, length_at(len(x), step)))
        return pad(clips)

    def moment(self, seconds: float, /, **plan: Any) -> float:
        """Sooner or later by the factor."""
        return moved(seconds, plan["factor"])


def exact(factor: float) -> float:
    """The factor as it was meant: a plan holds float32, in which 0.9 is 0.89999998."""
    return round(float(factor), 6)


def length_at(length: int, factor: float) -> int:
    """Samples that a clip has afterwards: ⌈length / factor⌉, to a millionth of a sample."""
    return max(math.ceil(round(length / exact(factor), 6)), min(length, 1))


def moved(seconds: float, factor: float) -> float:
    """Where a moment of the clip, or how long a part of it, is afterwards.

    >>> moved(1.8, 0.9)
    2.0

    Args:
        seconds: from the beginning of the clip, or a duration.
        factor: as drawn.
    """
    return seconds / exact(factor)
