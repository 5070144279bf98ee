"""HTML from any text: what comes from ids, labels and paths is shown as text, and can be nothing else."""

from __future__ import annotations

import html
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any


def text(value: Any) -> str:
    """A value as HTML text, also inside a quoted attribute.

    >>> text('<b>"'), text(0.123456), text(None)
    ('&lt;b&gt;&quot;', '0.123', '–')
    """
    return html.escape(said(value), quote=True)


def said(value: Any) -> str:
    """A value in words: three digits of a number, – for nothing; signs that no page can hold are written out.

    >>> said([{"word": "go", "start": 0.25, "end": 0.5}, {"word": "home", "start": 0.5, "end": 1.0}])
    'go 0.25 0.5, home 0.5 1'
    """
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return number(value)
    if isinstance(value, list | tuple):
        return ", ".join(map(said, value))
    if isinstance(value, Mapping):
        return " ".join(map(said, value.values()))
    plain = str(value).encode("utf-8", "backslashreplace").decode()
    if plain.isprintable():
        return plain
    return "".join(sign if sign.isprintable() or sign in " \n\t\u200d\u200e\u200f" else _odd(sign) for sign in plain)


def _odd(sign: str) -> str:
    """Control characters by their code; other signs that do not print, such as half-known emoji, as they are."""
    return f"\\x{ord(sign):02x}" if ord(sign) < 0xA0 else sign


def number(value: float) -> str:
    """Three digits, or all of a whole number.

    >>> number(1234.5), number(-0.00012), number(20.0), number(float("nan"))
    ('1234', '-0.00012', '20', '–')
    """
    if not math.isfinite(value):
        return "–" if value != value else ("∞" if value > 0 else "−∞")
    return f"{value:.0f}" if abs(value) >= 1000 or value == int(value) else f"{value:.3g}"


def chance(p: float) -> str:
    """A probability as it is read: one digit, and no smaller than anybody can tell apart.

    >>> chance(3.5e-56), chance(0.0321), chance(1.0)
    ('< 0.0001', '0.03', '1')
    """
    return "< 0.0001" if p < 1e-4 else f"{p:.1g}"


def points(value: float | None) -> str:
    """A loss of 0.01 is a point.

    >>> points(0.1234), points(None)
    ('12.3', '–')
    """
    return "–" if value is None else f"{100 * value:.1f}"


def name(value: Any) -> str:
    """An id or a label, kept apart from the text around it whichever way it is written."""
    return f"<bdi>{text(value)}</bdi>"


def count(number: int, noun: str, many: str = "") -> str:
    """
    >>> count(1, "item"), count(20, "item")
    ('1 item', '20 items')
    """
    return f"{grouped(number)} {noun if number == 1 else many or noun + 's'}"


def grouped(value: int) -> str:
    """A whole number with narrow spaces between thousands."""
    return f"{value:,}".replace(",", "\u202f")


def table(head: Sequence[str], rows: Iterable[Sequence[str]], caption: str = "", kind: str = "") -> str:
    """A table that scrolls by itself; cells are HTML, and the first of a row is its head.

    Args:
        head: of each column; one that begins with # holds numbers.
        rows: HTML cells.
        caption: what it tells, for those who do not see it.
        kind: a class.
    """
    right = [title.startswith("#") for title in head]
    style = [' class="n"' if one else "" for one in right]
    titles = "".join(f'<th scope="col"{s}>{text(t.lstrip("#"))}</th>' for t, s in zip(head, style, strict=True))
    lines = []
    for first, *rest in rows:
        cells = "".join(f"<td{s}>{cell}</td>" for cell, s in zip(rest, style[1:], strict=True))
        lines.append(f'<tr><th scope="row">{first}</th>{cells}</tr>')
    told = f"<caption>{text(caption)}</caption>" if caption else ""
    of = f" {kind}" if kind else ""
    return (
        f'<div class="scroll{of}" tabindex="0" role="region" aria-label="{text(caption or "table")}"><table>{told}'
        f"<thead><tr>{titles}</tr></thead><tbody>{''.join(lines)}</tbody></table></div>"
    )


def pairs(rows: Iterable[tuple[str, str]]) -> str:
    """Names and values, both HTML, under each other."""
    return "<dl>" + "".join(f"<div><dt>{key}</dt><dd>{value}</dd></div>" for key, value in rows) + "</dl>"
