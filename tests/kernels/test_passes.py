"""Single passes over clips of every awkward length against numpy."""

import numpy as np
import pytest

from sliceforge.kernels import passes

LENGTHS = [0, 1, 7, 15, 16, 17, 63, 801]
ONE, TWO = np.float32(0.75), np.float32(-1.5)


def pair(length: int) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(length)
    return generator.normal(0, 0.4, length).astype(np.float32), generator.normal(0, 0.4, length).astype(np.float32)


@pytest.mark.parametrize("length", LENGTHS)
def test_products_peaks_and_sums_are_numpys(length: int) -> None:
    a, b = pair(length)
    wide = ONE * a.astype(np.float64) + TWO * b.astype(np.float64)
    assert passes.product_cpu(a, b) == pytest.approx(float(a.astype(np.float64) @ b.astype(np.float64)), abs=1e-12)
    assert passes.peak_cpu(a, ONE, b, TWO) == pytest.approx(np.abs(wide).max(initial=0), rel=1e-6)
    out = np.full(length, np.nan, np.float32)
    passes.add_cpu(a, ONE, b, TWO, out)
    assert np.abs(out - wide).max(initial=0) < 1e-6


@pytest.mark.parametrize("length", LENGTHS)
def test_finished_samples_are_whole_steps_within_full_scale(length: int) -> None:
    a, b = pair(length)
    out = np.full(length, np.nan, np.float32)
    assert passes.finish_cpu(a, ONE, b, TWO, out)
    steps = out.astype(np.float64) * 32768
    assert (steps == np.rint(steps)).all()
    wide = np.clip((ONE * a.astype(np.float64) + TWO * b.astype(np.float64)) * 32768, -32768, 32767)
    assert np.abs(steps - wide).max(initial=0) <= 0.51


def test_half_a_step_goes_to_the_even_one_and_both_ends_are_reached() -> None:
    a = np.resize(np.array([0.5, 1.5, 2.5, -0.5, -1.5, 40000, -40000], np.float32) / 32768, 23)
    out = np.empty(23, np.float32)
    assert passes.finish_cpu(a, np.float32(1), a, np.float32(0), out)
    assert (out * 32768).tolist() == np.resize([0, 2, 2, 0, -2, 32767, -32768], 23).tolist()


@pytest.mark.parametrize("at", [0, 15, 16, 22])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_found_wherever_it_stands(at: int, value: float) -> None:
    a = np.zeros(23, np.float32)
    a[at] = value
    assert not passes.finish_cpu(a, np.float32(0.5), a, np.float32(0.5), np.empty(23, np.float32))


def test_clipped_samples_are_those_at_either_end() -> None:
    x = np.array([-1.2, -1, -0.999, 0, 0.9, 1 - 2.0**-15, 1], np.float32)
    assert passes.clipped_cpu(x, np.float32(1 - 2.0**-15)) == 4
