"""Put a donor from a bank into the image: out = image + α · (level + gain · (donor − its level) − image)."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from scipy import ndimage

from sliceforge.engine.errors import InputError, SettingError, did_you_mean
from sliceforge.engine.keys import Keys
from sliceforge.engine.op import Apply, Columns, Inventory, Real, Shapes, setting
from sliceforge.kernels.placing import Spot, spot

RING = 8
"""Pixels around a donor, and around its place, in which their levels are measured."""

MOST_GAIN = 4.0
"""By how much a donor's contrast grows at most where its place is brighter than it was."""

LEAST_ALPHA = 1e-3
"""What is mixed in with less than this is left out, so that pixels far from the donor stay bit for bit."""


@dataclass(frozen=True)
class Paste(Apply):
    """A marked thing of another image, turned, scaled, mirrored and matched to its place.

    level is the median of the place grown by 8 pixels, of the donor that of the ring around it; gain is the ratio of
    the two, 4 at most: paint reflects its share of whatever light falls on it. α is 1 on the donor. A donor that its
    own picture's edge cuts is put at the same edge, and one that two opposite edges cut is enlarged to reach both. Its
    mask is the donor's as placed, where the value changed by `label_above`, with what lies inside of that.

    Args:
        label: the class, or empty: each donor's own.
        label_above: grey levels of 255.
        bank: the name of the bank; its items have a mask (`mask`, or NAME.mask.png beside NAME.png) or a box (`boxes`,
            or `x0 y0 x1 y1`).
        residual: add what the donor has more than its picture's background, which is the median in a window half the
            shorter side wide. Then items without mask or box are donors too: what stands out most in them.
        cap: how often a donor is used in a run, at most, each as often as the others; 0: drawn freely.
        x, y: 0…1 of the room that the placed donor leaves, from left to right, from the top down.
        rotate: degrees, positive clockwise.
        scale: factor.
        flip_x, flip_y: share that is mirrored left to right, top to bottom.
        edge: `gaussian`: α = exp(−d²/2σ²) at d pixels outside the donor; `alpha`: α is the donor's coverage.
        sigma: pixels, σ of the Gaussian edge.
        match: bring the donor to its place's level; otherwise level and gain are its own.

    Batch:
        image (B, C, H, W) float32; bank: B donors. A fourth channel is left as it is.
    """

    kind: ClassVar[str] = "image"
    paints: ClassVar[bool] = True

    label: str = setting("")
    label_above: float = setting(1.0, "grey levels of 255", low=0.001, high=255)
    bank: str = setting("donors")
    residual: bool = setting(False)
    cap: int = setting(0, "uses", low=0)
    x: Real = setting([0, 1], "of the room", low=0, high=1)
    y: Real = setting([0, 1], "of the room", low=0, high=1)
    rotate: Real = setting([-10, 10], "degrees", low=-360, high=360)
    scale: Real = setting([0.7, 1.3], "", low=0.05, high=20)
    flip_x: float = setting(0.5, "share", low=0, high=1)
    flip_y: float = setting(0.5, "share", low=0, high=1)
    edge: str = setting("gaussian", choices=("gaussian", "alpha"))
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
        picked = np.zeros(len(keys), np.int64)
        ids, labels = self._donors(shapes.banks) if len(keys) else (np.empty(0, object), np.empty(0, object))
        picked = (keys.uniform("item")[:, 0] * len(ids)).astype(np.int64)
        return plan | {"item": ids[picked], "label": labels[picked]}

    def assign(self, seed: int, step: str, slots: np.ndarray, banks: Mapping[str, Inventory]) -> Columns:
        """With a cap: `item` and `label` of each row, empty for rows that come when all donors are used up.

        Round by round every donor once, each round in an order of its own.
        """
        if not self.cap:
            return {}
        ids, labels = self._donors(banks)
        rounds, places = slots // len(ids), slots % len(ids)
        picked = np.zeros(len(slots), np.int64)
        for number in np.unique(rounds):
            order = np.argsort(Keys.of(seed, list(ids), int(number)).at(step).uniform("round")[:, 0], kind="stable")
            picked[rounds == number] = order[places[rounds == number]]
        left = rounds < self.cap
        return {"item": np.where(left, ids[picked], ""), "label": np.where(left, labels[picked], "")}

    def _donors(self, banks: Mapping[str, Inventory]) -> tuple[np.ndarray, np.ndarray]:
        """Ids and labels of the donors that can be drawn."""
        inventory, key = banks.get(self.bank), f"banks.{self.bank}"
        if inventory is None or not len(inventory.ids):
            raise SettingError(
                f"{key}: paste takes its donors from there: {key}=FOLDER{did_you_mean(self.bank, banks)}"
            )
        marked = np.array([bool(mark) or self.residual for mark in inventory.marks], bool)
        if not marked.any():
            raise SettingError(
                f"{key}: {inventory.ids[0]} and all others have no mask (NAME.mask.png beside NAME.png, or a column "
                "mask) and no box (columns x0,y0,x1,y1); residual: true takes what stands out from the background"
            )
        labels = np.array([self.label or label or "" for label in inventory.labels], object)
        if not all(labels[marked]):
            raise SettingError(f"{key}: not every donor has a label; say it in the step, such as label: scratch")
        return np.array(inventory.ids, object)[marked], labels[marked]

    def apply(self, batch: dict[str, Any], /, **plan: Any) -> dict[str, Any]:
        """The images with their donors, and `painted`."""
        if "bank" not in batch:
            raise InputError("empty", f"every donor of banks.{self.bank} has been used {self.cap} times (cap)")
        made, painted = [], []
        for i, (image, donor) in enumerate(zip(batch["image"], batch["bank"], strict=True)):
            row = {name: column[i] if isinstance(column, list) else column[i].item() for name, column in plan.items()}
            pixels, mask = self.pasted(image.numpy().transpose(1, 2, 0), donor, row)
            made.append(torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1))))
            painted.append(torch.from_numpy(mask))
        return {**batch, "image": torch.stack(made), "painted": torch.stack(painted)}

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
        alpha = _edge(shape, row["sigma"]) if self.edge == "gaussian" else cover
        alpha[alpha < LEAST_ALPHA] = 0
        old = image[placed.window][..., : min(channels, 3)].astype(np.float64)
        change = alpha[..., None] * self._change(old, donor, mask, placed, shape)
        # What cannot be seen is not claimed: the value stays in 0…1, or where it was outside already.
        new = np.minimum(np.maximum(old + change, np.minimum(old, 0)), np.maximum(old, 1)).astype(np.float32)
        colour = out[placed.window][..., : min(channels, 3)]
        colour[:] = np.where(alpha[..., None] > 0, new, colour)
        changed = np.abs(colour - image[placed.window][..., : min(channels, 3)]).max(axis=2)
        seen = shape & (changed >= np.float32(self.label_above / 255))
        painted[placed.window] = shape & ndimage.binary_fill_holes(seen)
        return out, painted

    def _change(self, old: np.ndarray, donor: Any, mask: np.ndarray, placed: Spot, shape: np.ndarray) -> np.ndarray:
        """What would be added to the place `old` (h, w, C) where α is 1."""
        level = np.median(old[_grown(shape)], axis=0)
        picture, plain = (_as(array, old.shape[2]) for array in (donor.image, donor.background))
        ring = _grown(mask) & ~mask
        own = np.median(plain[mask] if self.residual else picture[ring if ring.any() else mask], axis=0)
        gain = np.clip(level / np.maximum(own, 1e-6), 0, MOST_GAIN) if self.match else np.ones_like(level)
        if self.residual:
            return placed.sampled(picture - plain, "mirror") * gain
        return placed.sampled(picture, "mirror") * gain + (level - gain * own if self.match else 0) - old


def _grown(mask: np.ndarray) -> np.ndarray:
    grown: np.ndarray = ndimage.maximum_filter(mask, size=2 * RING + 1, mode="grid-constant")
    return grown


def _edge(shape: np.ndarray, sigma: float) -> np.ndarray:
    away = ndimage.distance_transform_edt(~shape)
    alpha: np.ndarray = np.exp(-(away**2) / (2 * sigma**2))
    return alpha


def _as(image: np.ndarray, channels: int) -> np.ndarray:
    """A donor's picture with the image's channels: grey is the mean, colour from grey three times the same."""
    image = image.astype(np.float64)
    if image.shape[2] == channels:
        return image
    return np.repeat(image.mean(axis=2, keepdims=True), channels, axis=2)
