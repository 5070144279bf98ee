"""A painted defect that nobody can see is no defect: contrast-to-noise ratio inside its mask against a floor."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.ndimage import maximum_filter

from sliceforge.engine.errors import SettingError
from sliceforge.engine.gates import Gate, Made, Verdict
from sliceforge.engine.op import setting
from sliceforge.kernels.contrast import core, grey

RING = 8
"""Pixels by which the mask is grown to give the ring that its background is measured in."""

FLOOR = 1.0
"""Grey levels: no background counts as more even than this."""


@dataclass(frozen=True)
class Visible(Gate):
    """CNR = contrast / max(noise, 1 grey level), of the mean over channels, in grey levels of 255.

    noise is 1.4826 · MAD of the background in the ring, which is the mask grown by 8 pixels less every step's mask
    (all pixels outside the masks where the ring is empty; nothing, so the floor, where there are none).

    Args:
        step: the paint whose mask is measured.
        cnr: the least ratio that passes.
        against: `parent`: contrast is the median of |item − parent| over the mask's core, which is where it reaches
            half of its 95th percentile inside the mask, and noise is the parent's; for recipes that move no pixel and
            change no light. `ring`: everything inside the item: contrast is the square root of what the mean square
            of (value − the ring's median) has more in the mask than in the ring, and noise is the ring's.
    """

    cnr: float = setting(1.5, "", low=0)
    against: str = setting("parent", choices=("parent", "ring"))

    def suits(self, op: Any) -> bool:
        """A step that paints."""
        return bool(op.paints)

    def measure(self, made: Made, op: Any, plan: Mapping[str, Any], /) -> Verdict:
        """An empty mask does not pass; more: `area_share` of the image and `contrast_grey`."""
        mask = made.masks[self.step]
        if not mask.any():
            return Verdict(False, self.cnr, 0.0, {"area_share": 0.0, "contrast_grey": 0.0})
        ring = _ring(mask, np.any(list(made.masks.values()), axis=0))
        item = grey(made.item)
        if self.against == "ring":
            contrast, background = _excess(item[mask], item[ring]), item[ring]
        elif made.parent.shape[:2] != mask.shape:
            raise SettingError(f"gates: against: parent: {self.step}: another size than its item's; expected ring")
        else:
            parent = grey(made.parent)
            contrast, background = core(np.abs(item - parent)[mask]), parent[ring]
        noise = 1.4826 * np.median(np.abs(background - np.median(background))) if len(background) else 0.0
        got = float(contrast / max(noise, FLOOR))
        more = {"area_share": float(mask.mean()), "contrast_grey": contrast}
        return Verdict(got >= self.cnr, self.cnr, got, more)


def _excess(inside: np.ndarray, background: np.ndarray) -> float:
    if not len(background):
        return 0.0
    middle = np.median(background)
    return float(np.sqrt(max(0.0, np.mean((inside - middle) ** 2) - np.mean((background - middle) ** 2))))


def _ring(mask: np.ndarray, taken: np.ndarray) -> np.ndarray:
    ring = maximum_filter(mask, size=2 * RING + 1, mode="constant") & ~taken
    return ring if ring.any() else ~taken
