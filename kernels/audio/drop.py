"""Take short spans of a clip away, as lost packets and loose contacts do: out = x · 0 there, faded at both ends."""

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from sliceforge.engine.keys import Keys
from sliceforge.engine.op import Apply, Columns, Real, Shapes, Whole, setting

MOST = 4
FADE = 0.002
"""Seconds from sound to silence and back, inside the span; at most a quarter of it."""


@dataclass(frozen=True)
class Drop(Apply):
    """Silence for `count` spans, each anywhere in the clip and all of it inside; two may overlap.

    Args:
        count: spans.
        span: seconds, of each, its fades of 2 ms included.
    """

    linear: ClassVar[bool] = True
    batched_exact: ClassVar[bool] = True

    count: Whole = setting([1, 3], "spans", low=0, high=MOST)
    span: Real = setting([0.02, 0.08], "s", low=0, high=60)

    def draw(self, keys: Keys, shapes: Shapes) -> Columns:
        """`count`; `span_1` … `span_4` in seconds, 0 where there is none; `place_1` … `place_4`, 0 at the beginning
        and 1 at the end of what the clip leaves for it."""
        plan = super().draw(keys, shapes)
        del plan["span"]
        for i in range(1, MOST + 1):
            there = plan["count"] >= i
            plan[f"span_{i}"] = np.where(there, self.span.draw(keys, f"span_{i}"), 0).astype(np.float32)
            plan[f"place_{i}"] = np.where(there, keys.uniform(f"place_{i}")[:, 0], 0).astype(np.float32)
        return plan

    def apply(self, batch: dict[str, Any], /, **plan: Any) -> dict[str, Any]:
        """`audio` (B, T) with silence in each clip's `length` (B,)."""
        import torch

        audio = batch["audio"].clone()
        for b, (clip, length, rate) in enumerate(zip(audio, batch["length"], batch["rate"], strict=True)):
            spans = [(float(plan[f"span_{i}"][b]), float(plan[f"place_{i}"][b])) for i in range(1, MOST + 1)]
            clip[: int(length)] *= torch.from_numpy(kept(int(length), int(rate), spans)).to(clip.device)
        return {**batch, "audio": audio}


def kept(length: int, rate: int, spans: list[tuple[float, float]]) -> np.ndarray:
    """(length,) float32: 1, and 0 within the spans (seconds, place), with raised-cosine fades between.

    Args:
        length: samples.
        rate: hertz.
    """
    gain = np.ones(length, np.float32)
    for seconds, place in spans:
        count = min(round(seconds * rate), length)
        start = round(place * (length - count))
        fade = min(round(FADE * rate), count // 4)
        inside = np.zeros(count, np.float32)
        falling = np.array([0.5 + 0.5 * math.cos(math.pi * (i + 0.5) / fade) for i in range(fade)], np.float32)
        inside[:fade], inside[count - fade :] = falling, falling[::-1]
        gain[start : start + count] = np.minimum(gain[start : start + count], inside)
    return gain
