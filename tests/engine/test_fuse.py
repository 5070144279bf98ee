"""The fused executor for images: passes, neighbours, flaws, both depths, tiny images, and operators of one's own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import reference

from sliceforge.engine import fuse, stepwise
from sliceforge.engine.build import build
from sliceforge.engine.cpu import image as fused
from sliceforge.engine.errors import InputError, SettingError
from sliceforge.engine.fuse import Segment, Task, segments
from sliceforge.engine.gates import Made
from sliceforge.engine.op import Paint, Point, Warp, stack
from sliceforge.engine.parse import from_config
from sliceforge.engine.picture import quantise, unit
from sliceforge.engine.recipe import Recipe
from sliceforge.engine.step import Step
from sliceforge.kernels.image.affine import Affine

Given = dict[str, dict[str, Any]]
"""Step → its draws: the steps that happen."""


def scaled_pixel(value, x, y, row):
    return value * row[0] + (x - y) * row[1]


def square_pixel(value, x, y, row):
    return value + row[4] if row[0] <= x and x < row[2] and row[1] <= y and y < row[3] else value


def swirl_shift(x, y, row):
    # Slopes of at most 4 · amount / reach, at reach / 2 from the middle.
    dx, dy = (x - row[0]) / row[2], (y - row[1]) / row[2]
    fall = row[3] / (np.float32(1) + dx * dx + dy * dy)
    return -dy * fall, dx * fall


@dataclass(frozen=True)
class Scaled(Point):
    pixel = staticmethod(scaled_pixel)

    def row(self, height: int, width: int, /, **plan: Any) -> np.ndarray:
        return stack(plan["factor"], 0.001)


@dataclass(frozen=True)
class Square(Paint):
    label: str = "square"
    label_above: float = 1.0
    pixel = staticmethod(square_pixel)

    def row(self, height: int, width: int, /, **plan: Any) -> np.ndarray:
        return stack(plan["x"], plan["y"], plan["x"] + 9, plan["y"] + 6, 0.2)


@dataclass(frozen=True)
class Swirl(Warp):
    shift = staticmethod(swirl_shift)

    def matrix(self, height: int, width: int, /, **plan: Any) -> np.ndarray:
        return np.eye(3)

    def row(self, height: int, width: int, /, **plan: Any) -> np.ndarray:
        return stack(width / 2, height / 2, 12, plan["amount"])


@dataclass(frozen=True)
class Tilt(Warp):
    """A perspective."""

    def matrix(self, height: int, width: int, /, **plan: Any) -> np.ndarray:
        found = np.zeros((*np.shape(plan["tilt"]), 3, 3)) + np.eye(3)
        found[..., 2, 0], found[..., 2, 1] = plan["tilt"], np.divide(plan["tilt"], 2)
        return found


AFFINE = build(Affine, {}, "steps.affine")
STILL = {"rotate": 0.0, "scale": 1.0, "shear": 0.0, "translate_x": 0.0, "translate_y": 0.0}
OPS = {"turn": AFFINE, "scaled": Scaled(), "back": AFFINE, "swirl": Swirl(), "tilt": Tilt(), "square": Square()}
RECIPE = Recipe("image", tuple(Step(name, op, p=0.5) for name, op in {**OPS, "end": AFFINE}.items()), (), {}, {})
"""Steps that may each be left out, so that every test runs the same loops."""

TURN: Given = {"turn": STILL | {"rotate": 12.0, "scale": 0.9}}
CHAINS: dict[str, Given] = {
    "a matrix": TURN,
    "a point": {"scaled": {"factor": 1.2}},
    "a paint": {"square": {"x": 3.0, "y": 5.0}},
    "a displacement": {"swirl": {"amount": 2.5}},
    "a perspective": {"tilt": {"tilt": 0.004}},
    "a perspective between": TURN | {"tilt": {"tilt": 0.004}, "swirl": {"amount": 1.5}},
    "a mark that is turned": {"square": {"x": 3.0, "y": 5.0}, "end": STILL | {"rotate": -20.0}},
    "everything": TURN | {"scaled": {"factor": 1.1}, "back": STILL | {"shear": 9.0}, "swirl": {"amount": 2.5}}
    | {"tilt": {"tilt": -0.002}, "square": {"x": 11.0, "y": 2.0}, "end": STILL | {"translate_x": 0.13}},
}  # fmt: skip


def row_of(given: Given) -> dict[str, Any]:
    row: dict[str, Any] = {f"{step.name}.on": step.name in given for step in RECIPE.steps}
    return row | {f"{name}.{draw}": value for name, draws in given.items() for draw, value in draws.items()}


def pixels(*shape: int, dtype: Any = np.uint8) -> np.ndarray:
    top = np.iinfo(dtype).max
    return np.random.default_rng(8).integers(top // 4, 3 * top // 4, shape, dtype)


def task(image: np.ndarray, given: Given) -> Task:
    height, width = image.shape[:2]
    mask = np.random.default_rng(3).random((height, width)) > 0.6
    boxes = np.array([[0.2 * width, 0.3 * height, 0.7 * width, 0.8 * height], [0, 0, width, height]])
    return Task(image, 0, row_of(given), mask, boxes)


def made(*tasks: Task, threads: int = 1) -> list[Made]:
    return [fuse.only([one]) for one in fuse.make(RECIPE, tasks, threads=threads)]


def expected(one: Task) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """What the reference says: the item and its masks."""
    steps = [(step.name, step.op, RECIPE.draws(step, one.row)) for step in RECIPE.steps if one.row[f"{step.name}.on"]]
    image, masks, brought = reference.render(unit(one.parent), steps, one.mask)
    assert brought is not None
    return quantise(image, one.parent.dtype), {**masks, "mask": brought}


def assert_near(item: np.ndarray, other: np.ndarray, steps: int = 1, same: float = 0.999) -> None:
    assert (item.shape, item.dtype) == (other.shape, other.dtype)
    apart = np.abs(item.astype(int) - other)
    assert apart.max() <= steps
    assert (apart == 0).mean() >= same


def assert_masks(found: Mapping[str, np.ndarray], other: Mapping[str, np.ndarray]) -> None:
    assert found.keys() == other.keys()
    for name, mask in found.items():
        assert (mask == other[name]).mean() >= 0.999


def steps_of(*names: str) -> Recipe:
    return from_config({"kind": "image", "steps": {name: {"op": f"image/{name}"} for name in names}})


@pytest.mark.parametrize("elastic", [["elastic"], []])
def test_the_flagship_chain_of_images_is_one_pass(elastic: list[str]) -> None:
    names = ("flip", "affine", *elastic, "photometric", "grain")
    assert segments(steps_of(*names)) == [Segment("one resampling + points", names)]


def test_the_flagship_chain_of_sound_is_one_convolution_and_one_sum() -> None:
    names = ("reverb", "mix", "band", "level")
    config = {name: {"op": f"audio/{name}"} for name in names}
    found = segments(from_config({"steps": config | {"mix": {"op": "audio/mix", "source": "bank"}}}))
    assert [one.form for one in found] == ["convolution", "levels and sum", "convolution", "levels and sum"]
    both = segments(from_config({"steps": {name: config[name] for name in ("reverb", "band", "level")}}))
    assert both == [Segment("convolution", ("reverb", "band")), Segment("levels and sum", ("level",))]


def test_a_pass_ends_where_a_warp_follows_a_point_and_where_code_runs_alone() -> None:
    found = segments(steps_of("grain", "scratch", "affine", "flip", "jpeg", "photometric"))
    assert [one.form for one in found] == ["paints + points", "one resampling", "alone", "points"]
    assert [name for one in found for name in one.steps] == [
        "grain", "scratch", "affine", "flip", "jpeg", "photometric",
    ]  # fmt: skip


@pytest.mark.parametrize("chain", CHAINS)
def test_a_chain_is_what_the_reference_and_the_plain_executor_say(chain: str) -> None:
    one = task(pixels(33, 41, 1), CHAINS[chain])
    (found,) = made(one)
    item, masks = expected(one)
    plain = stepwise.make(RECIPE, one.parent, 0, one.row, None, one.mask, one.boxes)
    assert_near(found.item, item)
    assert_masks(found.masks, masks)
    assert_near(found.item, plain.item)
    assert_masks(found.masks, plain.masks)
    assert found.boxes is not None
    assert plain.boxes is not None
    assert np.abs(found.boxes - plain.boxes).max() <= 1e-6


def test_a_point_that_is_skipped_makes_the_warps_around_it_neighbours() -> None:
    there, back = {"turn": STILL | {"rotate": 30.0}}, {"back": STILL | {"rotate": -30.0}}
    tasks = [task(pixels(41, 41, 1), there | point | back) for point in ({}, {"scaled": {"factor": 1.0}})]
    together, apart = made(*tasks)
    assert np.array_equal(together.item, together.parent)  # one resampling, by nothing
    assert np.abs(apart.item.astype(int) - apart.parent).max() > 20  # two of them
    for one, found in zip(tasks, (together, apart), strict=True):
        item, masks = expected(one)
        assert_near(found.item, item)
        assert_masks(found.masks, masks)
        assert_near(found.item, stepwise.make(RECIPE, one.parent, 0, one.row).item)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("factor", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("more", [{}, {"back": STILL | {"rotate": 20.0}}])
def test_a_value_that_is_not_finite_is_the_error_of_its_own_item_alone(
    dtype: type, factor: float, more: dict[str, Any]
) -> None:
    image = pixels(20, 300, 3, dtype=dtype)  # longer than a tile
    tasks = [task(image, {"scaled": {"factor": one}} | more) for one in (1.1, factor, 0.9, 0.8)]
    found = fuse.make(RECIPE, tasks, threads=2)
    assert [isinstance(one, InputError) for one in found] == [False, True, False, False]
    assert found[1].reason == "non_finite"
    for one, item in zip(tasks, found, strict=True):
        if isinstance(item, Made):
            assert np.array_equal(item.item, made(one)[0].item)
    with pytest.raises(InputError, match="non_finite"):
        stepwise.make(RECIPE, image, 0, tasks[1].row)


@pytest.mark.parametrize("chain", CHAINS)
def test_sixteen_bits_stay_sixteen_and_keep_their_fine_steps(chain: str) -> None:
    y, x = np.mgrid[:40, :50]
    smooth = (30000 + 15000 * np.sin(x / 9) * np.cos(y / 7)).astype(np.uint16)[..., None]
    one = task(smooth, CHAINS[chain])
    (found,) = made(one)
    plain = stepwise.make(RECIPE, smooth, 0, one.row, None, one.mask, one.boxes)
    # A position in float32 is off by 4e-6 pixels, and a neighbour differs by up to 2000: a hundredth of a step, which
    # tips few roundings and moves none by two.
    assert_near(found.item, plain.item, same=0.97)
    assert_masks(found.masks, plain.masks)
    assert len(np.unique(found.item)) > 1000


@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 1, 4), (1, 7, 3), (9, 1, 1), (2, 2, 2)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_images_of_a_pixel_or_a_row_are_what_the_reference_says(shape: tuple[int, int, int], dtype: type) -> None:
    tasks = [task(pixels(*shape, dtype=dtype), given) for given in CHAINS.values()]
    found, meant = made(*tasks), [expected(one) for one in tasks]
    assert all(one.masks.keys() == masks.keys() for one, (_, masks) in zip(found, meant, strict=True))
    values = np.concatenate([one.item.ravel() for one in found])
    assert_near(values, np.concatenate([item.ravel() for item, _ in meant]), same=0.95)


@pytest.mark.parametrize("tilt", [-0.1, np.nan])
def test_a_perspective_with_its_horizon_in_the_image_is_refused_by_name(tilt: float) -> None:
    with pytest.raises(SettingError, match=r"steps\.tilt"):
        fuse.make(RECIPE, [task(pixels(33, 41, 1), {"tilt": {"tilt": tilt}})])


def test_loops_of_ones_own_operators_are_kept_in_memory_alone() -> None:
    # The disk cache would not notice that they were edited.
    assert fused._Run(RECIPE, 1).loop(True, True).stats.cache_path is None
    ours = fused._Run(steps_of("flip", "affine", "photometric"), 1).loop(True, True)
    assert ours.stats.cache_path is not None


def poisoned(shape: Any, dtype: Any = float, *more: Any, **named: Any) -> np.ndarray:
    """An array that nobody has written to, with the worst in it."""
    kind = np.dtype(dtype)
    return np.full(shape, np.nan if kind.kind == "f" else 1 if kind.kind == "b" else np.iinfo(kind).max, kind)


def worked(tasks: Sequence[Task]) -> list[tuple[bytes, dict[str, bytes]]]:
    found = made(*tasks, threads=2)
    return [(one.item.tobytes(), {name: mask.tobytes() for name, mask in one.masks.items()}) for one in found]


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_what_scratch_holds_changes_no_byte(dtype: type, monkeypatch: pytest.MonkeyPatch) -> None:
    shapes = ((33, 41, 1), (20, 300, 3), (7, 5, 4))
    tasks = [task(pixels(*shape, dtype=dtype), given) for shape in shapes for given in CHAINS.values()]
    before = worked(tasks)
    monkeypatch.setattr(np, "empty", poisoned)
    monkeypatch.setattr(np, "empty_like", lambda like, *more, **named: poisoned(like.shape, like.dtype))
    assert worked(tasks) == before
