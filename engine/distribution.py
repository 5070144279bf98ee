"""How a setting varies: `7`, `[0, 20]`, `[log, 0.5, 4]`, `[normal, mean, sd, low, high]`, `[choice, 8000, 16000]`.

Draws use only +, −, ×, ÷ and √ of IEEE doubles, so that a plan is the same on every machine, and are rounded to
float32.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from sliceforge.engine.errors import SettingError
from sliceforge.engine.keys import Keys

KINDS = ("constant", "uniform", "log", "normal", "choice")


def exp2(x: np.ndarray) -> np.ndarray:
    """2ˣ from IEEE operations alone, within 2 ulp: Taylor's series of 2ʳ for |r| ≤ ½, Horner's scheme."""
    whole = np.rint(x)
    r = (x - whole) * 0.6931471805599453
    total = np.ones_like(r)
    for n in range(14, 0, -1):
        total = 1.0 + total * r / n
    return np.ldexp(total, whole.astype(np.int32))


def log2(x: np.ndarray) -> np.ndarray:
    """log₂ x from IEEE operations alone: 2/ln 2 · artanh((m − 1)/(m + 1)) of the mantissa m in [√½, √2)."""
    mantissa, power = np.frexp(x)
    low = mantissa < 0.7071067811865476
    mantissa, power = np.where(low, 2 * mantissa, mantissa), power - low
    z = (mantissa - 1) / (mantissa + 1)
    total = np.zeros_like(z)
    for n in range(27, 0, -2):
        total = 1.0 / n + total * z * z
    return power + 2.8853900817779268 * z * total


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
_D = (0.007784695709041462, 0.3224671290700398, 2.445134137142996, 3.754408661907416)


def normal_quantile(p: np.ndarray) -> np.ndarray:
    """The standard normal's quantile to 1e-9 relative (Acklam 2003, with no refinement step needed in float32)."""
    tail = np.minimum(p, 1 - p)
    q = np.sqrt(-2 * 0.6931471805599453 * log2(np.maximum(tail, 2.0**-60)))
    outer = _horner((*_C, *_C_END), q) / (_horner(_D, q) * q + 1)
    middle = p - 0.5
    r = middle * middle
    inner = _horner(_A, r) * middle / (_horner(_B, r) * r + 1)
    return np.where(tail > 0.02425, inner, np.where(p < 0.5, outer, -outer))


def _horner(coefficients: tuple[float, ...], x: np.ndarray) -> np.ndarray:
    total = np.zeros_like(x)
    for coefficient in coefficients:
        total = total * x + coefficient
    return total


@cache
def _normal_cdf(x: float) -> float:
    """The standard normal's distribution function, as the inverse of `normal_quantile` by bisection."""
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        below = float(normal_quantile(np.array([middle]))[0]) < x
        low, high = (middle, high) if below else (low, middle)
    return (low + high) / 2


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
        u = keys.uniform(name)[:, 0]
        if self.kind == "constant":
            return np.full(len(keys), self.values[0], np.int64 if self.whole else np.float32)
        if self.kind == "choice":
            words = any(isinstance(value, str) for value in self.values)
            kind = object if words else np.int64 if self.whole else np.float32
            return np.array(self.values, kind)[(u * len(self.values)).astype(np.int64)]
        low, high = self.values[-2:]
        if self.kind == "uniform":
            drawn = low + np.floor(u * (high - low + 1)) if self.whole else low + (high - low) * u
        elif self.kind == "log":
            drawn = low * exp2(u * log2(np.array([high / low])))
        else:
            mean, sd = self.values[:2]
            ends = _normal_cdf((low - mean) / sd), _normal_cdf((high - mean) / sd)
            drawn = mean + sd * normal_quantile(ends[0] + (ends[1] - ends[0]) * (u + 2.0**-25))
        drawn = np.clip(drawn, low, high)
        return np.rint(drawn).astype(np.int64) if self.whole else drawn.astype(np.float32)


def _number(value: Any, whole: bool = False) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError("expected a finite number, such as 7, or a range, such as [0, 20]")
    if whole and value != int(value):
        raise ValueError("expected whole numbers, such as 3 or [1, 4]")
    return int(value) if whole else value
