"""A clip is as long as its steps say, and no word of its transcript is lost: both stay, or both move."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from sliceforge.engine.gates import Gate, Made, Verdict
from sliceforge.engine.moments import ALIGNMENTS, MOMENTS, moved
from sliceforge.engine.op import setting


@dataclass(frozen=True)
class Duration(Gate):
    """|achieved − asked| ≤ tolerance or one sample; asked is where the steps move the clip's end, less its beginning.

    A step that makes a clip longer or shorter and does not say what becomes of a moment in it does not pass, nor does
    one that moves a word out of the clip.

    Args:
        step: empty, or only items to which this step happened.
        tolerance: seconds.
    """

    whole: ClassVar[bool] = True

    step: str = ""
    tolerance: float = setting(0.001, "seconds", low=0)

    def suits(self, op: Any) -> bool:
        """A step for sound."""
        return bool(op.kind == "audio")

    def measure(self, made: Made, op: Any, plan: Mapping[str, Any], /) -> Verdict:
        """In seconds; more: `lost`, words and moments that the item's metadata names and the clip has no more."""
        start, end = 0.0, len(made.parent) / made.rate
        for step in op.steps:
            if op.active(step, plan):
                start, end = (step.op.moment(t, **op.draws(step, plan)) for t in (start, end))
        asked, got = end - start, len(made.item) / made.rate
        lost = _gone(moved(op, plan, got)) - _gone(plan)
        limit = max(self.tolerance, 1 / made.rate) + 1e-9
        return Verdict(abs(got - asked) <= limit and lost <= 0, asked, got, {"lost": float(max(lost, 0))})


def _gone(row: Mapping[str, Any]) -> int:
    """Spans of a row that hold nothing."""
    spans = [part for name in ALIGNMENTS for part in (row.get(name) or ()) if isinstance(part, Mapping)]
    return sum(_empty(part) for part in (row, *spans))


def _empty(part: Mapping[str, Any]) -> bool:
    start, end = (part.get(name) for name in MOMENTS)
    return isinstance(start, int | float) and isinstance(end, int | float) and not end > start
