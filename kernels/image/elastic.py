"""A smooth random displacement: control points on a grid move, and a cubic B-spline moves what lies between."""

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numba import njit
from numba.extending import register_jitable

from sliceforge.engine.keys import Keys
from sliceforge.engine.op import Columns, Real, Shapes, Warp, setting
from sliceforge.kernels.noise import lattice, pieces

_LEAST = 8.0  # pixels between control points
_ONE, _THREE, _FOUR, _SIX = (np.float32(value) for value in (1, 3, 4, 6))


@dataclass(frozen=True)
class Elastic(Warp):
    """Free-form deformation: d(p) = Σ c_ij · B((x − i·g)/g) · B((y − j·g)/g), every |c| at most `amount` · g.

    No slope of d exceeds 2 · amount, which stays below 0.5: the map is one-to-one and tears or folds nothing
    (Rueckert et al., "Nonrigid registration using free-form deformations", 1999).

    Args:
        spacing: g, between control points, a fraction of the shorter side; at least 8 pixels.
        amount: the most that a control point moves along x and along y, a fraction of the spacing; a pixel moves by
            about a quarter of it (root mean square).

    Batch:
        image (H, W, C), masks (H, W) and boxes, all through the same map.
    """

    shift: ClassVar[Any]

    spacing: Real = setting([0.15, 0.3], "of the shorter side", low=0.02, high=1)
    amount: Real = setting([0.08, 0.24], "of the spacing", low=0, high=0.24)

    def draw(self, keys: Keys, shapes: Shapes) -> Columns:
        """Every setting that varies, and the key of the control points."""
        return super().draw(keys, shapes) | {"key": keys.field()}

    def matrix(self, height: int, width: int, /, **plan: Any) -> np.ndarray:
        """The identity: all movement is the shift's."""
        return np.eye(3)

    def row(self, height: int, width: int, /, **plan: Any) -> np.ndarray:
        """(3 + 2 · rows · columns,) float32: spacing in pixels, columns, rows, then the movement of each point."""
        spacing = np.float32(max(plan["spacing"] * min(height, width), _LEAST))
        rows, columns = (math.floor((side - 1) / float(spacing)) + 4 for side in (height, width))
        table = np.empty((rows, columns, 2), np.float32)
        _table_cpu(table, np.float32(plan["amount"]) * spacing, *map(np.float32, pieces(plan["key"])))
        return np.concatenate([np.array([spacing, columns, rows], np.float32), table.reshape(-1)])


@njit(cache=True)
def _table_cpu(table, most, key0, key1, key2):  # type: ignore[no-untyped-def]
    rows, columns, _ = table.shape
    for i in range(rows):
        for j in range(columns):
            for axis in range(2):
                table[i, j, axis] = most * lattice(i, 2 * j + axis, key0, key1, key2)


@register_jitable
def _spline(f):  # type: ignore[no-untyped-def]
    # The weights of the control points at −1, 0, 1 and 2 for a place f in 0…1 between those at 0 and 1.
    g = _ONE - f
    first, last = g * g * g / _SIX, f * f * f / _SIX
    second = (_FOUR - _SIX * f * f + _THREE * f * f * f) / _SIX
    return first, second, _ONE - first - second - last, last


def elastic_shift(x, y, row):  # type: ignore[no-untyped-def]
    """How far from (x, y), in pixels, the position lies that is shown there; beyond the grid its edge goes on."""
    spacing, columns, rows = float(row[0]), int(row[1]), int(row[2])
    u, v = x / spacing, y / spacing
    j, i = math.floor(u), math.floor(v)
    across, along = _spline(np.float32(u - j)), _spline(np.float32(v - i))
    dx = dy = np.float32(0)
    for a in range(4):
        # The table begins one control point before the image.
        start = min(max(i + a, 0), rows - 1) * columns
        for b in range(4):
            at = 3 + 2 * (start + min(max(j + b, 0), columns - 1))
            weight = along[a] * across[b]
            dx += weight * row[at]
            dy += weight * row[at + 1]
    return dx, dy


Elastic.shift = staticmethod(elastic_shift)
