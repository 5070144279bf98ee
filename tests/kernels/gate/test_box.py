"""The box gate holds a mask to what really changed."""

import numpy as np
import pytest

from sliceforge.engine.errors import SettingError
from sliceforge.engine.gates import Made, Verdict
from sliceforge.kernels.gate.box import Box

PARENT = np.random.default_rng(0).integers(50, 200, (40, 60, 1)).astype(np.uint8)
MASK = np.zeros((40, 60), bool)
MASK[10:20, 15:40] = True


def measured(
    changed: np.ndarray, by: int = 20, mask: np.ndarray = MASK, most: float = 0.0, **more: np.ndarray
) -> Verdict:
    item = PARENT + np.uint8(by) * changed[..., None]
    return Box("s", most).measure(Made(PARENT, item, masks={"s": mask, **more}), None, {})


def test_the_tight_box_of_the_change_passes_with_holes_in_it() -> None:
    ring = MASK.copy()
    ring[12:18, 20:35] = False
    assert measured(MASK).ok
    assert measured(ring).ok
    assert measured(MASK, by=1).ok


@pytest.mark.parametrize("off", [1, 3])
def test_a_box_that_is_wider_than_the_change_does_not(off: int) -> None:
    narrow = MASK.copy()
    narrow[:, 40 - off :] = False
    verdict = measured(narrow)
    assert (verdict.ok, verdict.got) == (False, off)
    assert measured(narrow, most=off).ok


def test_a_change_that_no_mask_covers_is_found_unless_it_is_faint_or_anothers() -> None:
    wide = MASK.copy()
    wide[:, 35:45] = True
    assert not measured(wide).ok
    assert measured(wide).more["stray_share"] > 0.3
    assert measured(wide, by=1).ok
    assert measured(wide, t=wide).ok


def test_nothing_changed_and_nothing_claimed_do_not_pass() -> None:
    assert not measured(np.zeros_like(MASK)).ok
    assert not measured(MASK, mask=np.zeros_like(MASK)).ok
    with pytest.raises(SettingError, match="size"):
        Box("s").measure(Made(PARENT[:20], PARENT, masks={"s": MASK}), None, {})
