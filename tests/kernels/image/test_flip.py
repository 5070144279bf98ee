"""A flip mirrors exactly, with masks and boxes, and merges with its neighbours."""

from typing import Any

import numpy as np
import pytest
import reference

from sliceforge.engine.build import build
from sliceforge.engine.keys import Keys
from sliceforge.engine.op import Shapes
from sliceforge.engine.picture import render
from sliceforge.kernels.image.affine import Affine
from sliceforge.kernels.image.flip import Flip

OP = build(Flip, {}, "steps.flip")
BOTH = {"horizontal": True, "vertical": True}


def noise(height: int, width: int, channels: int = 3) -> np.ndarray:
    return np.random.default_rng(5).random((height, width, channels), np.float32)


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (7, 1), (64, 33), (50, 101)])
def test_each_axis_is_mirrored_exactly_and_alone(shape: tuple[int, int]) -> None:
    image, mask = noise(*shape), noise(*shape)[..., 0] > 0.5
    for across, down in ((True, False), (False, True), (True, True), (False, False)):
        made = render(image, [("f", OP, {"horizontal": across, "vertical": down})], {"m": mask})
        turned = (slice(None, None, -1 if down else 1), slice(None, None, -1 if across else 1))
        assert np.array_equal(made.image, image[turned])
        assert np.array_equal(made.masks["m"], mask[turned])


def test_boxes_are_mirrored_between_pixel_edges() -> None:
    boxes = np.array([[2.0, 3, 10, 20], [0, 0, 50, 40]])
    made = render(noise(40, 50), [("f", OP, BOTH)], boxes=boxes)
    assert np.array_equal(made.boxes, [[40, 20, 48, 37], [0, 0, 50, 40]])


def test_a_turn_by_half_is_both_flips() -> None:
    half = {"rotate": 180.0, "scale": 1.0, "shear": 0.0, "translate_x": 0.0, "translate_y": 0.0}
    steps: list[Any] = [("f", OP, BOTH), ("a", build(Affine, {}, "steps.a"), half)]
    image = noise(31, 40)
    assert np.array_equal(render(image, steps).image, image)
    assert np.array_equal(reference.render(image, steps)[0], image)


def test_each_share_is_that_of_the_items_and_one_does_not_follow_the_other() -> None:
    keys, size = Keys.of(1, [str(i) for i in range(4000)]), np.full(4000, 8)
    op = build(Flip, {"horizontal": 0.3, "vertical": 0.6}, "steps.flip")
    drawn = op.draw(keys, Shapes(size, size, size, size))
    assert drawn["horizontal"].mean() == pytest.approx(0.3, abs=0.03)
    assert drawn["vertical"].mean() == pytest.approx(0.6, abs=0.03)
    assert (drawn["horizontal"] & drawn["vertical"]).mean() == pytest.approx(0.18, abs=0.03)
