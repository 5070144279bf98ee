"""Running the command, and comparing what it left behind."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

KILLER = """
import os, signal, sys
from pathlib import Path

point, when = int(sys.argv[1]), sys.argv[2]
plain, count = Path.replace, 0

def replace(self, target):
    global count
    count += 1
    if count == point and when == "before":
        os.kill(os.getpid(), signal.SIGKILL)
    done = plain(self, target)
    if count == point and when == "after":
        os.kill(os.getpid(), signal.SIGKILL)
    return done

Path.replace = replace
from sliceforge.engine.cli import main
sys.exit(main(sys.argv[3:]))
"""
"""Runs the command line, and kills it without mercy before or after the nth rename."""


def tree(run: Path) -> dict[str, str]:
    """relative path → SHA-256 of every file that must be the same: all but log/."""
    return {
        path.relative_to(run).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(run.rglob("*"))
        if path.is_file() and path.relative_to(run).parts[0] != "log"
    }


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    """`sliceforge arguments…` in a process of its own."""
    line = [sys.executable, "-m", "sliceforge.engine.cli", *arguments]
    return subprocess.run(line, capture_output=True, text=True, check=False, env=os.environ | {"COLUMNS": "100"})


def killed(point: int, when: str, *arguments: str) -> int:
    """The command, killed at a rename; returns its exit code, −9 where the point was reached."""
    line = [sys.executable, "-c", KILLER, str(point), when, *arguments]
    return subprocess.run(line, capture_output=True, check=False).returncode
