"""Which picture of a bank is the source of an item, where the run has such a bank."""

import numpy as np

from sliceforge.engine.keys import Keys
from sliceforge.engine.op import Shapes


def picked(keys: Keys, shapes: Shapes, bank: str) -> np.ndarray:
    """(B,) ids, each of the bank's as likely as any other; empty where the run has no bank of that name."""
    known = shapes.banks.get(bank)
    ids = np.array([""] if known is None or not len(known.ids) else list(known.ids), object)
    found: np.ndarray = ids[(keys.uniform("item")[:, 0] * len(ids)).astype(np.int64)]
    return found
