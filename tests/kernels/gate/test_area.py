"""The area gate counts pixels of the mask, and holds them to the request."""

import numpy as np
import pytest

from sliceforge.engine.build import build
from sliceforge.engine.errors import SettingError
from sliceforge.engine.gates import Made
from sliceforge.engine.parse import from_config
from sliceforge.kernels.gate.area import Area


def made(covered: int, height: int = 50, width: int = 40) -> Made:
    mask = np.zeros(height * width, bool)
    mask[:covered] = True
    image = np.zeros((height, width, 1), np.uint8)
    return Made(image, image, masks={"s": mask.reshape(height, width)})


def ok(item: Made, asked: float, **settings: object) -> bool:
    gate: Area = build(Area, {"step": "s", **settings}, "gates.area")
    verdict = gate.measure(item, None, {"area": asked})
    assert verdict.asked == asked
    assert verdict.got == item.masks["s"].mean()
    return verdict.ok


@pytest.mark.parametrize(("covered", "fine"), [(179, False), (181, True), (200, True), (219, True), (221, False)])
def test_a_tenth_of_the_request_is_the_limit(covered: int, fine: bool) -> None:
    assert ok(made(covered), 0.1) is fine


def test_the_limit_is_a_setting() -> None:
    assert ok(made(150), 0.1, tolerance=0.3)
    assert not ok(made(150), 0.1, tolerance=0.2)


def test_whole_pixels_may_be_one_off_and_nothing_is_never_something() -> None:
    assert ok(made(2), 1.2 / 2000)
    assert not ok(made(3), 1.2 / 2000)
    assert not ok(made(0), 0.5 / 2000)


def test_only_a_paint_that_draws_an_area_has_one() -> None:
    steps = {"scratch": {"op": "image/scratch"}}
    with pytest.raises(SettingError, match="nothing that this gate measures"):
        from_config({"steps": steps, "gates": {"area": {"step": "scratch"}}})
