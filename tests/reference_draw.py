"""The plain meaning of a draw: bits to uniforms to values, in numpy passes of IEEE operations."""

from typing import Any

import numpy as np

from sliceforge.engine.distribution import Distribution
from sliceforge.engine.keys import Keys


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


def normal_cdf(x: float) -> float:
    """The standard normal's distribution function, as the inverse of `normal_quantile` by bisection."""
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        below = float(normal_quantile(np.array([middle]))[0]) < x
        low, high = (middle, high) if below else (low, middle)
    return (low + high) / 2


def uniform(keys: Keys, draw: str, count: int = 1) -> np.ndarray:
    """(B, count) float64 from the random words."""
    return (keys.bits(draw, count) >> 8) * 2.0**-24


def field(keys: Keys, draw: str = "key") -> np.ndarray:
    """(B,) int64 from two random words."""
    words = keys.bits(draw, 2).astype(np.int64)
    return words[:, 0] | (words[:, 1] & 0x7FFFFFFF) << 32


def draw(law: Distribution, keys: Keys, name: str) -> np.ndarray:
    """What `Distribution.draw` returns."""
    u = uniform(keys, name)[:, 0]
    values: tuple[Any, ...] = law.values
    if law.kind == "constant":
        return np.full(len(keys), values[0], np.int64 if law.whole else np.float32)
    if law.kind == "choice":
        words = any(isinstance(value, str) for value in values)
        kind = object if words else np.int64 if law.whole else np.float32
        return np.array(values, kind)[(u * len(values)).astype(np.int64)]
    low, high = values[-2:]
    if law.kind == "uniform":
        drawn = low + np.floor(u * (high - low + 1)) if law.whole else low + (high - low) * u
    elif law.kind == "log":
        drawn = low * exp2(u * log2(np.array([high / low])))
    else:
        mean, sd = values[:2]
        ends = normal_cdf((low - mean) / sd), normal_cdf((high - mean) / sd)
        drawn = mean + sd * normal_quantile(ends[0] + (ends[1] - ends[0]) * (u + 2.0**-25))
    drawn = np.clip(drawn, low, high)
    return np.rint(drawn).astype(np.int64) if law.whole else drawn.astype(np.float32)
