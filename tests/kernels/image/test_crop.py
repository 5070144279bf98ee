"""A crop shows whole pixels of a part, enlarged as torchvision enlarges it; boxes and masks are cut with it."""

from typing import Any

import numpy as np
import pytest
import reference
import torch
from torchvision.transforms.functional import resized_crop

from sliceforge.engine.build import build
from sliceforge.engine.keys import Keys
from sliceforge.engine.op import Shapes
from sliceforge.engine.picture import render, tight_box
from sliceforge.kernels.image.crop import Crop, part

OP = build(Crop, {}, "steps.crop")
WHOLE: dict[str, Any] = {"area": 1.0, "aspect": 1.0, "x": 0.0, "y": 0.0}


def noise(height: int, width: int, channels: int = 3) -> np.ndarray:
    return np.random.default_rng(5).random((height, width, channels), np.float32)


def plans(count: int, height: int, width: int) -> list[dict[str, Any]]:
    columns = OP.draw(Keys.of(7, [str(n) for n in range(count)]),
                      Shapes(*(np.full(count, side) for side in (0, 0, height, width))))  # fmt: skip
    return [{name: column[row].item() for name, column in columns.items()} for row in range(count)]


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (33, 50)])
def test_the_whole_is_the_image_itself(shape: tuple[int, int]) -> None:
    assert np.array_equal(render(noise(*shape), [("c", OP, WHOLE)]).image, noise(*shape))


def test_inside_it_is_torchvisions_resized_crop() -> None:
    height, width = 60, 90
    image = noise(height, width)
    for draws in plans(20, height, width):
        left, top, wide, high = part(height, width, **draws)
        theirs = resized_crop(torch.from_numpy(image.transpose(2, 0, 1)), top, left, high, wide, [height, width])
        made = render(image, [("c", OP, draws)]).image
        # At the part's edge they repeat its last pixel, and we see the one beyond: half a pixel of the part.
        edge_y, edge_x = int(np.ceil(height / high)), int(np.ceil(width / wide))
        inner = np.s_[edge_y:-edge_y, edge_x:-edge_x]
        assert np.abs(made[inner] - theirs.numpy().transpose(1, 2, 0)[inner]).max() < 2e-5


def test_a_quarter_is_doubled() -> None:
    image = np.kron(noise(10, 12, 1)[..., 0], np.ones((4, 4), np.float32))[..., None]
    made = render(image, [("c", OP, {"area": 0.25, "aspect": 1.0, "x": 1.0, "y": 0.0})]).image
    big = np.kron(image[:20, 24:, 0], np.ones((2, 2), np.float32))
    flat = np.s_[3::8, 3::8]  # the middles of flat squares
    assert np.allclose(made[..., 0][flat], big[flat], atol=1e-6)


def test_the_part_lies_inside_and_is_as_large_and_as_wide_as_drawn() -> None:
    for draws in plans(300, 200, 320):
        left, top, wide, high = part(200, 320, **draws)
        assert min(left, top) >= 0
        assert left + wide <= 320
        assert top + high <= 200
        if wide < 320 and high < 200:
            assert wide * high / (200 * 320) == pytest.approx(draws["area"], rel=0.02)
            assert (wide / 320) / (high / 200) == pytest.approx(draws["aspect"], rel=0.02)


def test_boxes_and_masks_are_cut_with_the_image() -> None:
    mask = np.zeros((40, 60), bool)
    mask[5:25, 10:50] = True
    draws = {"area": 0.25, "aspect": 1.0, "x": 0.0, "y": 0.0}  # the upper left quarter, doubled
    boxes = np.array([[10.0, 5, 50, 25], [40, 30, 50, 38]])
    made = render(noise(40, 60), [("c", OP, draws)], {"m": mask}, boxes)
    assert np.allclose(made.boxes, [[20, 10, 60, 40], [60, 40, 60, 40]])
    assert tight_box(made.masks["m"]) == (20, 10, 60, 40)


def test_the_engine_agrees_with_the_reference() -> None:
    for draws in plans(4, 33, 47):
        steps = [("c", OP, draws)]
        apart = np.abs(render(noise(33, 47), steps).image - reference.render(noise(33, 47), steps)[0])
        assert apart.max() < reference.ROUNDED
