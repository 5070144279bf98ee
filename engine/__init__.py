"""How things run.

>>> from sliceforge.engine import load
>>> load("steel/scratches").kind
'image'
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sliceforge.engine.augment import Augment as Augment
    from sliceforge.engine.batches import Batches as Batches
    from sliceforge.engine.compose import load_recipe as load
    from sliceforge.engine.hardness import Hardness as Hardness
    from sliceforge.engine.loader import SliceDataset as SliceDataset
    from sliceforge.engine.run import generate as generate
    from sliceforge.engine.stage import Stage as Stage
    from sliceforge.engine.stock import Share as Share
    from sliceforge.engine.stream import Stream as Stream

__all__ = ["Augment", "Batches", "Hardness", "Share", "SliceDataset", "Stage", "Stream", "generate", "load"]

_WHERE = {
    "load": "compose.load_recipe",
    "generate": "run.generate",
    "Augment": "augment.Augment",
    "Batches": "batches.Batches",
    "Hardness": "hardness.Hardness",
    "Share": "stock.Share",
    "SliceDataset": "loader.SliceDataset",
    "Stage": "stage.Stage",
    "Stream": "stream.Stream",
}


def __getattr__(name: str) -> Any:
    """Import on first use: the command line answers `--help` without torch or Numba."""
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, _, found = _WHERE[name].partition(".")
    return getattr(importlib.import_module(f"{__name__}.{module}"), found)
