"""Stored as JPEG and read again: blocks, ringing and blurred colour, as the codec itself makes them."""

import io
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from PIL import Image

from sliceforge.engine.errors import InputError
from sliceforge.engine.op import Apply, Whole, setting

_MOST = 65500  # pixels a side, the codec's own limit
_LEVELS = np.float32(255)


@dataclass(frozen=True)
class Jpeg(Apply):
    """JPEG there and back at a quality, on values rounded to 8 bits; a deeper image keeps its type, not its depth.

    Args:
        quality: 1…100, as libjpeg counts it.
        subsampling: of colour; an image of one channel has none.

    Batch:
        image (B, C, H, W) float32, cut to 0…1. Of four channels the fourth (alpha) stays as it is.
    """

    kind: ClassVar[str] = "image"
    batched_exact: ClassVar[bool] = True

    quality: Whole = setting([30, 95], "of 100", low=1, high=100)
    subsampling: str = setting("4:2:0", choices=("4:4:4", "4:2:2", "4:2:0"))

    def apply(self, batch: dict[str, Any], /, **plan: Any) -> dict[str, Any]:
        """The image as it comes back."""
        import torch

        rows = zip(batch["image"], plan["quality"].tolist(), strict=True)
        made = [torch.from_numpy(self._stored(image.cpu().numpy(), quality)) for image, quality in rows]
        return {**batch, "image": torch.stack(made).to(batch["image"].device)}

    def _stored(self, image: np.ndarray, quality: int) -> np.ndarray:
        if max(image.shape[1:]) > _MOST:
            raise InputError("too_large", f"{image.shape[2]} × {image.shape[1]}: JPEG holds {_MOST} pixels a side")
        colours = 3 if len(image) >= 3 else 1
        pixels = np.rint(np.clip(image[:colours], 0, 1) * _LEVELS).astype(np.uint8).transpose(1, 2, 0)
        file = io.BytesIO()
        picture = Image.fromarray(pixels if colours == 3 else pixels[..., 0])
        picture.save(file, "JPEG", quality=quality, subsampling=self.subsampling)
        with Image.open(file) as stored:
            values = np.asarray(stored, np.float32).reshape(pixels.shape) / _LEVELS
        return np.concatenate([values.transpose(2, 0, 1), image[colours:]])
