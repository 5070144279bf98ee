"""Mirror an image: left to right, upside down, or both; exact, and no resampling of its own."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from sliceforge.engine.keys import Keys
from sliceforge.engine.op import Columns, Shapes, Warp, setting
from sliceforge.kernels.image.affine import rows_of


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
        """(…, 3, 3) float64, its own inverse."""
        across, down = (np.where(plan[name], -1.0, 1.0) for name in ("horizontal", "vertical"))
        last_x, last_y = np.where(across < 0, width - 1, 0), np.where(down < 0, height - 1, 0)
        return rows_of((across, 0, last_x), (0, down, last_y))
