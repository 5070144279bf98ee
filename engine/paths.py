"""Where a row may point: at a file under its root, and nowhere else."""

from __future__ import annotations

import os
import posixpath
import re
from dataclasses import dataclass
from pathlib import Path

MOST_BYTES = 4096
"""UTF-8 bytes of a path; a longer one names no file."""

_ELSEWHERE = re.compile(r"[a-z][a-z0-9+.-]*://|(pipe|file|data):", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


@dataclass(frozen=True)
class Reject:
    """One input that cannot be used.

    Args:
        id: its id, or what it was called.
        path: its path as it was given, or None.
        reason: one of `errors.REASONS`.
        detail: in a few words.
    """

    id: str
    path: str | None
    reason: str
    detail: str


class Fence:
    """Tells paths that stay under a root from those that leave it; nothing is opened.

    Args:
        root: the folder.
    """

    def __init__(self, root: Path) -> None:
        self._root = os.path.realpath(root)
        self._inside = self._root.rstrip("/") + "/"
        self._folders: dict[str, bool] = {}

    def place(self, path: str | None) -> tuple[str, str, str]:
        """(path relative to the root, "", ""), or ("", reason, detail) of a reject."""
        if not path or not path.strip():
            return "", "unreadable", "no path"
        if len(path.encode("utf-8", "replace")) > MOST_BYTES:
            return "", "unreadable", f"a path of {len(path)} characters"
        if _CONTROL.search(path):
            return "", "outside", "a control character in its path"
        if _ELSEWHERE.match(path):
            return "", "outside", "not a file: only paths are read"
        if ".." in path.split("/"):
            return "", "outside", "its path has a .. in it"
        if path.startswith("/"):
            return self._absolute(path)
        return self._relative(posixpath.normpath(path))

    def _absolute(self, path: str) -> tuple[str, str, str]:
        """An absolute path, where its folder is the root or under it, whatever links lead there."""
        folder, name = posixpath.split(posixpath.normpath(path))
        real = os.path.realpath(folder).rstrip("/") + "/"
        if not real.startswith(self._inside):
            return "", "outside", "an absolute path to another folder"
        return self._relative(real[len(self._inside) :] + name)

    def _relative(self, path: str) -> tuple[str, str, str]:
        folder = posixpath.dirname(path)
        if folder not in self._folders:
            self._folders[folder] = self.holds(folder)
        whole = self._inside + path
        link = posixpath.islink(whole)  # a Path for each of a million rows takes seconds
        if self._folders[folder] and (not link or self.holds(path)):
            return path, "", ""
        return "", "outside", "a link that leaves the folder"

    def holds(self, path: str) -> bool:
        """Whether a relative path, with every link followed, ends under the root."""
        real = os.path.realpath(self._inside + path)
        return real == self._root or real.startswith(self._inside)


def shown(text: str, most: int = 200) -> str:
    """Any text as one line that a table or a terminal can hold."""
    clean = text.encode("utf-8", "backslashreplace").decode()
    clean = _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", clean)
    return clean if len(clean) <= most else f"{clean[:most]}…"
