"""Move a clip in time within its own length: out(t) = x(t − shift)."""

from dataclasses import dataclass
from typing import Any, ClassVar

from sliceforge.engine.errors import InputError
from sliceforge.engine.op import Apply, Real, setting


@dataclass(frozen=True)
class Shift(Apply):
    """The length stays; what leaves at one end is gone, or comes back at the other.

    What an item says of moments moves with it, by `shift`.

    Args:
        shift: seconds, to the nearest sample; above 0 later.
        fill: what the end that it left is filled with: `zero`, silence, or `roll`, what left at the other.
    """

    linear: ClassVar[bool] = True
    batched_exact: ClassVar[bool] = True

    shift: Real = setting([-0.1, 0.1], "s", low=-3600, high=3600)
    fill: str = setting("zero", choices=("zero", "roll"))

    def apply(self, batch: dict[str, Any], /, **plan: Any) -> dict[str, Any]:
        """`audio` (B, T), each clip shifted within its `length` (B,).

        Raises:
            InputError: nothing of the clip is left.
        """
        audio = batch["audio"].clone()
        for clip, length, rate, shift in zip(audio, batch["length"], batch["rate"], plan["shift"], strict=True):
            count, samples = int(length), round(float(shift) * int(rate))
            if self.fill == "roll":
                clip[:count] = clip[:count].roll(samples)
                continue
            if abs(samples) >= count:
                raise InputError("silent", f"a shift by {float(shift):.3g} s leaves nothing of {count} samples")
            clip[:count] = clip[:count].roll(samples)
            clip[: max(samples, 0)] = 0
            clip[count + min(samples, 0) : count] = 0
        return {**batch, "audio": audio}

    def moment(self, seconds: float, /, **plan: Any) -> float:
        """Later by the shift."""
        return seconds + float(plan["shift"])
