"""A verdict in words: the table that `verify` prints, verdict.yaml and the page."""

from __future__ import annotations

import math
from pathlib import Path

import yaml

from sliceforge.engine import commit
from sliceforge.engine.loop.allocate import plots
from sliceforge.engine.loop.verify.verdict import Change
from sliceforge.engine.loop.verify.verifying import Verified
from sliceforge.engine.report.markup import count, name, table, text
from sliceforge.engine.texts import Row
from sliceforge.engine.texts import table as aligned


def told(found: Verified) -> str:
    """A row for each slice, and the verdict in a sentence."""
    rows: list[Row] = [("slice", "rows", "before", "after", "gain", "95 %", "gained/lost", "p", "")]
    rows += [
        (one.slice, str(one.rows), *_figures(one), f"{one.more}/{one.fewer}", f"{one.p:.2g}", one.says)
        for one in found.verdict.changes
    ]
    lines = [aligned(rows), *_notes(found), found.sentence()]
    return "\n".join(lines)


def _notes(found: Verified) -> list[str]:
    lines = [f"{found.left_out} rows that slices were found on do not count"] if found.left_out else []
    lines += [f"{one}: no row counts" for one in found.empty]
    if min(found.verdict.seeds) == 1:
        lines.append(
            "one training on a side: what another seed would give is not in these intervals, and on a weak slice that "
            "is often points; give two of each or more, such as before=[A1.parquet,A2.parquet]"
        )
    return lines


def _figures(one: Change) -> tuple[str, str, str, str]:
    before, after, gain = (f"{100 * value:.1f}" for value in (one.before, one.after, one.gain))
    known_ = math.isfinite(one.low) and math.isfinite(one.high)
    return before, after, gain, f"{100 * one.low:.1f} to {100 * one.high:.1f}" if known_ else "too few rows"


def page(found: Verified, path: Path) -> Path:
    """Write the page: every slice's gain and loss with its interval, as a plot and a table."""
    changes = found.verdict.changes
    rows = [(one.slice, 100 * one.gain, 100 * one.low, 100 * one.high, one.says) for one in changes]
    drawn = plots.forest(rows, 100 * found.verdict.margin, found.sentence())
    cells = [
        (name(one.slice), *map(text, (one.rows, *_figures(one), f"{one.more}/{one.fewer}", one.p, one.says)))
        for one in changes
    ]
    head = ("slice", "#rows", "#before", "#after", "#gain", "95 %", "gained/lost", "#p (McNemar)", "")
    seeds = " and ".join(count(one, "training") for one in found.verdict.seeds)
    body = f"<section><h2>Gain of each slice</h2>{drawn}</section>"
    body += f"<section><h2>Figures</h2>{table(head, cells, 'Every slice before and after')}"
    body += f'<p class="hint">{text(f"{found.rows} rows; {seeds}; points are hundredths of the loss")}</p></section>'
    body += "".join(f"<p>{text(line)}</p>" for line in _notes(found))
    return plots.write(path, plots.page(f"Verdict: {found.verdict.decision}", found.verdict.reason, body))


def write(found: Verified, place: str) -> Path:
    """Write verdict.yaml."""
    text_ = yaml.safe_dump(found.plain(), sort_keys=False, allow_unicode=True, width=110)
    with commit.committed(Path(place)) as file:
        file.write(text_.encode())
    return Path(place)
