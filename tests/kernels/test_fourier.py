"""Sixteen transforms beside each other against numpy's, there and back."""

import numpy as np
import pytest

from sliceforge.kernels import fourier


def sixteen(n: int) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(n)
    flat = generator.normal(0, 1, n * fourier.ROW).astype(np.float32)
    rows = flat.reshape(n, 2, 16).astype(np.float64)
    return flat, rows[:, 0] + 1j * rows[:, 1]


@pytest.mark.parametrize("n", [4, 16, 64, 256, 1024, 4096])
def test_forward_is_the_transform_in_its_own_order(n: int) -> None:
    flat, z = sixteen(n)
    fourier.forward_cpu(flat, n, fourier.twiddles(n))
    made = flat.reshape(n, 2, 16)
    expected = np.fft.fft(z, axis=0)[fourier.order(n)]
    # Float32 errs by some 10⁻⁷ of the root mean square for each doubling of the size.
    assert np.abs(made[:, 0] + 1j * made[:, 1] - expected).max() < 3e-6 * np.sqrt(n)


@pytest.mark.parametrize("n", [4, 256, 1024, 4096])
def test_backward_undoes_it(n: int) -> None:
    flat, _ = sixteen(n)
    before = flat.copy()
    fourier.forward_cpu(flat, n, fourier.twiddles(n))
    fourier.backward_cpu(flat, n, fourier.twiddles(n))
    assert np.abs(flat / n - before).max() < 3e-6


def test_the_order_is_its_own_inverse() -> None:
    order = fourier.order(1024)
    assert (order[order] == np.arange(1024)).all()
