"""An edited kernel is compiled anew in the very next run."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

CODE = """
from sliceforge.kernels.outer import outer
print(outer(2.0), sum(outer.stats.cache_hits.values()))
"""

OUTER = """
from numba import njit
from sliceforge.kernels.inner import inner
@njit(cache=True)
def outer(x):
    return inner(x) + 1.0
"""

INNER = """
from numba import njit
@njit(cache=True)
def inner(x):
    return x * {factor}
"""


def _run(home: Path) -> list[str]:
    environment = os.environ | {"PYTHONPATH": str(home), "NUMBA_CACHE_DIR": str(home / "cache"), "PYTHONSAFEPATH": "1"}
    command = [sys.executable, "-S", "-c", f"import sys; sys.path += {sys.path!r}\n{CODE}"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, cwd=home, check=True)
    return done.stdout.split()


def test_editing_a_function_that_another_calls_changes_the_next_run(tmp_path: Path) -> None:
    package = tmp_path / "sliceforge"
    for folder in ("engine", "kernels"):
        shutil.copytree(ROOT / folder, package / folder)
    (package / "kernels" / "outer.py").write_text(OUTER)
    (package / "kernels" / "inner.py").write_text(INNER.format(factor="10.0"))
    assert _run(tmp_path) == ["21.0", "0"]
    assert _run(tmp_path) == ["21.0", "1"]
    (package / "kernels" / "inner.py").write_text(INNER.format(factor="100.0"))
    assert _run(tmp_path) == ["201.0", "0"]
