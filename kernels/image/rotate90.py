"""Turn an image by quarters; exact, and where the sides differ, they change places."""

from dataclasses import dataclass
from typing import Any, ClassVar

from sliceforge.engine.op import Apply, Whole, setting


@dataclass(frozen=True)
class Rotate90(Apply):
    """Quarter turns, clockwise as seen on the screen; no value changes.

    Args:
        turns: how many; a negative one turns back.

    Batch:
        image (1, C, H, W), mask (1, K, H, W) and boxes (1, N, 4); one item, since an odd turn changes its shape.
    """

    kind: ClassVar[str] = "image"

    turns: Whole = setting([0, 3], "quarter turns", low=-3, high=3)

    def apply(self, batch: dict[str, Any], /, **plan: Any) -> dict[str, Any]:
        """Image, mask and boxes turned together."""
        import torch

        turns = int(plan["turns"][0]) % 4
        boxes, (height, width) = batch["boxes"].clone(), batch["image"].shape[2:]
        for _ in range(turns):
            x0, y0, x1, y1 = boxes.unbind(-1)
            boxes = torch.stack([height - y1, x0, height - y0, x1], dim=-1)
            height, width = width, height
        turned = {name: torch.rot90(batch[name], -turns, (2, 3)) for name in ("image", "mask")}
        return {**batch, **turned, "boxes": boxes}
