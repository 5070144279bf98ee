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
