"""Mirror an image: left to right, upside down, or both; exact, and no resampling of its own."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from sliceforge.engine.keys import Keys
from sliceforge.engine.op import Columns, Shapes, Warp, setting


@dataclass(frozen=True)
class Flip(Warp):
    """x → W − 1 − x for a share of the items, y → H − 1 − y for a share.

    Args:
        horizontal: share of items whose left and right change places.
        vertical: share of items whose top and bottom change places.

    Batch:
        image (H, W, C), masks (H, W) and boxes, all through the same map.
    """

    horizontal: float = setting(0.5, "share", low=0, high=1)
    vertical: float = setting(0.0, "share", low=0, high=1)

    def draw(self, keys: Keys, shapes: Shapes) -> Columns:
        """Two columns of true and false."""
        shares = {"horizontal": self.horizontal, "vertical": self.vertical}
        return {name: keys.uniform(name)[:, 0] < share for name, share in shares.items()}

    def matrix(self, height: int, width: int, /, **plan: Any) -> np.ndarray:
        """(3, 3) float64, its own inverse."""
        across, down = (-1 if plan[name] else 1 for name in ("horizontal", "vertical"))
        last_x, last_y = (width - 1 if across < 0 else 0), (height - 1 if down < 0 else 0)
        return np.array([[across, 0, last_x], [0, down, last_y], [0, 0, 1]], np.float64)
