"""Where compiled kernels are kept, so that an edited kernel is compiled anew in the very next run.

Numba stamps a cached loop with its own file alone and would go on running a callee that was edited since. Here the
stamp is the hash of every kernel and of every engine module that compiles something. Only Sliceforge's own functions
are affected: the rest of the process keeps Numba's own ways.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from functools import cache
from pathlib import Path
from types import FunctionType

import numba
from numba.core.caching import CacheImpl, _CacheLocator

ENGINE = Path(__file__).resolve().parent
# An editable install keeps the folders beside each other, as a wheel does.
KERNELS = ENGINE.parent / "kernels"


@cache
def source_stamp() -> str:
    """SHA-256 over the sources that end up in compiled code, and over Numba's version."""
    digest = hashlib.sha256(numba.__version__.encode())
    engine = (path for path in ENGINE.rglob("*.py") if path.parent.name == "cpu" or b"numba" in path.read_bytes())
    for path in sorted([*KERNELS.rglob("*.py"), *engine]):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


@cache
def cache_folder() -> Path:
    """`NUMBA_CACHE_DIR`, or the user's cache folder, or a temporary one; one subfolder for each installation."""
    home = os.environ.get("XDG_CACHE_HOME") or _home()
    place = hashlib.sha256(str(ENGINE).encode()).hexdigest()[:12]
    for root in (numba.config.CACHE_DIR, home, tempfile.gettempdir()):
        if root and _writable(folder := Path(root) / "sliceforge" / f"kernels-{place}"):
            return folder
    return Path(tempfile.mkdtemp(prefix="sliceforge-"))


def _home() -> Path | None:
    try:
        return Path.home() / ".cache"
    except RuntimeError:  # a user without a name, as containers have
        return None


def _writable(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError:
        return False
    return True


class KernelLocator(_CacheLocator):
    """Numba's question "where, and how fresh?" answered for functions of this package; None for all others."""

    def __init__(self, function: FunctionType, path: str) -> None:
        self._name = f"{Path(path).parent.name}-{function.__code__.co_firstlineno}"

    def get_cache_path(self) -> str:
        return str(cache_folder())

    def get_source_stamp(self) -> str:
        return source_stamp()

    def get_disambiguator(self) -> str:
        return self._name

    @classmethod
    def from_function(cls, function: FunctionType, path: str) -> KernelLocator | None:
        ours = {ENGINE, KERNELS} & set(Path(path).resolve().parents)
        return cls(function, path) if ours else None


def install() -> None:
    """Ask `KernelLocator` first from now on."""
    if KernelLocator not in CacheImpl._locator_classes:
        CacheImpl._locator_classes.insert(0, KernelLocator)
