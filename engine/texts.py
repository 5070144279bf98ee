"""Values and rows as a person reads them at a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from itertools import zip_longest
from typing import Any

WIDTH = 100
Row = tuple[str, ...]


def plain(value: Any) -> str:
    """A value as a recipe would write it.

    >>> plain(["log", 0.5, {"a": True, "b": None}])
    '[log, 0.5, {a: true, b: null}]'
    """
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(plain, value))}]"
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{key}: {plain(inner)}' for key, inner in value.items())}}}"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return str(value)


def table(rows: Sequence[Row], indent: int = 0) -> str:
    """Rows as aligned columns no wider than `WIDTH`; a long cell goes on below itself, and no line ends in blanks."""
    widths = [max(map(len, column)) for column in zip_longest(*rows, fillvalue="")]
    while indent + sum(widths) + 2 * (len(widths) - 1) > WIDTH:
        widths[widths.index(max(widths))] -= 1
    lines = []
    for row in rows:
        cells = [textwrap.wrap(cell, width) or [""] for cell, width in zip(row, widths, strict=True)]
        for pieces in zip_longest(*cells, fillvalue=""):
            padded = "  ".join(f"{piece:{width}}" for piece, width in zip(pieces, widths, strict=True))
            lines.append(f"{' ' * indent}{padded}".rstrip())
    return "\n".join(lines)


def ranked(head: Row, rows: Sequence[Row], wide: int = 80) -> str:
    """Rows of a name and figures; where they do not fit beside each other, the figures go under the name, which stays
    whole, so that it can be copied.

    Args:
        head: of each column; one that begins with # holds numbers, which end where it ends.
        rows: a name and its figures.
        wide: signs of a line.

    >>> print(ranked(("name", "#rows"), [("a", "12"), ("b c", "3")]))
    name  rows
    a       12
    b c      3
    """
    cells = [[title.lstrip("#") for title in head], *rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    signs = [">" if title.startswith("#") else "<" for title in head]
    beside = sum(widths) + 2 * (len(widths) - 1) <= wide
    lines = []
    for row in cells:
        padded = [f"{cell:{sign}{width}}" for cell, sign, width in zip(row, signs, widths, strict=True)]
        figures = "  ".join(padded[1:])
        lines += [f"{padded[0]}  {figures}"] if beside else [row[0], f"  {figures}"]
    return "\n".join(line.rstrip() for line in lines)
