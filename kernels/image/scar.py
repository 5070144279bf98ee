"""A thin turned strip of the image, its light varied a little, put elsewhere in it: CutPaste's scar."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import numpy as np
from scipy import ndimage

from sliceforge.engine.op import Apply, Real, setting
from sliceforge.kernels.layers import COLOURS, Laid, each, finished, jittered
from sliceforge.kernels.placing import aside, found

SIDE = 256
"""Pixels of the shorter side of an image in which width and length are meant."""


@dataclass(frozen=True)
class Scar(Apply):
    """A strip `width` × `length`, upright where it is cut out and turned by `angle` where it is laid, hard-edged.

    Li, Sohn, Yoon, Pfister, "CutPaste: self-supervised learning for anomaly detection and localization" (CVPR 2021).
    Its mask is where a value changed by `label_above` and what lies inside of that; nothing changes outside of it.

    Args:
        label: the class that it is.
        label_above: grey levels of 255.
        width, length: pixels of an image whose shorter side has 256; at least 1 pixel.
        angle: degrees, positive clockwise; 0 is upright.
        x, y: 0…1 of the room that it leaves, from left to right, from the top down.
        source_x, source_y: the same of where it is cut out, or of the first place that is tried.
        brightness: factor.
        contrast: factor, about the mean.
        saturation: factor; of colour.
        hue: turns of the colours.

    Batch:
        image (B, C, H, W) float32. A fourth channel is left as it is.
    """

    kind: ClassVar[str] = "image"
    paints: ClassVar[bool] = True

    label: str = setting("anomaly")
    label_above: float = setting(1.0, "grey levels of 255", low=0.001, high=255)
    width: Real = setting([2, 16], "pixels at 256", low=0.1, high=256)
    length: Real = setting([10, 25], "pixels at 256", low=0.1, high=256)
    angle: Real = setting([-45, 45], "degrees", low=-360, high=360)
    x: Real = setting([0, 1], "of the room", low=0, high=1)
    y: Real = setting([0, 1], "of the room", low=0, high=1)
    source_x: Real = setting([0, 1], "of the room", low=0, high=1)
    source_y: Real = setting([0, 1], "of the room", low=0, high=1)
    brightness: Real = setting([0.9, 1.1], "", low=0, high=10)
    contrast: Real = setting([0.9, 1.1], "", low=0, high=10)
    saturation: Real = setting([0.9, 1.1], "", low=0, high=10)
    hue: Real = setting([-0.1, 0.1], "turns", low=-0.5, high=0.5)

    def apply(self, batch: dict[str, Any], /, **plan: Any) -> dict[str, Any]:
        """The images with their scars, and `painted`."""
        return each(batch, plan, self.laid)

    def laid(self, image: np.ndarray, _: Any, row: Mapping[str, Any]) -> Laid:
        """One image (H, W, C) float32 with a scar, and where it changed, (H, W) bool."""
        size = image.shape[:2]
        wide, tall = (max(1.0, row[name] * min(size) / SIDE) for name in ("width", "length"))
        angle = math.radians(row["angle"])
        cos, sin = math.cos(angle), math.sin(angle)
        spans = abs(cos) * tall + abs(sin) * wide, abs(cos) * wide + abs(sin) * tall
        extent = min(math.ceil(spans[0]), size[0]), min(math.ceil(spans[1]), size[1])
        upright = min(math.ceil(tall), size[0]), min(math.ceil(wide), size[1])
        place = found(row["x"], row["y"], extent, size, lambda window: 1.0)
        origin = found(row["source_x"], row["source_y"], upright, size, partial(aside, place))
        down, right = _from_middle(extent)
        across, along = cos * right + sin * down, cos * down - sin * right
        inside = (np.abs(across) <= wide / 2) & (np.abs(along) <= tall / 2)
        at = along + _middle(origin[0]), across + _middle(origin[1])
        colour = image[..., :COLOURS].astype(np.float64)
        strip = [ndimage.map_coordinates(colour[..., k], at, order=1, mode="mirror") for k in range(colour.shape[2])]
        vary = {name: row[name] for name in ("brightness", "contrast", "saturation", "hue")}
        values = jittered(np.stack(strip, axis=2), **vary)
        return finished(image, place, np.where(inside[..., None], values, colour[place]), self.label_above)


def _middle(part: slice) -> float:
    return (part.start + part.stop - 1) / 2


def _from_middle(extent: tuple[int, int]) -> Any:
    """Down and right of the middle of a window, (h, w) each."""
    return np.meshgrid(*(np.arange(size) - (size - 1) / 2 for size in extent), indexing="ij")
