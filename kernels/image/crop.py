"""Cut out a part and enlarge it to the image's own size."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from sliceforge.engine.op import Real, Warp, setting
from sliceforge.kernels.image.affine import rows_of


@dataclass(frozen=True)
class Crop(Warp):
    """The part of w × h pixels at (x, y) fills the image; one bilinear resampling, shared with neighbouring warps.

    As torchvision's `RandomResizedCrop` on square images: w/W · h/H is the area, (w/W)/(h/H) the aspect, sides are
    whole and no longer than the image's. At the part's edge the pixels just outside it are still seen.

    Args:
        area: fraction of the image's.
        aspect: how much wider than the image, relatively, the part is: its content is squeezed across by as much.
        x, y: where the part lies: 0 at the left or upper edge, 1 at the other.

    Batch:
        image (H, W, C), masks (H, W) and boxes (cut at the part's edge), all through the same map.
    """

    area: Real = setting([0.5, 1.0], "of the image's", low=0.01, high=1)
    aspect: Real = setting(["log", 0.8, 1.25], "ratio", low=0.1, high=10)
    x: Real = setting([0, 1], "of the free width", low=0, high=1)
    y: Real = setting([0, 1], "of the free height", low=0, high=1)

    def matrix(self, height: int, width: int, /, **plan: Any) -> np.ndarray:
        """(…, 3, 3) float64: edges of output pixels onto edges of the part's pixels."""
        left, top, wide, high = part(height, width, **plan)
        across, down = wide / width, high / height
        return rows_of((across, 0, left + across / 2 - 0.5), (0, down, top + down / 2 - 0.5))


def part(height: int, width: int, /, **plan: Any) -> tuple[Any, Any, Any, Any]:
    """Left, top, width and height of the part in whole pixels.

    >>> [int(side) for side in part(100, 200, area=0.25, aspect=1.0, x=1.0, y=0.0)]
    [100, 0, 100, 50]
    """
    side, stretch = np.sqrt(plan["area"]), np.sqrt(plan["aspect"])
    wide = np.clip(np.rint(side * stretch * width), 1, width).astype(np.int64)
    high = np.clip(np.rint(side / stretch * height), 1, height).astype(np.int64)
    left, top = np.rint(plan["x"] * (width - wide)), np.rint(plan["y"] * (height - high))
    return left.astype(np.int64), top.astype(np.int64), wide, high
