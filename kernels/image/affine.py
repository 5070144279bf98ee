"""Rotate, scale, shear and shift about the image's centre: out = c + t + scale · R · S · (in − c)."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from sliceforge.engine.op import Real, Warp, setting


@dataclass(frozen=True)
class Affine(Warp):
    """An affine map with the signs of torchvision's `affine`, composed with its neighbours into one resampling.

    R is [[cos, −sin], [sin, cos]] and S is [[1, −tan shear], [0, 1]] in (x, y) with y pointing down.

    Args:
        rotate: degrees, positive clockwise as seen on the screen.
        scale: factor; above 1 the picture's content grows.
        shear: degrees; a positive one moves content below the centre to the left (S before R).
        translate_x: fraction of the width, positive to the right.
        translate_y: fraction of the height, positive downwards.

    Batch:
        image (H, W, C), mask (H, W) and boxes, all through the same map.
    """

    rotate: Real = setting([-10, 10], "degrees", low=-360, high=360)
    scale: Real = setting(["log", 0.8, 1.25], "", low=0.01, high=100)
    shear: Real = setting([-5, 5], "degrees", low=-80, high=80)
    translate_x: Real = setting([-0.1, 0.1], "of the width", low=-1, high=1)
    translate_y: Real = setting([-0.1, 0.1], "of the height", low=-1, high=1)

    def matrix(self, height: int, width: int, /, **plan: Any) -> np.ndarray:
        """(…, 3, 3) float64, output → source: the inverse of the formula above, written out."""
        cos, sin = turn(plan["rotate"])
        lean = np.tan(np.radians(plan["shear"]))
        scale = plan["scale"]
        a, b = (cos - lean * sin) / scale, (sin + lean * cos) / scale
        c, d = -sin / scale, cos / scale
        middle_x, middle_y = (width - 1) / 2, (height - 1) / 2
        moved_x, moved_y = middle_x + plan["translate_x"] * width, middle_y + plan["translate_y"] * height
        return rows_of(
            (a, b, middle_x - a * moved_x - b * moved_y),
            (c, d, middle_y - c * moved_x - d * moved_y),
        )


def rows_of(across: tuple[Any, Any, Any], down: tuple[Any, Any, Any]) -> np.ndarray:
    """(…, 3, 3) float64 from the upper two rows of a matrix: numbers, or columns (B,)."""
    six = np.broadcast_arrays(*across, *down)
    matrix = np.zeros((*six[0].shape, 3, 3))
    matrix.reshape(*six[0].shape, 9)[..., :6] = np.stack(six, axis=-1)
    matrix[..., 2, 2] = 1
    return matrix


def turn(degrees: Any) -> tuple[Any, Any]:
    """Cosine and sine of angles in degrees, exact at every quarter turn.

    >>> [float(part) for part in (*turn(90), *turn(-180))]
    [0.0, 1.0, -1.0, 0.0]
    """
    quarters = np.rint(np.divide(degrees, 90))
    rest = np.radians(degrees - 90 * quarters)
    cos, sin = np.cos(rest), np.sin(rest)
    which = quarters.astype(np.int64) % 4
    return np.choose(which, (cos, -sin, -cos, sin)) + 0.0, np.choose(which, (sin, cos, -sin, -cos)) + 0.0
