"""The seam gate tells a cut-out by the step around it, whichever way the background is rough."""

import numpy as np
import pytest
from scipy.ndimage import distance_transform_edt, gaussian_filter, gaussian_filter1d

from sliceforge.engine.gates import Made, Verdict
from sliceforge.kernels.gate.seam import Seam

ROUND = np.hypot(*np.mgrid[-48:48, -64:64]) < 20
SPOT = 60 * np.exp(-((np.hypot(*np.mgrid[-48:48, -64:64]) / 12) ** 2))


def strip(seed: int) -> np.ndarray:
    """Brushed along y: rough across, smooth along; grey levels."""
    return 128 + 25 * gaussian_filter1d(np.random.default_rng(seed).normal(0, 1, (96, 128)), 6, axis=0)


def measured(item: np.ndarray, mask: np.ndarray = ROUND, most: float = 2.5) -> Verdict:
    image = np.clip(np.rint(item), 0, 255).astype(np.uint8)[..., None]
    return Seam("s", most).measure(Made(image, image, masks={"s": mask}), None, {})


def test_a_border_that_nothing_happens_at_scores_one() -> None:
    verdicts = [measured(strip(seed)) for seed in range(20)]
    assert all(verdict.ok for verdict in verdicts)
    assert np.mean([verdict.got for verdict in verdicts]) == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize("step", [25.0, -40.0])
def test_a_cut_out_is_told_by_its_step(step: float) -> None:
    for seed in range(5):
        verdict = measured(strip(seed) + step * ROUND)
        assert not verdict.ok
        assert verdict.more["step_grey"] == pytest.approx(abs(step), rel=0.25)


def test_what_is_blended_over_a_few_pixels_passes() -> None:
    for seed in range(5):
        alpha = np.exp(-(distance_transform_edt(~ROUND) ** 2) / (2 * 3**2))
        assert measured(strip(seed) + SPOT).ok
        assert measured(strip(seed) + 12 * alpha).ok


def test_the_way_of_the_brush_counts() -> None:
    # A tall mask has a border mostly between neighbours side by side, where brushed steel is rough anyway.
    smooth = 128 + gaussian_filter(np.random.default_rng(0).normal(0, 90, (96, 128)), (12, 0.6))
    tall = np.zeros((96, 128), bool)
    tall[20:80, 60:64] = True
    assert measured(smooth, tall).got == pytest.approx(1, abs=0.2)


def test_a_mask_without_a_border_has_no_seam_and_the_limit_is_a_setting() -> None:
    assert measured(strip(0), np.ones_like(ROUND)).got == 0
    assert measured(strip(0), np.zeros_like(ROUND)).got == 0
    stepped = strip(0) + 25 * ROUND
    assert measured(stepped, most=measured(stepped).got + 0.1).ok
