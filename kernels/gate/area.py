"""The share of the image that a painted mask covers, against the share that the plan asked for."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sliceforge.engine.gates import Gate, Made, Verdict, draws
from sliceforge.engine.op import setting


@dataclass(frozen=True)
class Area(Gate):
    """|achieved − asked| ≤ tolerance · asked, or one pixel where that is more; asked is the plan's column `area`.

    Args:
        step: the paint whose mask is measured; it draws an `area`.
        tolerance: share of what was asked.
    """

    tolerance: float = setting(0.1, "of the request", low=0)

    def suits(self, op: Any) -> bool:
        """A step that paints an area."""
        return bool(op.paints) and draws(op, "area")

    def measure(self, made: Made, op: Any, plan: Mapping[str, Any], /) -> Verdict:
        """An empty mask does not pass."""
        mask, asked = made.masks[self.step], float(plan["area"])
        got = float(mask.mean())
        limit = max(self.tolerance * asked, 1 / mask.size)
        return Verdict(got > 0 and abs(got - asked) <= limit, asked, got)
