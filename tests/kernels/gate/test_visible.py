"""The visibility gate measures a known contrast over a known noise."""

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sliceforge.engine.build import build
from sliceforge.engine.errors import SettingError
from sliceforge.engine.gates import Made, Verdict
from sliceforge.engine.keys import Keys
from sliceforge.engine.op import Shapes
from sliceforge.engine.picture import quantise, render, unit
from sliceforge.kernels.gate.visible import Visible
from sliceforge.kernels.image.scratch import Scratch

MASK = np.zeros((100, 100), bool)
MASK[20:80, 48:52] = True


def made(noise: float, contrast: float, channels: int = 1, mask: np.ndarray = MASK) -> Made:
    """A line of a contrast on Gaussian noise, both in grey levels of 255; in 16 bits, whose steps are finer."""
    parent = 32768 + 257 * np.random.default_rng(2).normal(0, noise, (100, 100, channels))
    item = parent + 257 * contrast * mask[..., None]
    return Made(parent.round().astype(np.uint16), item.round().astype(np.uint16), masks={"s": mask})


def measured(item: Made, **settings: object) -> Verdict:
    return build(Visible, {"step": "s", **settings}, "gates.visible").measure(item, None, {})


@pytest.mark.parametrize("against", ["parent", "ring"])
@pytest.mark.parametrize(("noise", "contrast"), [(4.0, 20.0), (10.0, -30.0), (3.0, 9.0)])
def test_it_finds_the_contrast_to_noise_ratio_that_was_put_in(against: str, noise: float, contrast: float) -> None:
    verdict = measured(made(noise, contrast), against=against)
    assert verdict.got == pytest.approx(abs(contrast) / noise, rel=0.15)  # some 1000 pixels in the ring
    assert verdict.ok
    assert verdict.more["contrast_grey"] == pytest.approx(abs(contrast), rel=0.15)
    assert verdict.more["area_share"] == pytest.approx(MASK.mean())


@pytest.mark.parametrize("against", ["parent", "ring"])
def test_what_nobody_can_see_does_not_pass(against: str) -> None:
    assert not measured(made(10.0, 4.0), against=against).ok
    assert not measured(made(10.0, 0.0), against=against).ok


@pytest.mark.parametrize("against", ["parent", "ring"])
def test_eight_bits_measure_as_the_same_greys_in_sixteen(against: str) -> None:
    eight = [np.rint(image / 257).astype(np.uint8) for image in (made(4.0, 20.0).parent, made(4.0, 20.0).item)]
    sixteen = [image.astype(np.uint16) * np.uint16(257) for image in eight]
    got = [measured(Made(*pair, masks={"s": MASK}), against=against).got for pair in (eight, sixteen)]
    assert got[0] == pytest.approx(got[1], rel=1e-12)
    assert got[0] == pytest.approx(5, rel=0.15)


def test_the_floor_is_what_was_asked() -> None:
    item = made(5.0, 15.0)
    assert measured(item, cnr=2.5).ok
    assert not measured(item, cnr=3.5).ok
    assert measured(item, cnr=3.5).asked == 3.5


def test_a_flat_background_counts_as_one_grey_level_of_noise() -> None:
    for against in ("parent", "ring"):
        assert measured(made(0.0, 6.0), against=against).got == pytest.approx(6, abs=1e-3)


def test_an_empty_mask_does_not_pass() -> None:
    verdict = measured(made(3.0, 20.0, mask=np.zeros_like(MASK)))
    assert (verdict.ok, verdict.got) == (False, 0.0)


@pytest.mark.parametrize("against", ["parent", "ring"])
def test_a_mask_that_leaves_no_background_is_measured_without_a_warning(against: str) -> None:
    assert measured(made(3.0, 20.0, mask=np.ones_like(MASK)), against=against).ok is (against == "parent")


def test_another_steps_mark_is_no_background() -> None:
    item = made(2.0, 10.0)
    other = np.zeros_like(MASK)
    other[:, 53:60] = True
    loud = np.where(other[..., None], np.uint16(65535), item.item)
    marked = Made(item.parent, loud, masks={"s": MASK, "other": other})
    assert measured(marked, against="ring").got == pytest.approx(5, rel=0.15)


def test_faint_tails_do_not_hide_a_core() -> None:
    item = made(4.0, 20.0)
    wide = np.zeros_like(MASK)
    wide[20:80, 40:60] = True
    tails = item.item + np.uint16(1.2 * 257) * (wide & ~MASK)[..., None]
    assert measured(Made(item.parent, tails, masks={"s": wide})).got == pytest.approx(5, rel=0.15)


def test_colour_is_measured_as_the_mean_of_its_channels() -> None:
    assert measured(made(6.0, 20.0, channels=3)).got == pytest.approx(20 / (6 / np.sqrt(3)), rel=0.15)


def test_a_parent_of_another_size_is_an_error_that_says_what_to_write() -> None:
    item = made(3.0, 20.0)
    with pytest.raises(SettingError, match="ring"):
        measured(Made(item.parent[:50], item.item, masks=item.masks))


def test_nearly_every_scratch_on_real_strip_is_visible_at_the_first_attempt() -> None:
    folder = os.environ.get("SLICEFORGE_DATA")
    if not folder:
        pytest.skip("SLICEFORGE_DATA names no folder of real material")
    paths = sorted(Path(folder, "x_sdd").glob("*/*.*"))[::5]
    if not paths:
        pytest.skip("no x_sdd in SLICEFORGE_DATA")
    op, gate = build(Scratch, {}, "steps.s"), build(Visible, {"step": "s"}, "gates.visible")
    images = [np.asarray(Image.open(path).convert("L")) for path in paths]
    height, width = np.array([image.shape for image in images]).T
    columns = op.draw(Keys.of(1, [path.name for path in paths]).at("s"), Shapes(0 * width, 0 * width, height, width))
    passed = 0
    for row, image in enumerate(images):
        plan = {name: column[row].item() for name, column in columns.items()}
        drawn = render(unit(image), [("s", op, plan)])
        item = quantise(drawn.image, np.uint8)
        passed += gate.measure(Made(image[..., None], item, masks=drawn.masks), op, plan).ok
    assert passed / len(paths) >= 0.92  # 95 % over a larger number, and three standard errors
