"""Plots of a loop's page: losses inside and outside the slices, and the arms of a trial."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sliceforge.engine.report.lanes import Lane, plot


def gaps(rows: Sequence[tuple[str, float, float]]) -> str:
    """Each slice's loss as a dot, and that of the rest as a ring, joined by a line; in points.

    Args:
        rows: name, loss, loss of the rest; at least one.
    """
    lanes = []
    for name, loss, rest in rows:
        inside, outside = 100 * loss, 100 * rest
        lanes.append(Lane(name, ((outside, "ring"), (inside, "mean")), (outside, inside), "bad"))
    return plot(lanes, "loss in points: ● in the slice, ○ in the rest", "Loss in each slice and in the rest")


def arms(figures: Sequence[Mapping[str, Any]], weak: str, chosen: str) -> str:
    """The losses of a trial's arms on the weak slice, a ring for each seed and a bar to their mean.

    Args:
        figures: of `halving.Choice.plain`; at least one.
        weak: the slice.
        chosen: the arm that was taken.
    """
    ordered = sorted(figures, key=lambda one: _mean(one["losses"][weak]))
    lanes = []
    for one in ordered:
        losses = one["losses"][weak]
        taken = one["name"] == chosen
        kind = "good" if taken else "bad" if one["says"] == "hurts" else ""
        note = "taken" if taken else "hurts another slice" if kind else ""
        rings = tuple((100 * loss, "ring") for loss in losses)
        lanes.append(Lane(one["name"], rings, (0.0, 100 * _mean(losses)), kind, note, taken))
    return plot(lanes, "loss on the slice in points: bar to the mean, ○ one training", f"Arms tried for {weak}")


def _mean(losses: Sequence[float]) -> float:
    return sum(losses) / len(losses)
