"""The contrast gate finds the grey levels that were put in, whatever lies beside them."""

import numpy as np
import pytest

from sliceforge.engine.build import build
from sliceforge.engine.errors import SettingError
from sliceforge.engine.gates import Made, Verdict
from sliceforge.engine.parse import from_config
from sliceforge.kernels.gate.contrast import Contrast

MASK = np.zeros((60, 80), bool)
MASK[20:40, 30:50] = True


def made(change: float, noise: float = 8.0, channels: int = 1, kind: type = np.uint8, **more: np.ndarray) -> Made:
    """A flat mark of a change on Gaussian noise, both in grey levels of 255."""
    steps = np.iinfo(kind).max / 255
    grain = np.random.default_rng(3).normal(0, noise, (60, 80, channels))
    parent = np.rint((128 + grain) * steps).astype(kind)
    item = np.rint(parent + change * steps * MASK[..., None]).astype(kind)
    return Made(parent, item, masks={"s": MASK, **more})


def measured(item: Made, asked: float, **settings: object) -> Verdict:
    gate: Contrast = build(Contrast, {"step": "s", **settings}, "gates.contrast")
    return gate.measure(item, None, {"contrast": asked})


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
@pytest.mark.parametrize("change", [-40.0, -3.0, 20.0])
def test_it_finds_what_was_put_in_and_its_sign_does_not_matter(change: float, kind: type, channels: int) -> None:
    verdict = measured(made(change, channels=channels, kind=kind), change)
    assert verdict.ok
    assert verdict.got == pytest.approx(abs(change), abs=1e-9)


def test_a_tenth_of_the_request_is_the_limit() -> None:
    for change, fine in ((26, False), (28, True), (32, True), (34, False)):
        assert measured(made(change), 30).ok is fine
    assert measured(made(34), 30, tolerance=0.15).ok


def test_rounding_alone_is_no_fault() -> None:
    assert measured(made(3.0), 2.55).ok
    assert not measured(made(3.0), 2.4).ok
    assert not measured(made(2.4, kind=np.uint16), 2.7).ok


def test_faint_tails_are_not_the_core() -> None:
    wide = np.zeros_like(MASK)
    wide[5:55, 10:70] = True
    item = made(30)
    faint = item.item + np.uint8(2) * (wide & ~MASK)[..., None]
    verdict = measured(Made(item.parent, faint, masks={"s": wide}), 30)
    assert verdict.got == pytest.approx(30)


def test_what_another_step_painted_over_is_left_out() -> None:
    other = np.zeros_like(MASK)
    other[20:40, 30:45] = True
    item = made(20)
    over = item.item + np.uint8(50) * other[..., None]
    assert measured(Made(item.parent, over, masks={"s": MASK, "t": other}), 20).got == pytest.approx(20)
    assert measured(Made(item.parent, over, masks={"s": MASK, "mask": other}), 20).got > 60


def test_an_empty_mask_does_not_pass_and_a_moved_parent_is_an_error() -> None:
    item = made(20)
    assert not measured(Made(item.parent, item.item, masks={"s": np.zeros_like(MASK)}), 20).ok
    with pytest.raises(SettingError, match="size"):
        measured(Made(item.parent[:30], item.item, masks=item.masks), 20)


def test_only_a_paint_that_draws_a_contrast_has_one() -> None:
    with pytest.raises(SettingError, match="nothing that this gate measures"):
        from_config({"steps": {"s": {"op": "image/scratch"}}, "gates": {"contrast": {"step": "s"}}})
