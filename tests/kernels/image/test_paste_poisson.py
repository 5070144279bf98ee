"""Pasted by Poisson blending: the donor's gradients stay, and its own level leaves no step around it."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy import ndimage

from sliceforge.engine.build import build
from sliceforge.engine.donors import Donor
from sliceforge.kernels.image.paste import RIM, Paste

STILL = {"x": 0.5, "y": 0.5, "rotate": 0.0, "scale": 1.0, "flip_x": False, "flip_y": False, "sigma": 1.0}


def op(**settings: Any) -> Paste:
    made: Paste = build(Paste, settings, "steps.paste")
    return made


def disc(level: float = 0.8, channels: int = 1) -> Donor:
    """A dark disc with stripes and soft edges, on a level of its own."""
    down, right = np.mgrid[:60, :70] - np.array([30, 35])[:, None, None]
    away = np.hypot(down, right)
    height = (0.2 + 0.05 * np.sin(right * 1.3)) / (1 + np.exp(away - 9))
    image = np.repeat((level - height).astype(np.float32)[..., None], channels, axis=2)
    return Donor(image, away < 17, away < 17, np.full_like(image, level), "disc")


def light(height: int = 90, width: int = 110, channels: int = 1) -> np.ndarray:
    """Light that falls off to the right, with soft grain."""
    grain = ndimage.gaussian_filter(np.random.default_rng(3).normal(size=(height, width)), 2)
    ramp = np.linspace(0.35, 0.55, width) + 0.01 * grain / grain.std()
    return np.repeat(ramp.astype(np.float32)[..., None], channels, axis=2)


def laplace(image: np.ndarray) -> np.ndarray:
    found: np.ndarray = ndimage.laplace(image[..., 0].astype(np.float64))
    return found


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_inside_are_the_donors_gradients_and_around_it_is_no_step(channels: int) -> None:
    image = light(channels=channels)
    out, mask = op(edge="poisson", match=False).pasted(image, disc(), STILL)
    deep = ndimage.binary_erosion(mask, iterations=2)
    inner = ndimage.binary_erosion(disc().mask, iterations=2)
    # Its middle lies at the image's, to a whole pixel.
    at = 14, 20
    wanted = laplace(disc().image)
    placed = np.zeros(mask.shape)
    placed[at[0] : at[0] + 60, at[1] : at[1] + 70] = np.where(inner, wanted, 0)
    assert np.corrcoef(laplace(out)[deep & (placed != 0)], placed[deep & (placed != 0)])[0, 1] > 0.999
    shape = np.zeros(mask.shape, bool)
    shape[at[0] : at[0] + 60, at[1] : at[1] + 70] = disc().mask
    seam = ndimage.binary_dilation(shape, iterations=RIM + 2) & ~ndimage.binary_erosion(shape, iterations=2)
    made = {edge: op(edge=edge, match=False).pasted(image, disc(), STILL)[0] for edge in ("poisson", "alpha")}
    steps = {edge: np.abs(np.diff(picture[..., 0], axis=1))[seam[:, 1:]].max() for edge, picture in made.items()}
    assert steps["poisson"] < 1.5 * np.abs(np.diff(image[..., 0], axis=1)).max()
    assert steps["alpha"] > 10 * steps["poisson"]
    assert channels < 4 or (out[..., 3] == image[..., 3]).all()


def test_nothing_changes_beyond_the_donor_and_its_rim() -> None:
    image, wide = light(), replace(disc(), background=np.full_like(disc().image, 0.2))
    for residual in (False, True):
        out, _ = op(edge="poisson", match=False, residual=residual).pasted(image, wide, STILL)
        shape = np.zeros(image.shape[:2], bool)
        shape[14:74, 20:90] = disc().mask
        reach = ndimage.binary_dilation(shape, iterations=RIM)
        assert (out[~reach] == image[~reach]).all()
        # What differs by less than a grey level is left as it was.
        assert (out != image).any(axis=2)[shape].mean() > 0.5


def test_mixed_gradients_let_the_places_own_lines_through() -> None:
    image = light()
    image[:, 54:56] -= 0.15
    kept = {}
    for edge in ("poisson", "poisson_mixed"):
        out, _ = op(edge=edge).pasted(image, disc(), STILL)
        kept[edge] = out[45, 51:53].mean() - out[45, 54:56].mean()
    assert kept["poisson"] < 0.08
    assert kept["poisson_mixed"] > 0.1


def test_what_the_pictures_edge_cuts_is_as_dark_at_the_edge() -> None:
    image = np.full((90, 110, 1), 0.5, np.float32)
    line = np.zeros((60, 70), bool)
    line[:30, 33:37] = True
    picture = np.where(line, 0.2, 0.5).astype(np.float32)[..., None]
    out, mask = op(edge="poisson").pasted(image, Donor(picture, line, line, np.full_like(picture, 0.5)), STILL)
    column = int(np.argwhere(mask)[:, 1].mean())
    assert mask[0, column]
    np.testing.assert_allclose(out[:20, column, 0], 0.2, atol=0.02)


def test_the_residual_is_blended_too() -> None:
    image = light()
    out, mask = op(edge="poisson", residual=True).pasted(image, disc(), STILL)
    middle = ndimage.binary_erosion(mask, iterations=8)
    assert (image - out)[middle].mean() > 0.05
