"""How noisy an image is, whatever it shows."""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from sliceforge.engine.loop.rows.attribute import Attribute
from sliceforge.kernels.seen import Seen


@dataclass(frozen=True)
class Noise(Attribute):
    """√(π/2) / 6 · mean |x ∗ N|, grey levels of 255, with N = [1 −2 1]ᵀ[1 −2 1]: the σ of Immerkær (1996).

    N is blind to whatever is linear along rows or columns; of fine texture it sees a part as noise.
    """

    kind: ClassVar[str] = "image"
    unit: ClassVar[str] = "grey levels"
    acts_on: ClassVar[str] = "image/grain.sd"

    def measure(self, item: Seen, /) -> float | None:
        """None below 3 × 3 pixels."""
        if min(item.grey.shape) < 3:
            return None
        found = np.diff(np.diff(item.grey, 2, axis=0), 2, axis=1)
        return math.sqrt(math.pi / 2) / 6 * float(np.abs(found).mean())
