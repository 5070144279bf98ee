"""Where a solar cell's busbars lie: across its fingers, at ½, 1½, 2½… of their number along them."""

from typing import Any

import numpy as np


def placed(direction: float, height: int, width: int) -> tuple[float, float, float, float]:
    """Cosine and sine of the fingers' direction, and the image's extent along and across them, in pixels."""
    angle = np.radians(direction)
    # Whole degrees of a right angle are exact, so that a stripe ends between two rows of pixels where it should.
    cos, sin = (float(np.round(turn, 12)) for turn in (np.cos(angle), np.sin(angle)))
    return cos, sin, abs(cos) * width + abs(sin) * height, abs(cos) * height + abs(sin) * width


def interval(along: Any, busbars: int, busbar_width: float, side: float) -> tuple[Any, Any]:
    """From where to where the silicon reaches beside the busbars around a place, in pixels from the image's middle.

    Args:
        along: fraction of the side.
        busbars: how many.
        busbar_width: fraction of the side.
        side: pixels along the fingers.
    """
    before = np.floor(np.asarray(along) * busbars + 0.5)  # busbars before the place
    start = np.where(before > 0, (before - 0.5) / max(busbars, 1) + busbar_width / 2, 0)
    end = np.where(before < busbars, (before + 0.5) / max(busbars, 1) - busbar_width / 2, 1)
    return (start - 0.5) * side, (end - 0.5) * side
