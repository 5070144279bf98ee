"""What every page is held in: one file that opens anywhere, asks no server, and says first what to do."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from sliceforge.engine import commit
from sliceforge.engine.report.markup import text

STYLE = Path(__file__).with_name("page.css")


@dataclass(frozen=True)
class Todo:
    """What somebody who reads a page, or a terminal, is to do.

    Args:
        sentence: plain text.
        command: to type; empty: there is none.
    """

    sentence: str
    command: str = ""

    def plain(self) -> str:
        """For a terminal."""
        return self.sentence + (f"\n  {self.command}" if self.command else "")

    def html(self) -> str:
        """For a page."""
        command = f"<code>{text(self.command)}</code>" if self.command else ""
        return f'<p class="todo">{text(self.sentence)}{command}</p>\n'


def page(of: str, title: str, verdict: str, todo: Todo, body: str, facts: str = "", kind: str = "") -> str:
    """A page's HTML, which runs no script.

    Args:
        of: the verb that wrote it.
        title, verdict: plain text.
        todo: what to do.
        body, facts: HTML.
        kind: of the items on it, audio or image.
    """
    style = STYLE.read_text("utf-8")
    policy = f"default-src 'none'; img-src data:; media-src data:; style-src {hashed(style)}"
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{text(policy)}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<link rel="icon" href="data:,">\n<title>{text(title)} · Sliceforge</title>\n<style>{style}</style>\n</head>\n'
        f'<body data-kind="{text(kind or "image")}" data-view="made" data-over="on">\n'
        '<a class="skip" href="#main">Skip to the figures</a>\n<header>\n'
        f'<div class="bar-top"><p class="brand">Sliceforge <span>{text(of)}</span></p></div>\n'
        f'<h1>{text(title)}</h1>\n<p class="verdict">{text(verdict)}</p>\n{todo.html()}{facts}</header>\n'
        f'<main id="main" tabindex="-1">\n{body}</main>\n</body>\n</html>\n'
    )


def facts(rows: Iterable[tuple[str, str, str]]) -> str:
    """The few numbers at the top of a page: title, value and what is to be said of it, plain text."""
    cells = "".join(
        f'<div class="fact"><dt>{text(title)}</dt><dd>{text(value)}<small>{text(more)}</small></dd></div>'
        for title, value, more in rows
    )
    return f'<dl class="facts">{cells}</dl>\n'


def hashed(source: str) -> str:
    """A style or script as a Content-Security-Policy admits it."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()}'"


def write(path: Path, html: str) -> Path:
    """Write a page, whole and by rename."""
    with commit.committed(path) as file:
        file.write(html.encode("utf-8", "backslashreplace"))
    return path
