"""NSA: patches of Gamma size from elsewhere, whose gradients stay and whose seams do not show."""

from typing import Any

import cv2
import numpy as np
import pytest
from scipy import ndimage, stats

from sliceforge.engine.build import build
from sliceforge.engine.donors import Donor
from sliceforge.engine.keys import Keys
from sliceforge.engine.op import Inventory, Shapes
from sliceforge.kernels.image.nsa import Nsa
from sliceforge.kernels.placing import foreground

ROW = {
    "half_width": 0.15, "half_height": 0.1, "scale": 1.0, "mixed": False, "x": 0.7, "y": 0.2, "source_x": 0.1,
    "source_y": 0.6,
}  # fmt: skip


def op(**settings: Any) -> Nsa:
    made: Nsa = build(Nsa, settings, "steps.nsa")
    return made


def texture(seed: int, height: int = 120, width: int = 150, channels: int = 1) -> np.ndarray:
    field = ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=(height, width, channels)), (2, 2, 0))
    return (0.5 + 0.08 * field / field.std()).clip(0.05, 0.95).astype(np.float32)


def donor(picture: np.ndarray) -> Donor:
    none = np.zeros(picture.shape[:2], bool)
    return Donor(picture, none, none, picture)


def drawn(count: int, **banks: Inventory) -> dict[str, np.ndarray]:
    sizes = np.full(count, 100)
    keys = Keys.of(3, [str(i) for i in range(count)]).at("nsa")
    return op().draw(keys, Shapes(0 * sizes, 0 * sizes, sizes, sizes, banks))


def test_half_extents_follow_the_gamma_law_between_their_ends() -> None:
    plan, law = drawn(20_000), stats.gamma(2, 0.03, 0.05)
    for name in ("half_width", "half_height"):
        values = plan[name].astype(np.float64)
        # Four standard errors of a share of 20 000 are at most 0.0142.
        for edge in (0.051, 0.08, 0.13, 0.199):
            assert (values <= edge).mean() == pytest.approx(law.cdf(edge), abs=0.0142)
        assert (values.min(), values.max()) == (np.float32(0.05), np.float32(0.2))
    assert abs(np.corrcoef(plan["half_width"], plan["half_height"])[0, 1]) < 0.03
    assert plan["mixed"].mean() == pytest.approx(0.5, abs=0.0142)


def test_gradients_inside_are_those_of_the_source_and_the_rim_is_the_image() -> None:
    image, source = texture(1), texture(2)
    out, mask = op(label_above=0.001).laid(image, donor(source), ROW)
    rows, columns = (np.flatnonzero(mask.any(axis)) for axis in (1, 0))
    assert rows[-1] - rows[0] + 1 == pytest.approx(2 * 0.1 * 120, abs=3)
    assert columns[-1] - columns[0] + 1 == pytest.approx(2 * 0.15 * 150, abs=3)
    patch = ndimage.laplace(out[..., 0])[rows[0] + 2 : rows[-1] - 1, columns[0] + 2 : columns[-1] - 1]
    match = cv2.matchTemplate(ndimage.laplace(source[..., 0]), patch, cv2.TM_CCOEFF_NORMED)
    assert match.max() > 0.995
    ring = ndimage.binary_dilation(mask, iterations=2) & ~ndimage.binary_erosion(mask, iterations=2)
    step = np.abs(ndimage.laplace(out[..., 0])[ring]).mean() / np.abs(ndimage.laplace(image[..., 0])[ring]).mean()
    assert step < 1.5
    assert np.abs(out - image)[~mask].max() == 0


def test_a_resized_patch_is_as_large_as_its_factor_says() -> None:
    image, source = texture(1), texture(2)
    for scale in (0.7, 1.3):
        out, mask = op(label_above=0.001).laid(image, donor(source), ROW | {"scale": scale})
        rows, columns = (np.flatnonzero(mask.any(axis)) for axis in (1, 0))
        assert np.ptp(columns) + 1 == pytest.approx(scale * 45, abs=4)
        patch = out[rows[0] + 3 : rows[-1] - 2, columns[0] + 3 : columns[-1] - 2, 0]
        back = cv2.resize(patch, None, fx=1 / scale, fy=1 / scale, interpolation=cv2.INTER_LINEAR)
        found = cv2.matchTemplate(ndimage.laplace(source[..., 0]), ndimage.laplace(back), cv2.TM_CCOEFF_NORMED).max()
        assert found > 0.7


def test_sizes_are_cut_off_at_their_ends_not_drawn_again() -> None:
    scale = drawn(4000)["scale"]
    ends = stats.norm(1, 0.5).cdf([0.7, 1.3])
    for end, expected in zip((0.7, 1.3), (ends[0], 1 - ends[1]), strict=True):
        # Five standard deviations of a share of 4000.
        assert (scale == np.float32(end)).mean() == pytest.approx(expected, abs=5 * np.sqrt(0.2 / 4000))
    between = scale[(scale > np.float32(0.7)) & (scale < np.float32(1.3))]
    assert stats.kstest(between, stats.truncnorm(-0.6, 0.6, 1, 0.5).cdf).pvalue > 1e-4


def test_mixed_gradients_keep_what_is_stronger_below() -> None:
    image, flat = texture(1), np.full((120, 150, 1), 0.4, np.float32)
    assert not op().laid(image, donor(flat), ROW | {"mixed": True})[1].any()
    assert op().laid(image, donor(flat), ROW)[1].any()


def test_patches_lie_on_the_object_and_come_from_it() -> None:
    image = np.full((120, 150, 1), 0.1, np.float32)
    image[40:90, 50:110] = texture(4)[40:90, 50:110]
    wanted = foreground(image, 20)
    assert wanted[45:85, 55:105].mean() > 0.95
    assert wanted[:35].sum() == 0
    shares = {}
    for where in ("object", "whole"):
        step, got = op(foreground=where, label_above=0.01), []
        for n in range(25):
            row = ROW | {"x": n / 25, "y": (n * 7 % 25) / 25, "source_x": (n * 3 % 25) / 25, "half_width": 0.08}
            _, mask = step.laid(image, None, row)
            got.append(wanted[mask].mean() if mask.any() else 0.0)
        shares[where] = np.array(got)
    assert (shares["object"] > 0.2).all()
    assert (shares["whole"] < 0.2).any()


def test_pictures_of_a_bank_are_drawn_alike_where_there_is_one() -> None:
    bank = Inventory(["a", "b"], np.zeros(0), [None] * 2, ["plain", "mask"])
    assert set(drawn(200, sources=bank)["item"]) == {"a", "b"}
    assert set(drawn(20, donors=bank)["item"]) == {""}


@pytest.mark.parametrize(("own", "channels"), [(1, 3), (3, 1), (3, 4)])
def test_grey_and_colour_meet_and_alpha_is_left(own: int, channels: int) -> None:
    image = texture(1, channels=channels)
    out, mask = op().laid(image, donor(texture(2, 60, 70, own)), ROW)
    assert out.shape == image.shape
    assert mask.any()
    assert channels < 4 or (out[..., 3] == image[..., 3]).all()
