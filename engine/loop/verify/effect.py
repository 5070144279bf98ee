"""A verdict in words: the table that `verify` prints, verdict.yaml and the page."""

from __future__ import annotations

import math
from pathlib import Path

import yaml

from sliceforge.engine import commit
from sliceforge.engine.loop.verify.gains import gains
from sliceforge.engine.loop.verify.verdict import Change
from sliceforge.engine.loop.verify.verifying import Verified
from sliceforge.engine.report import shell
from sliceforge.engine.report.markup import chance, count, grouped, name, table, text
from sliceforge.engine.report.shell import Todo
from sliceforge.engine.texts import Row, ranked

DEEDS = {
    "accept": Todo("Train on the new data from now on."),
    "halve": Todo("Make half as many items, train again, and judge that: the weak slice gained, and another lost."),
    "reject": Todo("Keep the training set as it was."),
}
"""Decision → what is to be done."""


def told(found: Verified) -> str:
    """A row for each slice, and the verdict in a sentence."""
    head = ("slice", "#rows", "#before", "#after", "#gain", "#95 %", "#gained/lost", "#p", "")
    rows: list[Row] = [
        (one.slice, grouped(one.rows), *_figures(one), f"{one.more}/{one.fewer}", chance(one.p), one.says)
        for one in found.verdict.changes
    ]
    lines = [ranked(head, rows), *_notes(found), found.sentence()]
    return "\n".join(lines)


def _notes(found: Verified) -> list[str]:
    lines = [f"{found.left_out} rows that slices were found on do not count"] if found.left_out else []
    lines += [f"{one}: no row counts" for one in found.empty]
    if found.searched:
        lines.append(
            "slices were found on all of these rows, so that their gains come out too large; verify on other rows, or "
            "let find way=half keep half of them for it"
        )
    if min(found.verdict.seeds) == 1:
        lines.append(
            "one training on a side: how far another seed goes is estimated by the slice's classes, and hardly known "
            "where there are fewer than four; three of each tell, such as before=[A1.parquet,A2.parquet,A3.parquet]"
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
    drawn = gains(rows, 100 * found.verdict.margin, found.sentence())
    cells = [
        (
            name(one.slice),
            *map(text, (grouped(one.rows), *_figures(one), f"{one.more}/{one.fewer}", chance(one.p), one.says)),
        )
        for one in changes
    ]
    head = ("slice", "#rows", "#before", "#after", "#gain", "#95 %", "#gained/lost", "#p", "")
    seeds = " and ".join(count(one, "training") for one in found.verdict.seeds)
    hint = (
        f"{count(found.rows, 'row')}; {seeds}. Before, after, gain and its 95 % interval: points of the loss. "
        "Gained/lost: rows that were mended and that were broken; p: McNemar's mid-p of these two."
    )
    notes = "".join(f"<p>{text(line)}</p>" for line in _notes(found))
    body = f'<section id="gains"><h2>What did each slice gain or lose?</h2>{drawn}</section>\n'
    body += f'<section id="figures"><h2>In figures</h2>{table(head, cells, "Every slice before and after")}'
    body += f'<p class="hint">{text(hint)}</p>{notes}</section>\n'
    title, deed = f"Verdict: {found.verdict.decision}", DEEDS[found.verdict.decision]
    return shell.write(path, shell.page("verify", title, f"{found.verdict.reason}.", deed, body))


def write(found: Verified, place: str) -> Path:
    """Write verdict.yaml."""
    text_ = yaml.safe_dump(found.plain(), sort_keys=False, allow_unicode=True, width=110)
    with commit.committed(Path(place)) as file:
        file.write(text_.encode())
    return Path(place)
