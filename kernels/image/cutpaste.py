"""A rectangle of the image, its light varied a little, put elsewhere in the same image: CutPaste."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import numpy as np

from sliceforge.engine.op import Apply, Real, setting
from sliceforge.kernels.layers import COLOURS, Laid, each, finished, jittered
from sliceforge.kernels.placing import aside, extents, found


@dataclass(frozen=True)
class Cutpaste(Apply):
    """A rectangle copied from at least half its extent away, with hard edges: out = jitter(image elsewhere).

    Li, Sohn, Yoon, Pfister, "CutPaste: self-supervised learning for anomaly detection and localization" (CVPR 2021).
    Its mask is where a value changed by `label_above` and what lies inside of that; nothing changes outside of it.

    Args:
        label: the class that it is.
        label_above: grey levels of 255.
        area: of the image.
        aspect: width : height; where a side would leave the image, the other makes up for it.
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
    area: Real = setting([0.02, 0.15], "of the image", low=0, high=1)
    aspect: Real = setting(["log", 0.3, 3.3], "", low=0.01, high=100)
    x: Real = setting([0, 1], "of the room", low=0, high=1)
    y: Real = setting([0, 1], "of the room", low=0, high=1)
    source_x: Real = setting([0, 1], "of the room", low=0, high=1)
    source_y: Real = setting([0, 1], "of the room", low=0, high=1)
    brightness: Real = setting([0.9, 1.1], "", low=0, high=10)
    contrast: Real = setting([0.9, 1.1], "", low=0, high=10)
    saturation: Real = setting([0.9, 1.1], "", low=0, high=10)
    hue: Real = setting([-0.1, 0.1], "turns", low=-0.5, high=0.5)

    def apply(self, batch: dict[str, Any], /, **plan: Any) -> dict[str, Any]:
        """The images with their rectangles, and `painted`."""
        return each(batch, plan, self.laid)

    def laid(self, image: np.ndarray, _: Any, row: Mapping[str, Any]) -> Laid:
        """One image (H, W, C) float32 with a rectangle of its own, and where it changed, (H, W) bool."""
        height, width = image.shape[:2]
        extent = extents(row["area"] * height * width, row["aspect"], height, width)
        place = found(row["x"], row["y"], extent, (height, width), lambda window: 1.0)
        origin = found(row["source_x"], row["source_y"], extent, (height, width), partial(aside, place))
        vary = {name: row[name] for name in ("brightness", "contrast", "saturation", "hue")}
        return finished(image, place, jittered(image[origin][..., :COLOURS], **vary), self.label_above)
