"""E6 as it goes on: accuracy batch by batch, where noise begins, and where the loop trained anew."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sliceforge.engine.report.figures import Scale
from sliceforge.engine.report.markup import number, text

WIDE, TALL, TOP, BOTTOM, LEFT, RIGHT = 720, 330, 50, 280, 60, 590
DASHES = {"monitor only": "", "loop": ' class="own"', "oracle": ' stroke-dasharray="2 4"'}


def timeline(condition: Mapping[str, Any]) -> tuple[str, int]:
    """The inside of an SVG, and how tall it is."""
    rows = [one for one in condition["accuracy"] if one["slice"].startswith("batch ")]
    rows.sort(key=lambda one: int(one["slice"].removeprefix("batch ")))
    lines = {arm: [sum(one["percent"][arm]) / len(one["percent"][arm]) for one in rows] for arm in DASHES}
    ends = [end for one in rows for pair in one.get("interval", {}).values() for end in pair]
    known = [*ends, *(value for line in lines.values() for value in line)]
    x, y = Scale(1, len(rows), LEFT, RIGHT), Scale(min(known) - 6, min(max(known) + 2, 100), BOTTOM, TOP)
    parts = ['<text class="title" x="16" y="22">percent right, batch by batch</text>']
    for tick in y.ticks():
        at = float(y.at(tick))
        parts.append(f'<path class="grid" d="M{LEFT} {at:.1f}H{RIGHT}"/>')
        parts.append(f'<text class="small" x="{LEFT - 8}" y="{at + 4:.1f}" text-anchor="end">{number(tick)}</text>')
    for batch in range(1, len(rows) + 1):
        at = float(x.at(batch))
        parts.append(f'<text class="small" x="{at:.1f}" y="{BOTTOM + 18}" text-anchor="middle">{batch}</text>')
    before = next(one for one in condition["accuracy"] if one["slice"] == "batches 1 to 4")["percent"]["loop"]
    at = float(y.at(sum(before) / len(before)))
    parts.append(f'<path class="bar" d="M{LEFT} {at:.1f}H{RIGHT}"/>')
    parts.append(f'<text class="bar" x="{RIGHT + 12}" y="{at + 4:.1f}">as before the noise</text>')
    begins = float(x.at(4.5))
    parts.append(f'<path class="bar" d="M{begins:.1f} {TOP - 12}V{BOTTOM}"/>')
    parts.append(
        f'<text class="bar" x="{begins + 5:.1f}" y="{TOP - 4}">from here on, noise in four of ten clips</text>'
    )
    for at, count in _retrained(condition).items():
        place = float(x.at(at + 0.5))
        said = f"{count} of {condition['seeds']} streams: alarm and retraining after batch {at}"
        parts.append(f'<path class="own" stroke-dasharray="5 3" d="M{place:.1f} {BOTTOM - 14}V{BOTTOM}"/>')
        parts.append(f'<text class="small" x="{place + 5:.1f}" y="{BOTTOM - 5}">{text(said)}</text>')
    parts += _arms(lines, rows, x, y)
    parts.append(f'<text class="small" x="{(LEFT + RIGHT) / 2}" y="{BOTTOM + 38}" text-anchor="middle">batch</text>')
    return "\n".join(parts), TALL


def _retrained(condition: Mapping[str, Any]) -> dict[int, int]:
    """After which batch how many streams were trained anew."""
    found: dict[int, int] = {}
    for one in condition["streams"]:
        if one["found"]:
            batch = int(one["found"].removeprefix("batch ").partition(":")[0])
            found[batch] = found.get(batch, 0) + 1
    return found


def _arms(lines: Mapping[str, list[float]], rows: list[Mapping[str, Any]], x: Scale, y: Scale) -> list[str]:
    """A line for each arm, its intervals side by side, and its name at the end, kept apart from the others'."""
    parts, names = [], sorted(lines, key=lambda arm: -lines[arm][-1])
    below = 0.0
    for arm in names:
        below = max(float(y.at(lines[arm][-1])) + 4, below + 15)
        parts.append(f'<text x="{RIGHT + 12}" y="{below:.1f}">{text(arm)}</text>')
    for side, (arm, values) in enumerate(lines.items()):
        points = " ".join(f"{float(x.at(at)):.1f},{float(y.at(v)):.1f}" for at, v in enumerate(values, 1))
        parts.append(f'<path{DASHES[arm]} d="M{points}"/>')
        for at, (row, value) in enumerate(zip(rows, values, strict=True), 1):
            place = float(x.at(at)) + 4 * (side - 1)
            if arm in row.get("interval", {}):
                low, high = (float(y.at(end)) for end in row["interval"][arm])
                parts.append(f'<path{DASHES[arm]} stroke-opacity="0.45" d="M{place:.1f} {low:.1f}V{high:.1f}"/>')
            mark = ' class="own"' if arm == "loop" else ""
            parts.append(f'<circle{mark} cx="{float(x.at(at)):.1f}" cy="{float(y.at(value)):.1f}" r="3"/>')
    return parts
