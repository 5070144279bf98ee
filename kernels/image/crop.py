"""Cut out a part and enlarge it to the image's own size."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from sliceforge.engine.op import Real, Warp, setting


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
        """(3, 3) float64: edges of output pixels onto edges of the part's pixels."""
        left, top, wide, high = part(height, width, **plan)
        across, down = wide / width, high / height
        return np.array(
            [[across, 0, left + across / 2 - 0.5], [0, down, top + down / 2 - 0.5], [0, 0, 1]],
        )


def part(height: int, width: int, /, **plan: Any) -> tuple[int, int, int, int]:
    """Left, top, width and height of the part in whole pixels.

    >>> part(100, 200, area=0.25, aspect=1.0, x=1.0, y=0.0)
    (100, 0, 100, 50)
    """
    side, stretch = math.sqrt(plan["area"]), math.sqrt(plan["aspect"])
    wide = min(max(round(side * stretch * width), 1), width)
    high = min(max(round(side / stretch * height), 1), height)
    return round(plan["x"] * (width - wide)), round(plan["y"] * (height - high)), wide, high
