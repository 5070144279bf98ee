"""A second look at the rows that report: what may be accepted there after a first one has said to halve."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sliceforge.engine.loop.verify.verdict import Verdict

SOUND = "these rows are looked at a second time only as the first look showed a gain: both err no more often than one"


def second(first: Mapping[str, Any], now: Verdict) -> Verdict:
    """The verdict on half of the budget, after the first one said `halve`.

    The gain is a fixed sequence of two tests: the second is made only where the first rejected, so that both together
    accept falsely no more often than one alone (Maurer, Hothorn and Lehmacher, 1995). Losses have no such order: what
    was seen to lose the first time must not lose by its own estimate now; that it is not shown is not enough.

    Args:
        first: `Verdict.plain()` of the first round.
        now: what the rows say of the second.
    """
    if now.decision == "reject":
        return now
    lost = {one["slice"] for one in first["changes"] if one["says"] == "lost"}
    still = [one for one in now.changes if one.says == "lost" or (one.slice in lost and one.gain < -now.margin)]
    if not still:
        return replace(now, reason=f"{now.reason}; {SOUND}")
    worst = min(still, key=lambda one: one.gain)
    told = f"{worst.slice} lost {-100 * worst.gain:.1f} points with half of the budget too"
    return replace(now, decision="reject", reason=told)
