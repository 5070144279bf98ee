"""Brightness, contrast and gamma are torchvision's, and change no position."""

import numpy as np
import pytest
import reference
import torch
from torchvision.transforms.functional import adjust_brightness, adjust_contrast, adjust_gamma

from sliceforge.engine import scene
from sliceforge.engine.build import build
from sliceforge.engine.parse import from_config
from sliceforge.engine.picture import render
from sliceforge.kernels.image.photometric import Photometric

STILL = {"brightness": 1.0, "contrast": 1.0, "gamma": 1.0}
OP = build(Photometric, {}, "steps.photometric")


def noise(low: float = 0.0, high: float = 1.0) -> np.ndarray:
    return np.random.default_rng(5).uniform(low, high, (31, 40, 3)).astype(np.float32)


def changed(image: np.ndarray, op: Photometric = OP, **draws: float) -> np.ndarray:
    return render(image, [("p", op, STILL | draws)]).image


def theirs(image: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(image.transpose(2, 0, 1))


def ours(image: np.ndarray, **draws: float) -> np.ndarray:
    return np.clip(changed(image, **draws), 0, 1).transpose(2, 0, 1)


@pytest.mark.parametrize("factor", [0.0, 0.6, 1.7])
def test_brightness_is_torchvisions(factor: float) -> None:
    assert np.allclose(ours(noise(), brightness=factor), adjust_brightness(theirs(noise()), factor), atol=1e-6)


@pytest.mark.parametrize("gamma", [0.4, 2.2])
def test_gamma_is_torchvisions(gamma: float) -> None:
    assert np.allclose(ours(noise(), gamma=gamma), adjust_gamma(theirs(noise()), gamma), atol=1e-6)


@pytest.mark.parametrize("factor", [0.0, 0.5, 2.0])
def test_contrast_is_torchvisions_where_the_pivot_is_the_mean(factor: float) -> None:
    image = noise()
    grey = image @ np.array([0.2989, 0.587, 0.114], np.float32)
    op = build(Photometric, {"pivot": float(grey.mean())}, "steps.p")
    made = np.clip(changed(image, op, contrast=factor), 0, 1).transpose(2, 0, 1)
    assert np.allclose(made, adjust_contrast(theirs(image), factor), atol=2e-6)


def test_the_order_is_brightness_contrast_gamma() -> None:
    image = noise(0.3, 0.6)
    expected = np.maximum(0.5 + 1.4 * (0.9 * image.astype(np.float64) - 0.5), 0) ** 1.3
    assert np.allclose(changed(image, brightness=0.9, contrast=1.4, gamma=1.3), expected, atol=1e-6)


def test_at_one_no_bit_changes_even_outside_the_range() -> None:
    image = noise(-0.5, 1.5)
    assert np.array_equal(changed(image), image)


def test_what_is_above_white_is_kept_for_the_next_step() -> None:
    image = noise(0.6, 0.9)
    steps = [("up", OP, STILL | {"brightness": 4.0}), ("down", OP, STILL | {"brightness": 0.25})]
    assert np.array_equal(render(image, steps).image, image)


def test_what_is_below_black_has_no_gamma_and_stays_finite() -> None:
    assert not changed(noise(-1, 0), gamma=0.4).any()


def test_sixteen_bits_stay_sixteen_bits() -> None:
    pixels = np.arange(65536, dtype=np.uint16).reshape(256, 256, 1)
    recipe = from_config({"kind": "image", "steps": {"p": {"op": "image/photometric"}}})
    made = scene.make(recipe, pixels, {"p.brightness": 0.5, "p.contrast": 1.0, "p.gamma": 1.0})
    assert made.item.dtype == np.uint16
    assert np.array_equal(made.item, np.rint(pixels / 2))
    assert len(np.unique(made.item)) > 32000


def test_the_engine_agrees_with_the_reference() -> None:
    for gamma in (0.7, 1.0, 1.4):
        steps = [("p", OP, {"brightness": 1.1, "contrast": 0.9, "gamma": gamma})]
        assert np.abs(render(noise(), steps).image - reference.render(noise(), steps)[0]).max() < reference.ROUNDED
