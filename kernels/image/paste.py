"""Put a donor from a bank into the image: out = image + α · (level + gain · (donor − its level) − image)."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from scipy import ndimage

from sliceforge.engine.deal import Deal
from sliceforge.engine.errors import InputError, SettingError, did_you_mean
from sliceforge.engine.keys import Keys
from sliceforge.engine.op import Apply, Columns, Inventory, Real, Shapes, setting
from sliceforge.engine.shares import Shares
from sliceforge.kernels.held import blend_within
from sliceforge.kernels.layers import each, like
from sliceforge.kernels.placing import Spot, spot

RING = 8
"""Pixels around a donor, and around its place, in which their levels are measured."""

MOST_GAIN = 4.0
"""By how much a donor's contrast grows at most where its place is brighter than it was."""

RIM = 2
"""Pixels of a donor's own background that Poisson blending takes along: the seam lies there, not on the donor."""

LEAST_ALPHA = 1e-3
"""What is mixed in with less than this is left out, so that pixels far from the donor stay bit for bit."""

FAINT = 1.0
"""Grey levels of 255 of a change that nobody sees: outside the mask there is none, not even a fainter one."""


@dataclass(frozen=True)
class Paste(Apply):
    """A marked thing of another image, turned, scaled, mirrored and matched to its place.

    level is the median of the place grown by 8 pixels, of the donor that of the ring around it; gain is the ratio of
    the two, 4 at most: paint reflects its share of whatever light falls on it. α is 1 on the donor. A donor that its
    own picture's edge cuts is put at the same edge, and one that two opposite edges cut is enlarged to reach both. Its
    mask is where the value changed by `label_above`, the donor and the rim that blends it in, with what lies inside.

    Args:
        label: the class, or empty: each donor's own.
        label_above: grey levels of 255.
        bank: the name of the bank; its items have a mask (`mask`, or NAME.mask.png beside NAME.png) or a box (`boxes`,
            or `x0 y0 x1 y1`).
        residual: add what the donor has more than its picture's background, which is the median in a window half the
            shorter side wide. Then items without mask or box are donors too: what stands out most in them.
        cap: how often a donor is used in a run, at most; 0: no limit.
        in_turn: no donor comes again before all have come, as with a cap.
        quota: shares of classes, such as {scratch: 0.7, dent: 0.3}; empty: every donor is as likely as any other.
        x, y: 0…1 of the room that the placed donor leaves, from left to right, from the top down.
        rotate: degrees, positive clockwise.
        scale: factor.
        flip_x, flip_y: share that is mirrored left to right, top to bottom.
        edge: `gaussian`: α = exp(−d²/2σ²) at d pixels outside the donor; `alpha`: α is the donor's coverage;
            `poisson`: the donor's gradients, without a step to its place, on it and 2 pixels around; `poisson_mixed`:
            of the donor's and the place's gradients the greater, so that the place's texture shows through.
        sigma: pixels, σ of the Gaussian edge.
        match: bring the donor to its place's level; otherwise level and gain are its own.

    Batch:
        image (B, C, H, W) float32; bank: B donors. A fourth channel is left as it is.
    """

    kind: ClassVar[str] = "image"
    paints: ClassVar[bool] = True
    version: ClassVar[int] = 2

    label: str = setting("")
    label_above: float = setting(1.0, "grey levels of 255", low=0.001, high=255)
    bank: str = setting("donors")
    residual: bool = setting(False)
    cap: int = setting(0, "uses", low=0)
    in_turn: bool = setting(False)
    quota: Shares = setting(None)
    x: Real = setting([0, 1], "of the room", low=0, high=1)
    y: Real = setting([0, 1], "of the room", low=0, high=1)
    rotate: Real = setting([-10, 10], "degrees", low=-360, high=360)
    scale: Real = setting([0.7, 1.3], "", low=0.05, high=20)
    flip_x: float = setting(0.5, "share", low=0, high=1)
    flip_y: float = setting(0.5, "share", low=0, high=1)
    edge: str = setting("gaussian", choices=("gaussian", "alpha", "poisson", "poisson_mixed"))
    sigma: Real = setting([0.8, 2.0], "pixels", low=0.1, high=50)
    match: bool = setting(True)

    def banks(self) -> tuple[str, ...]:
        """The bank."""
        return (self.bank,)

    def draw(self, keys: Keys, shapes: Shapes) -> Columns:
        """Where and how; whether it is mirrored; and the bank's `item`, with its `label`."""
        plan = super().draw(keys, shapes)
        for name in ("flip_x", "flip_y"):
            plan[name] = keys.uniform(name)[:, 0] < getattr(self, name)
        found = self._donors(shapes.banks) if len(keys) else None
        if found is None:
            return plan | {"item": np.empty(0, object), "label": np.empty(0, object)}
        inventory, marked, labels = found
        slots = shapes.slots if self.by_slot() else None
        picked = self._deal().items(keys, shapes, inventory, slots, marked)
        ids, none = np.array(inventory.ids, object), picked < 0
        return plan | {"item": np.where(none, "", ids[picked]), "label": np.where(none, "", labels[picked])}

    def by_slot(self) -> bool:
        """With a cap, in turn or with a quota."""
        return self._deal().by_slot()

    def _deal(self) -> Deal:
        return Deal(self.bank, self.cap, self.in_turn, self.quota)

    def _donors(self, banks: Mapping[str, Inventory]) -> tuple[Inventory, np.ndarray, np.ndarray]:
        """The bank, which of its donors can be drawn, and the label of each."""
        inventory, key = banks.get(self.bank), f"banks.{self.bank}"
        if inventory is None or not len(inventory.ids):
            raise SettingError(
                f"{key}: paste takes its donors from there: {key}=FOLDER{did_you_mean(self.bank, banks)}"
            )
        usable = ("mask", "box", "") if self.residual else ("mask", "box")
        marked = np.array([mark in usable for mark in inventory.marks], bool)
        if self.residual and not marked.any():
            raise SettingError(
                f"{key}: nothing stands out in {inventory.ids[0]} or any other; expected pictures of defects"
            )
        if not marked.any():
            raise SettingError(
                f"{key}: {inventory.ids[0]} and all others have no mask (NAME.mask.png beside NAME.png, or a column "
                "mask) and no box (columns x0,y0,x1,y1); residual: true takes what stands out from the background"
            )
        labels = np.array([self.label or label or "" for label in inventory.labels], object)
        if not all(labels[marked]):
            raise SettingError(f"{key}: not every donor has a label; say it in the step, such as label: scratch")
        return inventory, marked, labels

    def apply(self, batch: dict[str, Any], /, **plan: Any) -> dict[str, Any]:
        """The images with their donors, and `painted`."""
        if "bank" not in batch:
            raise InputError("empty", f"every donor of banks.{self.bank} has been used {self.cap} times (cap)")
        return each(batch, plan, self.pasted)

    def pasted(self, image: np.ndarray, donor: Any, row: Mapping[str, Any]) -> tuple[np.ndarray, np.ndarray]:
        """One image (H, W, C) float32 with its donor, and where it changed, (H, W) bool."""
        height, width, channels = image.shape
        out, painted = image.copy(), np.zeros((height, width), bool)
        mask = donor.clear if self.residual else donor.mask
        placed = spot(mask, height, width, row, margin=RING + math.ceil(4 * row["sigma"]))
        cover = placed.sampled(mask.astype(np.float64), "grid-constant")
        shape = cover >= 0.5
        if not shape.any():
            return out, painted
        old = image[placed.window][..., : min(channels, 3)].astype(np.float64)
        change, alpha = self._change(old, donor, mask, placed, shape), cover.copy()
        if self.edge == "gaussian":
            alpha = _edge(shape, row["sigma"])
        if self.edge.startswith("poisson"):
            change = self._blended(old, change, shape)
            alpha = np.asarray(change.any(axis=2), np.float64)
        alpha[alpha < LEAST_ALPHA] = 0
        # What cannot be seen is not claimed: the value stays in 0…1, or where it was outside already.
        new = old + alpha[..., None] * change
        new = np.minimum(np.maximum(new, np.minimum(old, 0)), np.maximum(old, 1)).astype(np.float32)
        colour = out[placed.window][..., : min(channels, 3)]
        changed = np.abs(np.where(alpha[..., None] > 0, new - colour, 0)).max(axis=2)
        kept = _marked(changed, shape, min(self.label_above, 1.0))
        colour[:] = np.where((kept & (alpha > 0))[..., None], new, colour)
        painted[placed.window] = _marked(changed, shape, self.label_above)
        return out, painted

    def _change(self, old: np.ndarray, donor: Any, mask: np.ndarray, placed: Spot, shape: np.ndarray) -> np.ndarray:
        """What would be added to the place `old` (h, w, C) where α is 1."""
        level = np.median(old[_grown(shape)], axis=0)
        picture, plain = (like(array, old.shape[2]).astype(np.float64) for array in (donor.image, donor.background))
        ring = _grown(mask) & ~mask
        own = np.median(plain[mask] if self.residual else picture[ring if ring.any() else mask], axis=0)
        gain = np.clip(level / np.maximum(own, 1e-6), 0, MOST_GAIN) if self.match else np.ones_like(level)
        if self.residual:
            return placed.sampled(picture - plain, "mirror") * gain
        return placed.sampled(picture, "mirror") * gain + (level - gain * own if self.match else 0) - old

    def _blended(self, old: np.ndarray, change: np.ndarray, shape: np.ndarray) -> np.ndarray:
        """What Poisson blending adds to the place, (h, w, C): on the donor and its rim alone."""
        inside = ndimage.binary_dilation(shape, iterations=RIM)
        under, over = old.astype(np.float32), (old + change).astype(np.float32)
        return blend_within(under, over, inside, self.edge == "poisson_mixed") - under


def _marked(changed: np.ndarray, shape: np.ndarray, above: float) -> np.ndarray:
    """Where a place changed by `above` grey levels, and what of the donor's shape that encloses."""
    seen = changed >= np.float32(above / 255)
    return np.asarray(seen | (shape & ndimage.binary_fill_holes(seen)))


def _grown(mask: np.ndarray) -> np.ndarray:
    grown: np.ndarray = ndimage.maximum_filter(mask, size=2 * RING + 1, mode="grid-constant")
    return grown


def _edge(shape: np.ndarray, sigma: float) -> np.ndarray:
    away = ndimage.distance_transform_edt(~shape)
    alpha: np.ndarray = np.exp(-(away**2) / (2 * sigma**2))
    return alpha
