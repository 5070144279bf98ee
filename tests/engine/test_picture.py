"""Rendering means what the reference says: order, neighbours, masks, boxes and the one rounding."""

import hashlib
import json
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import reference
from scipy.ndimage import label

from sliceforge.engine.build import build
from sliceforge.engine.errors import SettingError
from sliceforge.engine.op import Paint, Point, Real, Warp, setting
from sliceforge.engine.picture import quantise, render, tight_box, unit
from sliceforge.engine.warps import composed, move_boxes
from sliceforge.kernels.image.affine import Affine
from sliceforge.kernels.image.elastic import Elastic
from sliceforge.kernels.image.flip import Flip
from sliceforge.kernels.image.scratch import Scratch

AFFINE, SCRATCH = build(Affine, {}, "steps.a"), build(Scratch, {}, "steps.s")
STILL = {"rotate": 0.0, "scale": 1.0, "shear": 0.0, "translate_x": 0.0, "translate_y": 0.0}
LINE: dict[str, Any] = {
    "rolling": 90.0, "angle": 3.0, "x": 0.4, "y": 0.5, "length": 0.7, "width": 2.5, "amplitude": 60.0, "sign": 1.0,
    "shoulder": 0.2, "lean": 0.1, "bend": 0.01, "sway": 0.0, "wander": 0.5, "uneven": 0.2, "head": 0.2, "tail": 0.2,
    "gap": 0.0, "rough": 0.2, "key": 99,
}  # fmt: skip


def gain_pixel(value: Any, x: Any, y: Any, row: Any) -> Any:
    return value * row[0] + (x - y) * row[1]


@dataclass(frozen=True)
class Gain(Point):
    gain: Real = setting(2.0)
    pixel = staticmethod(gain_pixel)

    def row(self, height: int, width: int, /, **plan: Any) -> np.ndarray:
        return np.array([plan["gain"], 0.001], np.float32)


def square_pixel(value: Any, x: Any, y: Any, row: Any) -> Any:
    return value + row[4] if row[0] <= x < row[2] and row[1] <= y < row[3] else value


@dataclass(frozen=True)
class Square(Paint):
    label: str = "square"
    label_above: float = 1.0
    pixel = staticmethod(square_pixel)

    def row(self, height: int, width: int, /, **plan: Any) -> np.ndarray:
        return np.array([*plan["box"], plan.get("amount", 0.25)], np.float32)


@dataclass(frozen=True)
class Horizon(Warp):
    def matrix(self, height: int, width: int, /, **plan: Any) -> np.ndarray:
        return np.array([[1, 0, 0], [0, 1, 0], [plan["tilt"], 0, 1.0]])


GAIN, SQUARE = build(Gain, {}, "steps.g"), build(Square, {}, "steps.q")
TURN = ("turn", AFFINE, STILL | {"rotate": 12.0, "scale": 0.9})
MOVE = ("move", AFFINE, STILL | {"translate_x": 0.13, "shear": 8.0})
BEND = ("bend", build(Elastic, {}, "steps.b"), {"spacing": 0.3, "amount": 0.24, "key": 7 << 40 | 5})
OTHER = ("other", build(Elastic, {}, "steps.o"), {"spacing": 0.2, "amount": 0.2, "key": 3})
MIRROR = ("mirror", build(Flip, {}, "steps.f"), {"horizontal": True, "vertical": False})
CHAINS = {
    "paint, warp": [("s", SCRATCH, LINE), TURN],
    "warp, paint": [TURN, ("s", SCRATCH, LINE)],
    "warp, warp, paint, warp": [TURN, MOVE, ("s", SCRATCH, LINE), ("back", AFFINE, STILL | {"rotate": -12.0})],
    "displacement": [BEND],
    "matrix, displacement, matrix, displacement": [TURN, MIRROR, BEND, MOVE, OTHER],
    "displacement, displacement, paint, matrix": [OTHER, BEND, ("s", SCRATCH, LINE), MOVE],
    "point, paint, warp, paint": [("g", GAIN, {"gain": 1.4}), ("q", SQUARE, {"box": (5, 3, 30, 20)}), TURN,
                                  ("s", SCRATCH, LINE)],
}  # fmt: skip


def noise(height: int, width: int, channels: int = 1) -> np.ndarray:
    return np.random.default_rng(8).random((height, width, channels), np.float32)


@pytest.mark.parametrize("chain", CHAINS)
@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 7, 3), (63, 50, 1), (32, 41, 3)])
def test_a_chain_is_what_the_reference_says(chain: str, shape: tuple[int, int, int]) -> None:
    image, steps = noise(*shape), CHAINS[chain]
    mask = np.random.default_rng(3).random(shape[:2]) > 0.6
    made = render(image, steps, {"given": mask})
    expected, masks, moved = reference.render(image, steps, mask)
    assert made.image.dtype == np.float32
    assert np.abs(made.image - expected).max() < reference.ROUNDED
    assert np.array_equal(made.masks.pop("given"), moved)
    assert made.masks.keys() == masks.keys()
    assert all(np.array_equal(made.masks[name], masks[name]) for name in masks)


def test_the_inputs_are_left_as_they_were_and_nothing_is_shared() -> None:
    image, mask, boxes = noise(20, 30), np.ones((20, 30), bool), np.array([[1.0, 2, 9, 8]])
    kept = image.copy(), mask.copy(), boxes.copy()
    for steps in ([], *CHAINS.values()):
        made = render(image, steps, {"given": mask}, boxes)
        assert all(np.array_equal(a, b) for a, b in zip((image, mask, boxes), kept, strict=True))
        assert not np.shares_memory(made.image, image)


def test_with_no_step_every_bit_stays() -> None:
    image = noise(13, 17, 3)
    made = render(image, [])
    assert np.array_equal(made.image, image)
    assert (made.masks, len(made.boxes)) == ({}, 0)


def test_neighbouring_warps_resample_once_so_a_turn_and_its_undoing_change_nothing() -> None:
    image = noise(41, 41)
    there, back = (("a", AFFINE, STILL | {"rotate": angle}) for angle in (30.0, -30.0))
    assert np.abs(render(image, [there, back]).image - image).max() < 1e-6  # twice: off by tenths
    between = ("s", SCRATCH, LINE | {"amplitude": 0.0})
    assert np.abs(render(image, [there, between, back]).image - image).max() > 0.1


def test_values_between_steps_are_not_clamped() -> None:
    image = noise(9, 9)
    made = render(image, [("up", GAIN, {"gain": 4.0}), ("down", GAIN, {"gain": 0.25})])
    y, x = np.mgrid[:9, :9]
    assert np.allclose(made.image[..., 0], image[..., 0] + (x - y) * 0.00125, atol=1e-6)


def test_a_painted_box_is_tight_in_pixel_edges() -> None:
    made = render(noise(20, 20) * 0, [("q", SQUARE, {"box": (3, 5, 4, 6)})])
    assert tight_box(made.masks["q"]) == (3, 5, 4, 6)
    assert tight_box(np.zeros((4, 4), bool)) is None


def test_a_paint_that_leaves_no_mark_has_an_empty_mask_and_no_box() -> None:
    made = render(noise(20, 20), [("q", SQUARE, {"box": (3, 5, 9, 9), "amount": 0.9 / 255})])
    assert not made.masks["q"].any()
    assert tight_box(made.masks["q"]) is None


def test_a_mask_and_its_box_follow_a_quarter_turn_exactly() -> None:
    steps = [("q", SQUARE, {"box": (2, 5, 9, 8)}), ("turn", AFFINE, STILL | {"rotate": 90.0})]
    made = render(noise(21, 21), steps, boxes=np.array([[2.0, 5, 9, 8]]))
    assert tight_box(made.masks["q"]) == (13, 2, 16, 9)
    assert np.allclose(made.boxes, [[13, 2, 16, 9]], atol=1e-12)


def test_a_thin_line_stays_whole_when_turned_and_made_smaller() -> None:
    thin = LINE | {"width": 1.0, "shoulder": 0.0, "uneven": 0.0, "rough": 0.0, "amplitude": 80.0, "angle": 0.0}
    thin |= {"bend": 0.0, "wander": 0.0}
    for key in range(5):
        steps = [("s", SCRATCH, thin | {"key": key}), ("t", AFFINE, STILL | {"rotate": 17.0, "scale": 0.6})]
        made = render(noise(100, 100) * 0.5, steps)
        assert label(made.masks["s"], np.ones((3, 3)))[1] == 1


def test_beyond_the_border_lies_a_mirror_for_values_and_nothing_for_masks() -> None:
    image, mask = noise(8, 10), np.ones((8, 10), bool)
    made = render(image, [("a", AFFINE, STILL | {"translate_x": 0.3})], {"given": mask})
    assert np.array_equal(made.image[:, 3:], image[:, :-3])
    assert np.array_equal(made.image[:, :3], image[:, 3:0:-1])
    assert not made.masks["given"][:, :3].any()
    assert made.masks["given"][:, 3:].all()


@pytest.mark.parametrize("steps", [[TURN, MOVE], [BEND], [MOVE, BEND, OTHER, TURN]])
def test_boxes_are_the_hull_of_their_moved_boundary_cut_to_the_image(steps: list[Any]) -> None:
    boxes = np.array([[10.0, 20, 30, 28], [0, 0, 50, 40], [44, 1, 49.5, 6], [5, 5, 5, 5]])
    parts = composed(steps, 40, 50)
    expected = [reference.moved_box(list(box), reference.composed(steps, 40, 50), 40, 50) for box in boxes]
    # A position is float64, a displacement float32: a try ends within a last place of 10 pixels.
    assert np.allclose(move_boxes(boxes, parts, 40, 50), expected, atol=1e-9 if len(parts) == 1 else 1e-5)
    assert move_boxes(np.zeros((0, 4)), parts, 40, 50).shape == (0, 4)


def test_a_displacement_and_a_matrix_resample_once() -> None:
    # A shift by half a pixel and back would blur if it were resampled twice; displaced once it is only displaced.
    image = noise(40, 50)
    there, back = (("a", AFFINE, STILL | {"translate_x": side / 100}) for side in (1, -1))
    still = ("still", BEND[1], BEND[2] | {"amount": 0.0})
    assert np.abs(render(image, [there, still, back]).image - image).max() < 1e-5
    assert np.array_equal(render(image, [still]).image, image)


def test_a_box_that_left_the_image_keeps_its_row_with_no_area() -> None:
    away = ("a", AFFINE, STILL | {"translate_x": 0.9})
    made = render(noise(40, 50), [away], boxes=np.array([[30.0, 5, 40, 10], [0, 5, 4, 10]]))
    assert np.allclose(made.boxes, [[50, 5, 50, 10], [45, 5, 49, 10]])


def test_a_box_holds_the_mask_that_it_moved_with() -> None:
    mask = np.zeros((60, 60), bool)
    mask[20:35, 15:40] = True
    for steps in ([TURN], [BEND], [TURN, BEND, MOVE]):
        made = render(noise(60, 60), steps, {"given": mask}, np.array([[15.0, 20, 40, 35]]))
        tight = np.array(tight_box(made.masks["given"]))
        assert np.abs(made.boxes[0] - tight).max() <= 1.5


@pytest.mark.parametrize("tilt", [-0.1, np.nan])
def test_a_warp_with_its_horizon_in_the_image_is_refused_by_name(tilt: float) -> None:
    with pytest.raises(SettingError, match=r"steps\.tilt"):
        render(noise(20, 20), [("tilt", build(Horizon, {}, "steps.tilt"), {"tilt": tilt})])


def test_a_perspective_is_divided_by_its_third_coordinate() -> None:
    steps, image = [("tilt", build(Horizon, {}, "steps.tilt"), {"tilt": 0.01})], noise(20, 31)
    assert np.abs(render(image, steps).image - reference.render(image, steps)[0]).max() < reference.ROUNDED


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_every_whole_number_comes_back_from_the_rounding(dtype: type) -> None:
    values = np.arange(np.iinfo(dtype).max + 1, dtype=dtype).reshape(-1, 256)
    assert np.array_equal(quantise(unit(values), dtype)[..., 0], values)
    assert quantise(unit(values), dtype).dtype == dtype


def test_the_rounding_is_half_to_even_and_cuts() -> None:
    assert quantise(np.array([-1, 0.5, 1.5 / 255, 2, 127 / 255], np.float32), np.uint8).tolist() == [
        0,
        128,
        2,
        255,
        127,
    ]


def test_another_process_makes_the_same_bytes() -> None:
    script = (
        "import hashlib, json, sys, numpy as np\n"
        "from sliceforge.engine.build import build\n"
        "from sliceforge.engine.picture import render\n"
        "from sliceforge.kernels.image.scratch import Scratch\n"
        "image = np.random.default_rng(8).random((50, 40, 1), np.float32)\n"
        "made = render(image, [('s', build(Scratch, {}, 's'), json.loads(sys.argv[1]))])\n"
        "print(hashlib.sha256(made.image.tobytes()).hexdigest())"
    )
    command = [sys.executable, "-c", script, json.dumps(LINE)]
    answer = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    made = render(noise(50, 40), [("s", SCRATCH, LINE)])
    assert answer == hashlib.sha256(made.image.tobytes()).hexdigest()
