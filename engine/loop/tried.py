"""What was tried for each slice, on the page of a loop."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sliceforge.engine.loop import charts
from sliceforge.engine.report.markup import name, points, table, text


def tried(done: Mapping[str, Any]) -> str:
    """HTML of each slice's trial: what was chosen, the plot of its arms, and every figure.

    Args:
        done: what the step trial found.
    """
    parts = []
    for weak, said in done["slices"].items():
        parts.append(f"<h3>{name(weak)} <small>{text(said['chosen'])}</small></h3><p>{text(said['reason'])}.</p>")
        if said["figures"]:
            parts.append(charts.arms(said["figures"], weak, said["chosen"]))
            parts.append(_arms(said["figures"], weak))
    return "".join(parts)


def _arms(figures: list[Mapping[str, Any]], weak: str) -> str:
    rows = []
    for one in figures:
        losses = one["losses"]
        others = [(sum(v) / len(v), other) for other, v in losses.items() if other != weak]
        most = max(others) if others else (0.0, "")
        own = losses[weak]
        cells = (str(len(own)), points(sum(own) / len(own)), points(one["gain"]), points(one["noise"]))
        rows.append((name(one["name"]), *cells, f"{points(most[0])} {name(most[1])}", text(one["says"])))
    head = ("arm", "#trainings", "#loss", "#gain", "#noise", "#worst of the others", "")
    return f"<details><summary>All figures</summary>{table(head, rows, f'Arms of {weak}, in points')}</details>"
