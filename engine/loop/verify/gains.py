"""The plot of a verdict: what each slice gained or lost, with its interval."""

from __future__ import annotations

from collections.abc import Sequence

from sliceforge.engine.report.lanes import Lane, plot

KINDS = {"gained": "good", "lost": "bad"}
"""What is said of a slice → how it is drawn."""


def gains(rows: Sequence[tuple[str, float, float, float, str]], margin: float, told: str) -> str:
    """A line for each slice: its gain in points as a dot, its 95 % interval as a bar, around nothing gained.

    Args:
        rows: name, gain, low, high (no bar where one is infinite or no number), and what is said of it.
        margin: what a slice may lose, in points: a dashed line.
        told: what the plot says to those who do not see it.
    """
    lanes = [
        Lane(name, ((gain, "mean"),), (low, high), KINDS.get(says, ""), says) for name, gain, low, high, says in rows
    ]
    return plot(
        lanes, "points gained; dashed: nothing, and what may be lost", told, ((0.0, "diagonal"), (-margin, "now"))
    )
