"""Each class of ground surfaces is what it is called, and no other class of them is."""

from typing import Any

import marks
import numpy as np
import pytest
from scipy.ndimage import distance_transform_edt, label

from sliceforge.engine.manifest import read

CLASSES = ("blowhole", "crack", "break", "fray", "uneven")
ITEMS, SIDE = 20, 200


def thickness(mask: np.ndarray) -> float:
    """Pixels from the innermost place to the nearest one outside; the image's border is no end."""
    return float(distance_transform_edt(mask).max())


def sharp(change: np.ndarray) -> bool:
    """Somewhere a third of the whole change happens from one pixel to the next."""
    steps = max(np.abs(np.diff(change, axis=axis)).max() for axis in (0, 1))
    return bool(steps > np.abs(change).max() / 3)


def span(mask: np.ndarray) -> float:
    """The longer side of its box, pixels."""
    return float(max(np.flatnonzero(mask.any(axis))[-1] - np.flatnonzero(mask.any(axis))[0] + 1 for axis in (0, 1)))


def borders(mask: np.ndarray) -> list[int]:
    """Pixels of it on the left, the right, the upper and the lower border."""
    return [int(np.count_nonzero(line)) for line in (mask[:, 0], mask[:, -1], mask[0], mask[-1])]


def is_blowhole(change: np.ndarray) -> bool:
    """Small, sharp, and round: more than half of the circle around it, and its box nearly square."""
    mask = np.abs(change) > 0.4 * np.abs(change).max()
    rows, columns = np.nonzero(mask)
    tall, wide = np.ptp(rows) + 1, np.ptp(columns) + 1
    square, round_ = min(tall, wide) / max(tall, wide) > 0.75, mask.sum() > 0.62 * np.pi / 4 * max(tall, wide) ** 2
    return bool(sharp(change) and max(tall, wide) <= 26 and square and round_ and max(borders(mask)) <= 2)


def is_crack(change: np.ndarray) -> bool:
    """Dark, thin, long, and in one piece."""
    mask = change != 0
    whole = label(mask, np.ones((3, 3)))[1] == 1
    return bool(change.max() == 0 and thickness(mask) <= 3.5 and span(mask) > 8 * thickness(mask) and whole)


def is_break(change: np.ndarray) -> bool:
    """Compact and sharp, it stands on one border, or two that meet, with a good part of its outline."""
    mask = np.abs(change) > 0.4 * np.abs(change).max()
    left, right, upper, lower = borders(mask)
    across = min(left, right) > 0 or min(upper, lower) > 0
    return bool(sharp(change) and not across and max(left, right, upper, lower) > max(4, 0.4 * span(mask)))


def is_fray(change: np.ndarray) -> bool:
    """A band from the left border to the right one, not thin, with ragged edges."""
    mask = np.abs(change) > 0.2 * np.abs(change).max()
    if not (mask.any(0).all() and thickness(mask) > 2.8):
        return False
    upper, lower = mask.argmax(0), SIDE - 1 - mask[::-1].argmax(0)
    return bool(min(np.abs(np.diff(upper, 2)).mean(), np.abs(np.diff(lower, 2)).mean()) > 0.5)


def is_uneven(change: np.ndarray) -> bool:
    """Less than a hundredth of its energy is in waves shorter than 12 pixels."""
    window = np.hanning(SIDE)[:, None] * np.hanning(SIDE)
    power = np.abs(np.fft.fft2(change * window)) ** 2
    frequency = np.hypot(np.fft.fftfreq(SIDE)[:, None], np.fft.fftfreq(SIDE))
    return bool(power[frequency > 1 / 12].sum() < 0.01 * power.sum())


TESTS = {"blowhole": is_blowhole, "crack": is_crack, "break": is_break, "fray": is_fray, "uneven": is_uneven}


@pytest.fixture(scope="module")
def made() -> dict[str, list[np.ndarray]]:
    """Some marks of each class."""
    return {name: [change for change, _ in marks.first_marks(f"surface/{name}", ITEMS, SIDE)] for name in CLASSES}


@pytest.mark.parametrize("shown", CLASSES)
@pytest.mark.parametrize("asked", CLASSES)
def test_a_class_is_itself_and_no_other(made: Any, asked: str, shown: str) -> None:
    share = np.mean([TESTS[asked](change) for change in made[shown]])
    assert share >= 0.9 if asked == shown else share <= 0.05


@pytest.mark.parametrize("name", CLASSES)
def test_first_draws_on_a_tile_pass_the_gates(name: str) -> None:
    tiles = read(None, "image", material="tiles").root
    assert marks.accepted(f"surface/{name}", tiles, 40) >= 0.9
