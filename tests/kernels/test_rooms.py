"""A batch of rooms in torch is the rooms one by one."""

import numpy as np
import pytest
import torch

from sliceforge.kernels import rooms, shoebox

COUNT = 5


@pytest.mark.parametrize(
    ("small", "large", "t60"), [((3, 2.4, 3), (8, 4, 9), (0.2, 0.5)), ((1.2, 1.1, 2), (1.6, 1.3, 3), (0.02, 0.1))]
)
def test_a_batch_is_its_rooms_one_by_one(
    small: tuple[float, ...], large: tuple[float, ...], t60: tuple[float, float]
) -> None:
    generator, rate = np.random.default_rng(1), 8000
    sizes, times = generator.uniform(small, large, (COUNT, 3)), generator.uniform(*t60, COUNT)
    times[0] = t60[0]
    mouths, ears = sizes * generator.uniform(0.2, 0.45, (COUNT, 3)), sizes * generator.uniform(0.55, 0.8, (COUNT, 3))
    keys = [(float(i), 2.0, 3.0) for i in range(COUNT)]
    plain = [
        shoebox.response(*room, rate, key) for *room, key in zip(sizes, mouths, ears, times.tolist(), keys, strict=True)
    ]
    tensors = [torch.from_numpy(one) for one in (sizes, mouths, ears, times)]
    noise = rooms.tails(keys, max(map(len, plain)), "cpu")
    together = rooms.responses(*tensors, rate, noise).numpy()
    for row, one in zip(together, plain, strict=True):
        assert np.abs(row[: len(one)] - one).max() < 1e-9
        assert not row[len(one) :].any()
