"""No number on a red test: runs the tests, unless this very tree has passed them since.

python benchmarks/green.py
"""

from __future__ import annotations

import hashlib
import platform
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
STAMP = ROOT / "benchmarks" / "results" / "green"
COUNTED = ("conf", "engine", "examples", "kernels", "material", "recipes", "tests", "pyproject.toml", "constraints.txt")


def tree() -> str:
    """SHA-256 of every file that a test can depend on, and of what runs it."""
    whole = hashlib.sha256(f"{sys.version}\0{platform.machine()}\0".encode())
    for name in COUNTED:
        top = ROOT / name
        for path in [top] if top.is_file() else sorted(top.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                whole.update(f"{path.relative_to(ROOT).as_posix()}\0".encode())
                whole.update(hashlib.sha256(path.read_bytes()).digest())
    return whole.hexdigest()


def main() -> int:
    """0 where the tests have passed on this tree."""
    now = tree()
    if STAMP.is_file() and STAMP.read_text() == now:
        print("the tests passed on this tree before")
        return 0
    code = subprocess.run([sys.executable, "-m", "pytest", "-q", "-x", "tests"], cwd=ROOT, check=False).returncode
    if code == 0 and tree() == now:
        STAMP.write_text(now)
    elif code == 0:
        print("the tree changed while its tests ran; once more", file=sys.stderr)
        return 1
    return code


if __name__ == "__main__":
    sys.exit(main())
