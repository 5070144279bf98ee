"""A smooth random displacement: control points on a grid move, and a cubic B-spline moves what lies between."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numba import njit

from sliceforge.engine.keys import Keys
from sliceforge.engine.op import Columns, Real, Shapes, Warp, setting
from sliceforge.kernels.approx import floored
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
    line: ClassVar[Any]
    along: ClassVar[Any]
    version: ClassVar[int] = 2

    spacing: Real = setting([0.15, 0.3], "of the shorter side", low=0.02, high=1)
    amount: Real = setting([0.08, 0.24], "of the spacing", low=0, high=0.24)

    def draw(self, keys: Keys, shapes: Shapes) -> Columns:
        """Every setting that varies, and the key of the control points."""
        return super().draw(keys, shapes) | {"key": keys.field()}

    def matrix(self, height: int, width: int, /, **plan: Any) -> np.ndarray:
        """The identity: all movement is the shift's."""
        return np.eye(3)

    def row(self, height: int, width: int, /, **plan: Any) -> np.ndarray:
        """(…, 3 + 2 · rows · columns) float32: spacing in pixels, columns, rows, then the movement of each point."""
        given = np.broadcast_arrays(plan["spacing"], plan["amount"], plan["key"])
        spacing, amount, key = (column.reshape(-1) for column in given)
        spacing = np.maximum(spacing * min(height, width), _LEAST).astype(np.float32)
        rows, columns = (np.floor((side - 1) / spacing.astype(np.float64)) + 4 for side in (height, width))
        table = np.zeros((len(spacing), 3 + 2 * int((rows * columns).max(initial=0))), np.float32)
        table[:, :3] = np.stack([spacing, columns, rows], axis=1)
        _tables_cpu(table, amount.astype(np.float32) * spacing, np.stack(pieces(key), axis=1))
        return table.reshape(*given[0].shape, -1)


@njit(cache=True)
def _tables_cpu(out, most, keys):
    for n in range(len(out)):
        columns, rows = int(out[n, 1]), int(out[n, 2])
        for i in range(rows):
            for j in range(2 * columns):
                out[n, 3 + i * 2 * columns + j] = most[n] * lattice(j, i, keys[n, 0], keys[n, 1], keys[n, 2])


@njit(inline="always")
def _spline(f):
    # The weights of the control points at −1, 0, 1 and 2 for a place f in 0…1 between those at 0 and 1.
    g = _ONE - f
    first, last = g * g * g / _SIX, f * f * f / _SIX
    second = (_FOUR - _SIX * f * f + _THREE * f * f * f) / _SIX
    return first, second, _ONE - first - second - last, last


@njit(inline="always")
def _kept(place, last):
    return np.int32(min(max(np.int32(place), 0), last))


def elastic_line(y, left, right, row, line):
    """For positions from `left` to `right` at y: the movement of the control points above and below, blended along y:
    two numbers for each of their columns."""
    last, bottom = np.int32(np.int32(row[1]) - 1), np.int32(np.int32(row[2]) - 1)
    v = y / row[0]
    i = floored(v)
    along = _spline(np.float32(v - np.float32(i)))
    upper, high = _kept(i, bottom) * (last + 1), _kept(i + 1, bottom) * (last + 1)
    low, lower = _kept(i + 2, bottom) * (last + 1), _kept(i + 3, bottom) * (last + 1)
    first, end = floored(min(left, right) / row[0]), floored(max(left, right) / row[0]) + 3
    for j in range(_kept(first, last), _kept(end, last) + 1):
        for axis in range(2):
            at = 3 + 2 * j + axis
            total = along[0] * row[at + 2 * upper] + along[1] * row[at + 2 * high]
            line[2 * j + axis] = total + along[2] * row[at + 2 * low] + along[3] * row[at + 2 * lower]


def elastic_along(x, row, line):
    """How far from x the position lies that is shown there, on the row that `line` was worked out for."""
    last = np.int32(np.int32(row[1]) - 1)
    u = x / row[0]
    j = floored(u)
    across = _spline(np.float32(u - np.float32(j)))
    p, q = np.uint32(2 * _kept(j, last)), np.uint32(2 * _kept(j + 1, last))
    r, s = np.uint32(2 * _kept(j + 2, last)), np.uint32(2 * _kept(j + 3, last))
    dx = across[0] * line[p] + across[1] * line[q] + across[2] * line[r] + across[3] * line[s]
    p, q, r, s = np.uint32(p + 1), np.uint32(q + 1), np.uint32(r + 1), np.uint32(s + 1)
    return dx, across[0] * line[p] + across[1] * line[q] + across[2] * line[r] + across[3] * line[s]


def elastic_shift(x, y, row):
    """How far from (x, y), in pixels, the position lies that is shown there; beyond the grid its edge goes on."""
    last, bottom = np.int32(np.int32(row[1]) - 1), np.int32(np.int32(row[2]) - 1)
    u, v = x / row[0], y / row[0]
    j, i = floored(u), floored(v)
    across, along = _spline(np.float32(u - np.float32(j))), _spline(np.float32(v - np.float32(i)))
    # The table begins one control point before the image.
    one, two, three, four = _kept(j, last), _kept(j + 1, last), _kept(j + 2, last), _kept(j + 3, last)
    dx = dy = np.float32(0)
    for a in range(4):
        start = np.int32(_kept(i + a, bottom) * np.int32(last + 1))
        p, q = np.uint32(3 + 2 * np.int32(start + one)), np.uint32(3 + 2 * np.int32(start + two))
        r, s = np.uint32(3 + 2 * np.int32(start + three)), np.uint32(3 + 2 * np.int32(start + four))
        dx += along[a] * (across[0] * row[p] + across[1] * row[q] + across[2] * row[r] + across[3] * row[s])
        p, q, r, s = np.uint32(p + 1), np.uint32(q + 1), np.uint32(r + 1), np.uint32(s + 1)
        dy += along[a] * (across[0] * row[p] + across[1] * row[q] + across[2] * row[r] + across[3] * row[s])
    return dx, dy


Elastic.shift = staticmethod(elastic_shift)
Elastic.line = staticmethod(elastic_line)
Elastic.along = staticmethod(elastic_along)
