"""Quarter turns are exact, carry masks and boxes, and let unequal sides change places."""

from typing import Any

import numpy as np
import pytest

from sliceforge.engine import scene
from sliceforge.engine.parse import from_config
from sliceforge.engine.picture import tight_box

RECIPE = from_config({"kind": "image", "steps": {"turn": {"op": "image/rotate90"}}})


def made(pixels: np.ndarray, turns: int, **labels: Any) -> Any:
    return scene.make(RECIPE, pixels, {"turn.turns": turns}, **labels)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 7, 3), (33, 20, 4)])
def test_every_value_is_where_numpy_turns_it(shape: tuple[int, int, int], dtype: type) -> None:
    pixels = np.random.default_rng(0).integers(0, np.iinfo(dtype).max, shape, dtype)
    for turns in range(-3, 4):
        item = made(pixels, turns).item
        assert np.array_equal(item, np.rot90(pixels, -turns))


def test_masks_and_boxes_turn_along() -> None:
    pixels, mask = np.zeros((40, 60, 1), np.uint8), np.zeros((40, 60), bool)
    mask[5:12, 30:50] = True
    for turns in range(4):
        done = made(pixels, turns, mask=mask, boxes=np.array([[30.0, 5, 50, 12], [0, 0, 0, 0]]))
        assert np.array_equal(done.masks["mask"], np.rot90(mask, -turns))
        assert tuple(done.boxes[0]) == tight_box(done.masks["mask"])


def test_a_positive_turn_is_clockwise() -> None:
    pixels = np.zeros((2, 3, 1), np.uint8)
    pixels[0, 0] = 255  # upper left goes to the upper right
    assert made(pixels, 1).item[..., 0].tolist() == [[0, 255], [0, 0], [0, 0]]
