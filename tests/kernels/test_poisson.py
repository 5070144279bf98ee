"""Poisson blending: what a direct solve of the same system finds, what OpenCV makes, and no seam."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from scipy import ndimage, sparse
from scipy.sparse.linalg import spsolve

from sliceforge.kernels import poisson
from sliceforge.kernels.held import blend_within

GREY = 1 / 255


def smooth(height: int, width: int, seed: int, channels: int = 3, sigma: float = 3.0) -> np.ndarray:
    field = np.random.default_rng(seed).normal(size=(height, width, channels))
    field = ndimage.gaussian_filter(field, (sigma, sigma, 0))
    return (0.5 + 0.06 * field / field.std()).clip(0.1, 0.9).astype(np.float32)


def direct(under: np.ndarray, over: np.ndarray, inside: np.ndarray, mixed: bool) -> np.ndarray:
    """The same system, written pixel by pixel and solved by elimination in float64."""
    height, width, channels = under.shape
    under, over = under.astype(np.float64), over.astype(np.float64)
    rows: list[tuple[int, int, float]] = []
    right = np.zeros((height * width, channels))
    for i in range(height):
        for j in range(width):
            p = i * width + j
            if i in (0, height - 1) or j in (0, width - 1):
                rows.append((p, p, 1))
                right[p] = under[i, j]
                continue
            for k, m in ((i - 1, j), (i + 1, j), (i, j - 1), (i, j + 1)):
                rows += [(p, p, 1), (p, k * width + m, -1)]
                old, new = under[i, j] - under[k, m], over[i, j] - over[k, m]
                taken = inside[min(i, k), min(j, m)] and not (mixed and (new**2).sum() <= (old**2).sum())
                right[p] += new if taken else old
    return solved(rows, right).reshape(under.shape)


def solved(entries: list[tuple[int, int, float]], right: np.ndarray) -> np.ndarray:
    """Of a sparse matrix's entries (row, column, value), added up, and right sides (N, C), by elimination."""
    at = np.array(entries)
    matrix = sparse.coo_matrix((at[:, 2], at[:, :2].astype(int).T)).tocsc()
    return np.stack([spsolve(matrix, one) for one in right.T], axis=1)


def shapes() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    generator = np.random.default_rng(4)
    under, over = generator.random((2, 21, 34, 3), np.float32)
    inside = ndimage.gaussian_filter(generator.normal(size=(21, 34)), 2.5) > 0
    return under, over, inside


@pytest.mark.parametrize("mixed", [False, True])
def test_it_is_the_direct_solution_by_any_way(mixed: bool) -> None:
    under, over, inside = shapes()
    wanted = direct(under, over, inside, mixed)
    assert np.abs(poisson.blend(under, over, inside, mixed) - wanted).max() < 0.01 * GREY
    some = [torch.from_numpy(one)[None] for one in (under, over, inside)]
    assert np.abs(poisson.blend_torch(*some, mixed)[0].numpy() - wanted).max() < 0.01 * GREY
    assert np.abs(wanted - under).max() > 50 * GREY


@pytest.mark.parametrize("mixed", [False, True])
def test_within_a_mask_it_is_the_direct_solution_and_nothing_changes_outside(mixed: bool) -> None:
    under, over, inside = shapes()
    inside[:3], inside[0, 5:20] = False, True  # some of it at the picture's edge
    height, width, channels = under.shape
    rows, right = [], np.zeros((height * width, channels))
    for i, j in np.ndindex(height, width):
        p = i * width + j
        if not inside[i, j]:
            rows.append((p, p, 1.0))
            right[p] = under[i, j]
            continue
        for k, m in ((i - 1, j), (i + 1, j), (i, j - 1), (i, j + 1)):
            if 0 <= k < height and 0 <= m < width:
                rows += [(p, p, 1.0), (p, k * width + m, -1.0)]
                old, new = (picture[i, j].astype(np.float64) - picture[k, m] for picture in (under, over))
                right[p] += old if mixed and (new**2).sum() <= (old**2).sum() else new
    wanted = solved(rows, right).reshape(under.shape)
    found = blend_within(under, over, inside, mixed)
    assert np.abs(found - wanted).max() < 0.01 * GREY
    assert (found[~inside] == under[~inside]).all()


def test_a_large_bump_comes_back_whole() -> None:
    down, right = np.linspace(0, np.pi, 700), np.linspace(0, np.pi, 411)
    bump = 0.4 * np.outer(np.sin(down) ** 2, np.sin(right)).astype(np.float32)[..., None]
    under = smooth(700, 411, 1, channels=1)
    inside = np.ones(bump.shape[:2], bool)
    blended = poisson.blend(under, under + bump, inside)
    # Only float32 stands between; the sines' sums are of 700 numbers.
    assert np.abs(blended - under - bump).max() < 0.05 * GREY


def test_a_level_of_its_own_is_lost_and_texture_stays() -> None:
    under, inside = smooth(40, 50, 2), np.zeros((40, 50), bool)
    inside[10:30, 10:40] = True
    assert np.abs(poisson.blend(under, under + np.float32(0.3), inside) - under).max() < 0.01 * GREY
    plain = np.full_like(under, 0.7)
    assert np.abs(poisson.blend(under, plain, inside, mixed=True) - under).max() < 0.01 * GREY
    assert np.abs(poisson.blend(under, plain, inside) - under).max() > 5 * GREY


def test_a_bar_that_the_picture_cuts_goes_on_to_its_end() -> None:
    under = np.full((40, 60, 1), 0.5, np.float32)
    over, inside = under.copy(), np.zeros((40, 60), bool)
    over[:20, 28:32], inside[:24, 24:36] = 0.2, True
    held = poisson.blend(under, over, inside)
    free = poisson.blend(under, over, inside, cut=(True, False, False, False))
    assert held[0, 30, 0] == 0.5
    assert free[0, 30, 0] == pytest.approx(0.2, abs=0.05)
    assert np.abs(free[-1] - under[-1]).max() == 0


@pytest.mark.parametrize("shape", ["rectangle", "disc"])
def test_it_is_what_opencv_makes(shape: str) -> None:
    under, over = (
        np.rint(255 * smooth(*size, seed)).astype(np.uint8) for size, seed in (((100, 120), 5), ((48, 64), 6))
    )
    mask = np.full((48, 64), 255, np.uint8)
    if shape == "disc":
        down, right = np.mgrid[:48, :64]
        mask[(down - 24) ** 2 + (right - 32) ** 2 > 20**2] = 0
    # OpenCV writes into a mask of one channel.
    theirs = cv2.seamlessClone(over, under, np.dstack([mask] * 3), (60, 50), cv2.NORMAL_CLONE).astype(np.float64)
    # OpenCV leaves out the mask's outermost pixels, centres the rectangle around the rest, and takes gradients of the
    # source three pixels further inside only.
    mask[[0, -1]] = mask[:, [0, -1]] = 0
    y, x = (np.flatnonzero(mask.any(axis)) for axis in (1, 0))
    part = slice(y[0], y[-1] + 1), slice(x[0], x[-1] + 1)
    height, width = mask[part].shape
    at = slice(50 - height // 2, 50 - height // 2 + height), slice(60 - width // 2, 60 - width // 2 + width)
    inside = ndimage.binary_erosion(mask > 0, np.ones((3, 3)), 3)[part]
    ours = 255 * poisson.blend(np.float32(under[at] / 255), np.float32(over[part] / 255), inside)
    # It cuts off what is behind the point where others round.
    assert np.abs(ours - theirs[at]).max() <= 1.1
    assert np.abs(theirs - under).max() > 5


@pytest.mark.parametrize("mixed", [False, True])
def test_a_batch_is_its_items_on_any_number_of_threads(mixed: bool) -> None:
    some = [np.stack([smooth(33, 64, seed + n) for n in range(5)]) for seed in (0, 10)]
    inside = np.stack([smooth(33, 64, 20 + n)[..., 0] > 0.5 for n in range(5)])
    parts = [*some, inside]
    alone = np.stack([poisson.blend(*(part[i] for part in parts), mixed) for i in range(5)])

    def batch(rows: slice) -> Any:
        return poisson.blend_batch(*(torch.from_numpy(part[rows]) for part in parts), mixed).numpy()

    assert np.array_equal(batch(slice(None)), alone)
    with ThreadPoolExecutor(2) as threads:
        halves = list(threads.map(batch, [slice(0, 3), slice(3, 5)]))
    assert np.array_equal(np.concatenate(halves), alone)


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (2, 9), (9, 2)])
def test_what_has_no_inside_stays(size: tuple[int, int]) -> None:
    under, over = np.random.default_rng(0).random((2, *size, 3), np.float32)
    inside = np.ones(size, bool)
    assert np.array_equal(poisson.blend(under, over, inside), under)
    some = [torch.from_numpy(one)[None] for one in (under, over, inside)]
    assert torch.equal(poisson.blend_torch(*some), some[0])
    assert torch.equal(poisson.blend_batch(*some), some[0])
