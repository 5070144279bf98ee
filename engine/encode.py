"""From what was made to the files that are written of it."""

from __future__ import annotations

from typing import Any

import numpy as np

from sliceforge.engine import objects, sound
from sliceforge.engine.codecs import audio, image
from sliceforge.engine.gates import Made
from sliceforge.engine.item import Item
from sliceforge.engine.outcome import Outcome, facts
from sliceforge.engine.recipe import Recipe


def encoded(recipe: Recipe, outcome: Outcome, suffix: str, slice_: str | None) -> Item:
    """The files of an accepted outcome.

    Args:
        recipe: what made it; of an original, one without steps.
        outcome: accepted.
        suffix: flac, wav, png or jpeg.
        slice_: the promise that it keeps, or None.
    """
    made, row = outcome.made, outcome.row
    assert made is not None
    known = facts(recipe, outcome, slice_)
    if recipe.kind == "image":
        media, size = image.encode(made.item, suffix), made.item.shape
        mask = _mask(made) if made.masks or recipe.paints() else None
    else:
        pcm = (made.item * np.float32(sound.PCM)).astype(np.int16)
        media, size, mask = audio.encode(pcm, made.rate, suffix), (0, 0, 0), None
        known["rate"] = made.rate
    height, width, channels = size
    return Item(
        id=row["id"],
        label=known["label"],
        suffix=suffix,
        media=media,
        mask=mask,
        row={**known, "plan": _drawn(row)},
        size=(height, width, channels),
        objects=objects.found(recipe, outcome),
    )


def _mask(made: Made) -> bytes:
    """All that is marked in an image, as a PNG of 0 and 255."""
    union = np.zeros(made.item.shape[:2], bool)
    for one in made.masks.values():
        union |= one
    return image.encode((union * np.uint8(255))[:, :, None], "png")


def _drawn(row: dict[str, Any]) -> dict[str, Any]:
    """The numbers of a plan row that were drawn for this item."""
    return {
        name: value for name, value in row.items() if "." in name and not name.startswith("read.") and value is not None
    }
