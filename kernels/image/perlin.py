"""Another texture where gradient noise is high: out = image + M · (1 − β) · (texture − image), as in DRAEM."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numba import njit

from sliceforge.engine.cache import install
from sliceforge.engine.keys import Keys
from sliceforge.engine.op import Apply, Columns, Real, Shapes, Whole, setting
from sliceforge.kernels.layers import COLOURS, Laid, each, finished, jittered, like, turned
from sliceforge.kernels.noise import gradient, pieces
from sliceforge.kernels.sources import picked

install()

FIELDS = 16
"""Noise fields of one item that are tried until one is high anywhere enough."""


@dataclass(frozen=True)
class Perlin(Apply):
    """A texture in the blobs M where Perlin's noise exceeds a threshold; β is how much of the image shines through.

    Zavrtanik, Kristan, Skočaj, "DRAEM: a discriminatively trained reconstruction embedding for surface anomaly
    detection" (ICCV 2021). Its mask is where a value changed by `label_above` and what lies inside of that.

    Args:
        label: the class that it is.
        label_above: grey levels of 255.
        bank: the name of a bank of pictures of any kind, stretched to the image; where a run has none of that name the
            image itself is the texture, turned.
        scale_x, scale_y: powers of two: cells of the noise across and down the image.
        slant: degrees by which the noise is turned, positive clockwise.
        threshold: of the noise, which runs from about −1 to 1.
        least: share of the image that M covers; where it covers less, another field of the same item is taken.
        beta: share of the image in the blobs.
        turn: degrees by which the image is turned where it is its own texture.
        brightness: factor, of the texture.
        contrast: factor, about its mean.
        saturation: factor; of colour.
        hue: turns of the colours.

    Batch:
        image (B, C, H, W) float32; bank, where there is one: B pictures. A fourth channel is left as it is.
    """

    kind: ClassVar[str] = "image"
    paints: ClassVar[bool] = True

    label: str = setting("anomaly")
    label_above: float = setting(1.0, "grey levels of 255", low=0.001, high=255)
    bank: str = setting("sources")
    scale_x: Whole = setting([0, 5], "power of two", low=0, high=10)
    scale_y: Whole = setting([0, 5], "power of two", low=0, high=10)
    slant: Real = setting([-90, 90], "degrees", low=-360, high=360)
    threshold: Real = setting(0.5, "", low=-1, high=1)
    least: float = setting(0.002, "of the image", low=0, high=0.5)
    beta: Real = setting([0, 0.8], "share", low=0, high=1)
    turn: Real = setting([45, 315], "degrees", low=-360, high=360)
    brightness: Real = setting([0.6, 1.4], "", low=0, high=10)
    contrast: Real = setting([0.5, 2.0], "", low=0, high=10)
    saturation: Real = setting([0.5, 1.5], "", low=0, high=10)
    hue: Real = setting([-0.5, 0.5], "turns", low=-0.5, high=0.5)

    def draw(self, keys: Keys, shapes: Shapes) -> Columns:
        """Every setting that varies, the noise's key, and the bank's `item`, or empty."""
        return super().draw(keys, shapes) | {"key": keys.field(), "item": picked(keys, shapes, self.bank)}

    def apply(self, batch: dict[str, Any], /, **plan: Any) -> dict[str, Any]:
        """The images with their blobs, and `painted`."""
        return each(batch, plan, self.laid)

    def laid(self, image: np.ndarray, source: Any, row: Mapping[str, Any]) -> Laid:
        """One image (H, W, C) float32 with another texture in blobs, and where it changed, (H, W) bool."""
        colour = image[..., :COLOURS]
        picture = like(source.image, colour.shape[2]) if source else colour
        texture = turned(picture, 0.0 if source else row["turn"], (image.shape[0], image.shape[1]))
        vary = {name: row[name] for name in ("brightness", "contrast", "saturation", "hue")}
        texture = np.clip(jittered(texture, **vary), 0, 1)
        height, width = image.shape[:2]
        blobs = self.blobs(height, width, row)[..., None]
        values = np.where(blobs, row["beta"] * colour + (1 - row["beta"]) * texture, colour)
        return finished(image, (slice(0, height), slice(0, width)), values, self.label_above)

    def blobs(self, height: int, width: int, row: Mapping[str, Any]) -> np.ndarray:
        """(H, W) bool: where the noise exceeds the threshold, in the first field where it does in enough places."""
        noise, best = np.empty((height, width), np.float32), np.zeros((height, width), bool)
        angle = math.radians(row["slant"])
        frame = np.array([math.cos(angle), math.sin(angle), 2 ** row["scale_x"] / width, 2 ** row["scale_y"] / height])
        key = np.array(pieces(row["key"]))
        for n in range(FIELDS):
            noise_cpu(frame.astype(np.float32), n, key, noise)
            found = noise > row["threshold"]
            best = found if found.sum() > best.sum() else best
            if found.mean() >= self.least and found.any():
                break
        return best


@njit(error_model="numpy", nogil=True, cache=True)
def noise_cpu(frame, channel, key, out):
    """Perlin's noise into out (H, W) float32.

    Args:
        frame: (4,) float32: cosine and sine of the slant, cells for a pixel across and down.
        channel: which of the key's fields.
        key: (3,) float32, its pieces.
    """
    height, width = out.shape
    half_x, half_y = np.float32(width - 1) * np.float32(0.5), np.float32(height - 1) * np.float32(0.5)
    for i in range(height):
        for j in range(width):
            x, y = np.float32(j) - half_x, np.float32(i) - half_y
            across, along = frame[0] * x + frame[1] * y, frame[0] * y - frame[1] * x
            u, v = (across + half_x) * frame[2], (along + half_y) * frame[3]
            out[i, j] = gradient(u, v, channel, key[0], key[1], key[2])
