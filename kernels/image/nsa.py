"""A patch from elsewhere blended in without a seam: NSA, natural synthetic anomalies."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from sliceforge.engine.elementary import log2
from sliceforge.engine.keys import Keys
from sliceforge.engine.op import Apply, Columns, Real, Shapes, setting
from sliceforge.kernels import poisson
from sliceforge.kernels.layers import COLOURS, Laid, each, finished, like, resized
from sliceforge.kernels.placing import Window, aside, foreground, found
from sliceforge.kernels.sources import picked

_LN2 = 0.6931471805599453


@dataclass(frozen=True)
class Nsa(Apply):
    """A rectangle of a picture, resized, laid elsewhere by Poisson blending: half extents least + Γ(2, spread).

    Schlüter, Tan, Hou, Kainz, "Natural synthetic anomalies for self-supervised anomaly detection and localization"
    (ECCV 2022), as in their code. Its mask is where a value changed by `label_above`, after a median filter of 5
    pixels; nothing changes outside of it.

    Args:
        label: the class that it is.
        label_above: grey levels of 255.
        bank: the name of a bank of pictures of any kind; where a run has none of that name, or `label` is all that is
            wanted, the item itself is the source, and the patch comes from at least half its extent away.
        least: of the side, added to the half extent.
        spread: of the side, the scale of the Gamma law, whose shape is 2.
        low, high: of the side, the least and the greatest half extent.
        scale: factor, by which the patch is larger than what it was cut from, cut off at `smallest` and `largest`:
            more than half of all patches lie at one of the two, as theirs do.
        smallest, largest: factor.
        mixed: share in which of the patch's and the place's gradients the greater counts.
        x, y: 0…1 of the room that the patch leaves, from left to right, from the top down: the first place to be tried.
        source_x, source_y: the same of where it is cut out.
        foreground: `whole`: all of a picture; `object`: what differs from the background, the median of its rim.
        apart: grey levels of 255 by which an object differs.
        overlap: share of the patch, where it is cut out and where it is laid, that is foreground.

    Batch:
        image (B, C, H, W) float32; bank, where there is one: B pictures. A fourth channel is left as it is.
    """

    kind: ClassVar[str] = "image"
    paints: ClassVar[bool] = True
    version: ClassVar[int] = 2

    label: str = setting("anomaly")
    label_above: float = setting(1.0, "grey levels of 255", low=0.001, high=255)
    bank: str = setting("sources")
    least: float = setting(0.03, "of the side", low=0, high=0.5)
    spread: float = setting(0.05, "of the side", low=0, high=1)
    low: float = setting(0.05, "of the side", low=0, high=0.5)
    high: float = setting(0.2, "of the side", low=0, high=0.5)
    scale: Real = setting(["normal", 1, 0.5, -1, 3], "", low=-10, high=10)
    smallest: float = setting(0.7, "", low=0.1, high=10)
    largest: float = setting(1.3, "", low=0.1, high=10)
    mixed: float = setting(0.5, "share", low=0, high=1)
    x: Real = setting([0, 1], "of the room", low=0, high=1)
    y: Real = setting([0, 1], "of the room", low=0, high=1)
    source_x: Real = setting([0, 1], "of the room", low=0, high=1)
    source_y: Real = setting([0, 1], "of the room", low=0, high=1)
    foreground: str = setting("whole", choices=("whole", "object"))
    apart: float = setting(20.0, "grey levels of 255", low=0, high=255)
    overlap: float = setting(0.25, "of the patch", low=0, high=1)

    def draw(self, keys: Keys, shapes: Shapes) -> Columns:
        """Where, how large (`half_width`, `half_height`), whether `mixed`, and the bank's `item`, or empty."""
        plan = super().draw(keys, shapes)
        for name in ("half_width", "half_height"):
            # The sum of two exponentials is Gamma of shape 2.
            pairs = 1 - keys.uniform(name, 2)
            gamma = np.array([-_LN2 * (log2(one) + log2(other)) for one, other in pairs.tolist()], np.float64)
            plan[name] = np.clip(self.least + self.spread * gamma, self.low, self.high).astype(np.float32)
        plan["scale"] = np.clip(plan["scale"], self.smallest, self.largest).astype(np.float32)
        plan["mixed"] = keys.uniform("mixed")[:, 0] < self.mixed
        return plan | {"item": picked(keys, shapes, self.bank)}

    def apply(self, batch: dict[str, Any], /, **plan: Any) -> dict[str, Any]:
        """The images with their patches, and `painted`."""
        return each(batch, plan, self.laid)

    def laid(self, image: np.ndarray, source: Any, row: Mapping[str, Any]) -> Laid:
        """One image (H, W, C) float32 with a patch of `source`, or of its own, and where it changed, (H, W) bool."""
        height, width = image.shape[:2]
        colour = image[..., :COLOURS]
        picture = like(source.image, colour.shape[2]) if source else colour
        extent = (
            int(np.clip(round(2 * row["half_height"] * row["scale"] * height), 1, height)),
            int(np.clip(round(2 * row["half_width"] * row["scale"] * width), 1, width)),
        )
        cut_out = (
            int(np.clip(round(extent[0] / row["scale"]), 1, picture.shape[0])),
            int(np.clip(round(extent[1] / row["scale"]), 1, picture.shape[1])),
        )
        place = found(row["x"], row["y"], extent, (height, width), self._suits(colour))
        suits = self._suits(picture, None if source else place)
        origin = found(row["source_x"], row["source_y"], cut_out, picture.shape[:2], suits)
        rows, columns = place
        cut = rows.start == 0, rows.stop == height, columns.start == 0, columns.stop == width
        over, inside = resized(picture, origin, extent), np.ones(extent, bool)
        blended = poisson.blend(colour[place].astype(np.float32), over, inside, row["mixed"], cut)
        return finished(image, place, blended, self.label_above, smooth=5)

    def _suits(self, picture: np.ndarray, place: Window | None = None) -> Any:
        """How well a window of a picture suits: enough foreground, and elsewhere than the place."""
        mask = foreground(picture, self.apart) if self.foreground == "object" else None

        def score(window: Window) -> float:
            share = 1.0
            if mask is not None and self.overlap:
                share = min(1.0, float(mask[window].mean()) / self.overlap)
            return share if place is None else share * aside(window, place)

        return score
