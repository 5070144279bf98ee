"""From where a slice's attributes lie to what a recipe's settings must be for its items to lie there."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from sliceforge.engine.loop.rows.slices import Range

MARGIN = 5.0
"""dB on either side of a slice's SNRs: an estimate from the clip alone is off by a few."""

SNR = (-5.0, 30.0)
"""dB. Below, the words are gone and the label becomes noise; above, nothing is heard of it."""

WHITE = 255.0
CONTRAST = (0.2, 2.0)
"""Factors of contrast between which an image stays one."""

Ranges = Mapping[str, Range]
Found = dict[str, tuple[float, float]]
"""Setting → low and high."""


def of_mix(slice_: Ranges, training: Ranges) -> Found:
    """The slice's SNRs, 5 dB wider, within `SNR`.

    >>> of_mix({"snr_est": Range(-4.0, 2.0, 6.0)}, {})
    {'snr': (-5.0, 11.0)}
    """
    if "snr_est" not in slice_:
        return {}
    least, most = SNR
    low = min(max(slice_["snr_est"].low - MARGIN, least), most - 2 * MARGIN)
    high = max(min(slice_["snr_est"].high + MARGIN, most), least + 2 * MARGIN)
    return {"snr": (low, high)}


def of_photometric(slice_: Ranges, training: Ranges) -> Found:
    """Contrast c and brightness b that move training's median moments to the slice's.

    A photometric step makes of mean m and deviation s: c·b·m + (1 − c)·WHITE/2, and c·b·s. c is one number, that of
    the medians, and b follows the slice's means at 5 and 95 %: drawn apart from each other, the darkest b and the
    greatest c would leave nothing but black. Gamma is left at 1. Without the contrasts the image is scaled as exposure
    scales it.
    """
    if "brightness" not in slice_ or "brightness" not in training:
        return {}
    own, contrast = max(training["brightness"].median, 1.0), 1.0
    if "contrast" in slice_ and "contrast" in training:
        ratio = slice_["contrast"].median / max(training["contrast"].median, 0.1)
        wanted = 1 - (slice_["brightness"].median - ratio * own) / (WHITE / 2)
        contrast = min(max(wanted, CONTRAST[0]), CONTRAST[1])
    low, high = (
        min(max((mean - (1 - contrast) * WHITE / 2) / (contrast * own), 0.0), 10.0)
        for mean in (slice_["brightness"].low, slice_["brightness"].high)
    )
    return {"brightness": (low, high), "contrast": (contrast, contrast), "gamma": (1.0, 1.0)}


def of_illumination(slice_: Ranges, training: Ranges) -> Found:
    """The slice's own slope and vignette, which are measured as the step draws them."""
    found = {}
    for setting, column, most in (("slope", "gradient", 2.0), ("vignette", "vignette", 1.0)):
        if column in slice_:
            found[setting] = tuple(min(max(end, 0.0), most) for end in (slice_[column].low, slice_[column].high))
    return {setting: (ends[0], ends[1]) for setting, ends in found.items()}


def of_grain(slice_: Ranges, training: Ranges) -> Found:
    """The noise that is missing: variances add."""
    if "noise" not in slice_:
        return {}
    there = training["noise"].median if "noise" in training else 0.0
    low, high = (math.sqrt(max(end**2 - there**2, 0.0)) for end in (slice_["noise"].low, slice_["noise"].high))
    return {"sd": (low, high)}


def of_level(slice_: Ranges, training: Ranges) -> Found:
    """The slice's own active levels, dBFS."""
    return {"level": _ends(slice_["level"], -80.0, 0.0)} if "level" in slice_ else {}


def of_band(slice_: Ranges, training: Ranges) -> Found:
    """The frequencies up to which the slice reaches, hertz."""
    return {"high": _ends(slice_["bandwidth"], 100.0, 400000.0)} if "bandwidth" in slice_ else {}


def of_speed(slice_: Ranges, training: Ranges) -> Found:
    """How many times as fast training's median clip is as the slice's."""
    if "seconds" not in slice_ or "seconds" not in training:
        return {}
    median = training["seconds"].median
    low, high = (
        min(max(median / max(end, 1e-3), 0.25), 4.0) for end in (slice_["seconds"].high, slice_["seconds"].low)
    )
    return {"factor": (low, high)}


def _ends(one: Range, low: float, high: float) -> tuple[float, float]:
    return min(max(one.low, low), high), min(max(one.high, low), high)


OF: dict[str, Callable[[Ranges, Ranges], Found]] = {
    "audio/mix": of_mix,
    "image/photometric": of_photometric,
    "image/illumination": of_illumination,
    "image/grain": of_grain,
    "audio/level": of_level,
    "audio/band": of_band,
    "audio/speed": of_speed,
}
"""Operator → the ranges of its settings; an operator that is not here keeps its own, and the gate decides."""
