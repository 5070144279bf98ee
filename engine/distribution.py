"""How a setting varies: `7`, `[0, 20]`, `[log, 0.5, 4]`, `[normal, mean, sd, low, high]`, `[choice, 8000, 16000]`.

Draws use only +, −, ×, ÷ and √ of IEEE doubles, so that a plan is the same on every machine, and are rounded to
float32.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numba import njit

from sliceforge.engine.elementary import exp2, log2
from sliceforge.engine.errors import SettingError
from sliceforge.engine.keys import Keys, block_cpu, unit

KINDS = ("constant", "uniform", "log", "normal", "choice")
_UNIFORM, _STEPS, _LOG, _NORMAL = range(4)  # how `_values_cpu` draws

_compiled = njit(error_model="numpy", nogil=True, cache=True)

# Acklam's coefficients: of the middle (numerator, denominator) and of the tails.
_A = (
    -39.69683028665376,
    220.9460984245205,
    -275.9285104469687,
    138.357751867269,
    -30.66479806614716,
    2.506628277459239,
)
_B = (-54.47609879822406, 161.5858368580409, -155.6989798598866, 66.80131188771972, -13.28068155288572)
_C = (-0.007784894002430293, -0.3223964580411365, -2.400758277161838, -2.549732539343734)
_C_END = (4.374664141464968, 2.938163982698783)
_OUTER = (*_C, *_C_END)
_D = (0.007784695709041462, 0.3224671290700398, 2.445134137142996, 3.754408661907416)


@_compiled
def _horner(coefficients, x):
    total = 0.0
    for coefficient in coefficients:
        total = total * x + coefficient
    return total


@_compiled
def normal_quantile(p: float) -> float:
    """The standard normal's quantile to 1e-9 relative (Acklam 2003, with no refinement step needed in float32)."""
    tail = min(p, 1 - p)
    if tail > 0.02425:
        middle = p - 0.5
        r = middle * middle
        return _horner(_A, r) * middle / (_horner(_B, r) * r + 1)
    q = math.sqrt(-2 * 0.6931471805599453 * log2(max(tail, 2.0**-60)))
    outer = _horner(_OUTER, q) / (_horner(_D, q) * q + 1)
    return outer if p < 0.5 else -outer


@_compiled
def normal_cdf(x: float) -> float:
    """The standard normal's distribution function, as the inverse of `normal_quantile` by bisection."""
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        if normal_quantile(middle) < x:
            low = middle
        else:
            high = middle
    return (low + high) / 2


@_compiled
def _values_cpu(items, variants, attempts, k0, k1, kind, numbers, whole, out):
    # From key to drawn value in one pass. `numbers`: the least and the greatest value, then the law's own.
    for i in range(len(out)):
        first, _, _, _ = block_cpu(items[i], variants[i], attempts[i], 0, k0, k1)
        u = unit(first)
        if kind == _LOG:
            drawn = numbers[2] * exp2(u * numbers[3])
        elif kind == _NORMAL:
            drawn = numbers[2] + numbers[3] * normal_quantile(numbers[4] + numbers[5] * (u + 2.0**-25))
        elif kind == _STEPS:
            drawn = numbers[2] + np.floor(u * numbers[3])
        else:
            drawn = numbers[2] + numbers[3] * u
        drawn = min(max(drawn, numbers[0]), numbers[1])
        out[i] = np.rint(drawn) if whole else drawn


@dataclass(frozen=True)
class Distribution:
    """A number, or how to draw one.

    Args:
        kind: one of `KINDS`.
        values: its parameters, in the order in which a recipe writes them.
        whole: draw whole numbers, ends included.
    """

    kind: str
    values: tuple[Any, ...]
    whole: bool = False

    @classmethod
    def parse(cls, value: Any, key: str = "value", whole: bool = False) -> Distribution:
        """Read what a recipe says.

        Raises:
            SettingError: naming `key`, what was given, and an example.
        """
        if isinstance(value, Distribution):
            return value
        try:
            return cls._read(value, whole)
        except ValueError as error:
            raise SettingError(f"{key}: {value!r}: {error}") from None

    @classmethod
    def _read(cls, value: Any, whole: bool) -> Distribution:
        if not isinstance(value, list | tuple):
            return cls("constant", (_number(value, whole),), whole)
        items = list(value)
        if items and items[0] == "choice":
            if len(items) < 2 or any(isinstance(item, list | tuple | dict) for item in items[1:]):
                raise ValueError("expected [choice, a, b, …], such as [choice, 8000, 16000]")
            return cls("choice", tuple(items[1:]), whole)
        if items and items[0] == "log":
            if len(items) != 3 or not 0 < _number(items[1]) <= _number(items[2]):
                raise ValueError("expected [log, low, high] with 0 < low ≤ high, such as [log, 0.5, 4]")
            return cls("log", (float(items[1]), float(items[2])), whole)
        if items and items[0] == "normal":
            numbers = [_number(item) for item in items[1:]]
            if len(numbers) != 4 or numbers[1] <= 0 or numbers[2] >= numbers[3]:
                raise ValueError("expected [normal, mean, sd, low, high], such as [normal, 10, 4, 0, 20]")
            return cls("normal", tuple(map(float, numbers)), whole)
        if len(items) == 2 and not any(isinstance(item, str) for item in items):
            low, high = _number(items[0], whole), _number(items[1], whole)
            if low > high:
                raise ValueError(f"expected [low, high], such as [{items[1]}, {items[0]}]")
            return cls("uniform", (low, high), whole)
        if len(items) > 2 and not any(isinstance(item, str) for item in items):
            listed = ", ".join(map(str, items))
            raise ValueError(f"a list of {len(items)} numbers is no distribution; did you mean [choice, {listed}]?")
        raise ValueError("expected 7, [0, 20], [log, 0.5, 4], [normal, 10, 4, 0, 20] or [choice, 5, 10, 15]")

    def ends(self) -> tuple[float, float] | None:
        """The least and the greatest number that can come, or None where words are chosen from."""
        if self.kind == "normal":
            return self.values[2], self.values[3]
        if any(isinstance(value, str) for value in self.values):
            return None
        return min(self.values), max(self.values)

    def draw(self, keys: Keys, name: str) -> np.ndarray:
        """One value for each key: (B,) float32, int64 where whole, or an object array of words."""
        if self.kind == "constant":
            return np.full(len(keys), self.values[0], np.int64 if self.whole else np.float32)
        law, numbers, listed = self._law
        stepped = listed is not None or self.whole
        out = np.empty(len(keys), np.int64 if stepped else np.float32)
        _values_cpu(*keys.words(name), law, numbers, stepped, out)
        return out if listed is None else listed[out]

    @cached_property
    def _law(self) -> tuple[int, np.ndarray, np.ndarray | None]:
        """How `_values_cpu` draws, its numbers, and of a choice what is chosen from: it draws the places."""
        if self.kind == "choice":
            words = any(isinstance(value, str) for value in self.values)
            listed = np.array(self.values, object if words else np.int64 if self.whole else np.float32)
            return _STEPS, np.array([0.0, len(listed) - 1.0, 0.0, len(listed)]), listed
        low, high = self.values[-2:]
        own: tuple[float, ...]
        if self.kind == "uniform":
            law, own = (_STEPS, (low, high - low + 1)) if self.whole else (_UNIFORM, (low, high - low))
        elif self.kind == "log":
            law, own = _LOG, (low, log2(high / low))
        else:
            mean, sd = self.values[:2]
            ends = normal_cdf((low - mean) / sd), normal_cdf((high - mean) / sd)
            law, own = _NORMAL, (mean, sd, ends[0], ends[1] - ends[0])
        return law, np.array([low, high, *own], np.float64), None


def _number(value: Any, whole: bool = False) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError("expected a finite number, such as 7, or a range, such as [0, 20]")
    if whole and value != int(value):
        raise ValueError("expected whole numbers, such as 3 or [1, 4]")
    return int(value) if whole else value
