"""Sections in closed form against scipy's design and filter."""

import numpy as np
import pytest
from scipy.signal import butter, sosfilt

from sliceforge.kernels.butterworth import filter_cpu, respond_cpu, sections


@pytest.mark.parametrize("order", [1, 2, 3, 4, 7, 12])
@pytest.mark.parametrize(("edge", "high", "rate"), [(60, True, 8000), (300, True, 44100), (3400, False, 8000)])
def test_the_response_is_that_of_scipys_filter(order: int, edge: float, high: bool, rate: int) -> None:
    wave = np.full(600, np.nan)
    respond_cpu(sections(edge, order, high, rate), wave)
    one = np.eye(1, 600)[0]
    expected = sosfilt(butter(order, edge, "highpass" if high else "lowpass", fs=rate, output="sos"), one)
    assert np.abs(wave - expected).max() < 1e-9
    rows = np.stack([one, -2 * one])
    filter_cpu(sections(edge, order, high, rate), rows)
    assert np.abs(rows - np.outer([1, -2], expected)).max() < 1e-9
