"""Paste: a donor lands where it was drawn, as bright as its place, and its mask is what changed."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from sliceforge.engine.build import build
from sliceforge.engine.donors import Donor
from sliceforge.engine.errors import InputError, SettingError
from sliceforge.engine.keys import Keys
from sliceforge.engine.op import Inventory, Shapes
from sliceforge.engine.picture import tight_box
from sliceforge.kernels.image.paste import Paste

STILL = {"x": 0.5, "y": 0.5, "rotate": 0.0, "scale": 1.0, "flip_x": False, "flip_y": False, "sigma": 1.0}
NARROW = STILL | {"sigma": 0.1}  # no rim: the mask is the donor as it was placed


def op(**settings: Any) -> Paste:
    made: Paste = build(Paste, settings, "steps.paste")
    return made


def donor(
    height: int = 40, width: int = 50, level: float = 0.5, box: tuple[int, int, int, int] = (15, 10, 31, 20)
) -> Donor:
    """A dark block, 60 % of its background, x0 y0 x1 y1, with a darker left half."""
    image = np.full((height, width, 1), level, np.float32)
    x0, y0, x1, y1 = box
    image[y0:y1, x0:x1] = 0.6 * level
    image[y0:y1, x0 : (x0 + x1) // 2] = 0.4 * level
    mask = np.zeros((height, width), bool)
    mask[y0:y1, x0:x1] = True
    return Donor(image, mask, mask, np.full((height, width, 1), level, np.float32), "block")


def plain(height: int = 63, width: int = 100, channels: int = 1, level: float = 0.5) -> np.ndarray:
    return np.full((height, width, channels), level, np.float32)


def test_an_unturned_donor_keeps_its_size_its_pixels_and_its_mask() -> None:
    image = plain()
    out, mask = op().pasted(image, donor(), STILL)
    assert tight_box(mask) in ((42, 26, 58, 36), (42, 27, 58, 37))
    assert mask.sum() == 160
    np.testing.assert_allclose(np.unique(np.round(out[mask], 5)), [0.2, 0.3], atol=1e-6)
    assert (out[~mask] == image[~mask]).mean() > 0.9


@pytest.mark.parametrize("residual", [False, True])
@pytest.mark.parametrize("level", [0.1, 0.25, 0.75, 0.9])
def test_the_donor_is_as_bright_as_its_place_and_keeps_its_contrast(level: float, residual: bool) -> None:
    out, mask = op(residual=residual).pasted(plain(level=level), donor(level=0.4), STILL)
    np.testing.assert_allclose(np.unique(np.round(out[mask] / level, 4)), [0.4, 0.6], atol=1e-3)
    beyond = out[~mask]
    np.testing.assert_allclose(beyond, level, atol=1e-6)


def test_unmatched_the_donor_keeps_its_own_values() -> None:
    out, mask = op(match=False).pasted(plain(level=0.9), donor(level=0.4), NARROW)
    np.testing.assert_allclose(np.unique(np.round(out[mask], 4)), [0.16, 0.24], atol=1e-4)


@pytest.mark.parametrize("residual", [False, True])
def test_light_that_falls_off_over_the_place_leaves_no_step_at_the_edge(residual: bool) -> None:
    ramp = np.repeat(np.linspace(0.4, 0.6, 100, dtype=np.float32)[None, :, None], 63, axis=0)
    flat = replace(donor(), image=donor().background)
    out, _ = op(residual=residual, sigma=4).pasted(ramp, flat, STILL | {"sigma": 4.0})
    if residual:
        assert np.abs(out - ramp).max() < 1e-6
    assert np.abs(np.diff(out[:, :, 0], axis=1)).max() < (0.003 if residual else 0.02)


def test_the_residual_leaves_the_grain_of_the_place() -> None:
    grain = (0.5 + np.random.default_rng(1).normal(0, 0.02, (63, 100, 1))).astype(np.float32)
    out, mask = op(residual=True).pasted(grain, donor(), STILL)
    left = out[mask][:, 0] - grain[mask][:, 0]
    assert np.ptp(left[left < -0.25]) < 1e-6


@pytest.mark.parametrize("degrees", [-10.0, 7.0, 90.0])
@pytest.mark.parametrize("scale", [0.7, 1.3])
def test_turning_and_scaling_do_to_its_moments_what_they_say(degrees: float, scale: float) -> None:
    block = donor(box=(10, 16, 40, 22))
    _, mask = op().pasted(plain(), block, NARROW | {"rotate": degrees, "scale": scale})
    assert mask.sum() == pytest.approx(180 * scale**2, rel=0.08)
    y, x = np.nonzero(mask)
    spread = np.cov(x, y)
    angle = math.degrees(0.5 * math.atan2(2 * spread[0, 1], spread[0, 0] - spread[1, 1]))
    assert abs((angle - degrees + 90) % 180 - 90) < 1.5


def test_flips_mirror_the_content() -> None:
    out, mask = op().pasted(plain(), donor(), STILL)
    turned, same = op().pasted(plain(), donor(), STILL | {"flip_x": True})
    assert np.array_equal(mask, same)
    np.testing.assert_allclose(out[mask].reshape(10, 16)[:, ::-1], turned[mask].reshape(10, 16), atol=1e-6)


@pytest.mark.parametrize("x", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("y", [0.0, 1.0])
@pytest.mark.parametrize("rotate", [0.0, -10.0])
def test_a_whole_donor_stays_whole_inside_the_image(x: float, y: float, rotate: float) -> None:
    _, mask = op().pasted(plain(), donor(), NARROW | {"x": x, "y": y, "rotate": rotate})
    assert mask.sum() == pytest.approx(160, abs=8)
    x0, y0, x1, y1 = tight_box(mask) or (0, 0, 0, 0)
    if x in (0, 1):
        assert (x0 if x == 0 else 100 - x1) <= 1
    assert (y0 if y == 0 else 63 - y1) <= 1


@pytest.mark.parametrize("flip", [False, True])
@pytest.mark.parametrize("rotate", [0.0, 10.0, -10.0])
def test_what_its_own_picture_cuts_is_put_at_the_same_edge(flip: bool, rotate: float) -> None:
    cut = donor(box=(0, 10, 20, 20))
    _, mask = op().pasted(plain(), cut, STILL | {"flip_x": flip, "rotate": rotate, "y": 0.4})
    column = mask[:, -1 if flip else 0]
    assert column.sum() >= 9


def test_what_two_opposite_edges_cut_reaches_both_again() -> None:
    line = donor(height=40, box=(20, 0, 24, 40))
    for rotate in (0.0, 10.0, -7.0):
        _, mask = op().pasted(plain(), line, STILL | {"rotate": rotate, "scale": 0.7})
        assert mask.any(axis=1).all()


def test_far_pixels_stay_bit_for_bit_and_the_gaussian_edge_falls_as_it_says() -> None:
    image = plain(level=0.3)
    bright = replace(donor(), image=np.full((40, 50, 1), 0.9, np.float32))
    out, _ = op(match=False).pasted(image, bright, STILL | {"sigma": 2.0})
    sharp, same = op(match=False, edge="alpha").pasted(image, bright, STILL)
    _, y0, x1, y1 = tight_box(same) or (0, 0, 0, 0)
    right = (out[(y0 + y1) // 2, x1 - 1 :, 0] - 0.3) / 0.6
    away = np.arange(len(right))
    np.testing.assert_allclose(right[:7], np.exp(-(away[:7] ** 2) / 8), atol=1e-4)
    assert (out[:, x1 + 9 :] == image[:, x1 + 9 :]).all()
    assert (sharp[~same] == image[~same]).all()


@pytest.mark.parametrize("edge", ["gaussian", "alpha", "poisson", "poisson_mixed"])
def test_nothing_changes_outside_the_mask_and_its_box_is_that_of_what_changed(edge: str) -> None:
    generator = np.random.default_rng(4)
    image = generator.integers(100, 150, (63, 100, 1)).astype(np.float32) / np.float32(255)
    for rotate in (0.0, 9.0):
        out, mask = op(edge=edge).pasted(image, donor(), STILL | {"sigma": 2.0, "rotate": rotate})
        assert (out[~mask] == image[~mask]).all()
        change = (np.rint(out * 255) != np.rint(image * 255)).any(axis=2)
        assert tight_box(mask) == tight_box(change)


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (5, 3), (9, 200)])
def test_a_donor_larger_than_the_image_fills_it(size: tuple[int, int]) -> None:
    out, mask = op().pasted(plain(*size), donor(), STILL)
    assert out.shape == (*size, 1)
    assert np.isfinite(out).all()
    assert mask.any()


@pytest.mark.parametrize(("own", "channels"), [(1, 3), (3, 1), (3, 3), (1, 4), (3, 4)])
def test_grey_and_colour_meet_and_alpha_is_left(own: int, channels: int) -> None:
    image = plain(channels=channels, level=0.25)
    given = donor()
    given = replace(given, image=np.repeat(given.image, own, 2), background=np.repeat(given.background, own, 2))
    out, mask = op().pasted(image, given, STILL)
    assert out.shape == image.shape
    assert out[..., : min(channels, 3)].min(axis=(0, 1)) == pytest.approx(0.1)
    assert channels < 4 or (out[..., 3] == image[..., 3]).all()
    assert mask.sum() == 160


def test_what_nobody_can_see_is_not_claimed() -> None:
    black = plain(level=0.0)
    out, mask = op(match=False).pasted(black, replace(donor(), image=np.full((40, 50, 1), 0.001, np.float32)), STILL)
    assert not mask.any()
    out, mask = op(match=False).pasted(
        plain(level=1.0), replace(donor(), image=np.full((40, 50, 1), 1, np.float32)), STILL
    )
    assert (out == 1).all()
    assert not mask.any()


def test_a_batch_is_its_items_and_its_input_is_left_alone() -> None:
    images = torch.rand(3, 3, 33, 31)
    before = images.clone()
    donors = [donor(), donor(level=0.3), donor(box=(0, 0, 9, 9))]
    rows = {name: torch.tensor([value] * 3) for name, value in STILL.items()} | {"item": ["a", "b", "c"]}
    rows["x"] = torch.tensor([0.1, 0.6, 0.9])
    whole = op().apply({"image": images, "bank": donors}, **rows)
    for i in range(3):
        row = {name: value[i : i + 1] for name, value in rows.items()}
        one = op().apply({"image": images[i : i + 1], "bank": donors[i : i + 1]}, **row)
        assert torch.equal(one["image"][0], whole["image"][i])
        assert torch.equal(one["painted"][0], whole["painted"][i])
    assert torch.equal(images, before)


def shapes(inventory: Inventory, count: int) -> Shapes:
    sizes = np.full(count, 64, np.int64)
    return Shapes(sizes * 0, sizes * 0, sizes, sizes, {"donors": inventory})


def test_donors_are_drawn_alike_with_their_own_labels_or_one() -> None:
    inventory = Inventory(["a", "b", "c"], np.zeros(0), ["x", "y", "y"], ["mask", "box", ""])
    keys = Keys.of(1, [str(i) for i in range(900)]).at("paste")
    plan = op().draw(keys, shapes(inventory, 900))
    assert {*zip(plan["item"], plan["label"], strict=True)} == {("a", "x"), ("b", "y")}
    assert 400 < (plan["item"] == "a").sum() < 500
    plan = op(residual=True, label="spot").draw(keys, shapes(inventory, 900))
    assert {*plan["item"]} == {"a", "b", "c"}
    assert {*plan["label"]} == {"spot"}


def test_no_bank_no_mark_and_no_label_are_each_one_clear_line() -> None:
    keys = Keys.of(1, ["a"]).at("paste")
    unmarked = Inventory(["a", "b"], np.zeros(0), ["x", "x"], ["", ""])
    nameless = Inventory(["a"], np.zeros(0), [None], ["mask"])
    for inventory, words in ((unmarked, "no mask .* no box .* residual"), (nameless, "label")):
        with pytest.raises(SettingError, match=words) as error:
            op().draw(keys, shapes(inventory, 1))
        assert str(error.value).startswith("banks.donors: ")
        assert "\n" not in str(error.value)
    with pytest.raises(SettingError, match=r"banks\.donors"):
        op().draw(keys, Shapes(*[np.ones(1, np.int64)] * 4))


def test_a_cap_uses_every_donor_as_often_as_any_other_and_none_too_often() -> None:
    inventory = Inventory(list("abcdefg"), np.zeros(0), list("xxxxyyy"), ["mask"] * 7)

    def items(slots: np.ndarray, seed: int = 5) -> np.ndarray:
        keys = Keys.of(seed, [str(slot) for slot in slots]).at("paste")
        found: np.ndarray = op(cap=3).draw(keys, replace(shapes(inventory, len(slots)), slots=slots))["item"]
        return found

    given = items(np.arange(30))
    assert [list(given[:21]).count(item) for item in "abcdefg"] == [3] * 7
    assert [set(given[i : i + 7]) for i in (0, 7, 14)] == [set("abcdefg")] * 3
    assert (given[21:] == "").all()
    assert not (given[:7] == given[7:14]).all()
    some = np.array([20, 3, 11])
    assert (items(some) == given[some]).all()
    assert not (items(np.arange(30), 6) == given).all()
    assert (op(cap=3).by_slot(), op().by_slot()) == (True, False)
    with pytest.raises(InputError, match="cap"):
        op(cap=3).apply({"image": torch.zeros(1, 1, 4, 4)})
