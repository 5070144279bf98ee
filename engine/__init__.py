"""How things run.

>>> from sliceforge.engine import load
>>> load("steel/scratches").kind
'image'
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sliceforge.engine.compose import compose as compose
    from sliceforge.engine.compose import load_recipe as load
    from sliceforge.engine.run import generate as generate

__all__ = ["compose", "generate", "load"]

_WHERE = {"compose": "compose.compose", "load": "compose.load_recipe", "generate": "run.generate"}


def __getattr__(name: str) -> Any:
    """Import on first use: the command line answers `--help` without torch or Numba."""
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, _, found = _WHERE[name].partition(".")
    return getattr(importlib.import_module(f"{__name__}.{module}"), found)
