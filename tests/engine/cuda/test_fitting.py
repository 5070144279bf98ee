"""What a batch on a device does with torch alone, on the CPU: fitting, boxes, joining; against the host's own."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch

from sliceforge.engine import fit, picture
from sliceforge.engine.cuda import fitting
from sliceforge.engine.cuda.download import download
from sliceforge.engine.cuda.joined import joined, place

SIZES = [(1, 1), (7, 5), (64, 64), (63, 100), (30, 141)]


@pytest.fixture(autouse=True)
def poisoned() -> Iterator[None]:
    """New memory holds no numbers, so that what nobody wrote shows."""
    torch.use_deterministic_algorithms(True)
    torch.utils.deterministic.fill_uninitialized_memory = True
    yield
    torch.use_deterministic_algorithms(False)


def noise(height: int, width: int, channels: int, kind: Any, seed: int) -> np.ndarray:
    generator = np.random.default_rng(seed)
    return generator.integers(0, np.iinfo(kind).max, (height, width, channels), kind, endpoint=True)


def planes(images: list[np.ndarray]) -> torch.Tensor:
    there = torch.from_numpy(np.stack(images).transpose(0, 3, 1, 2).copy())
    return there.view(torch.int16) if there.dtype == torch.uint16 else there


@pytest.mark.parametrize("way", fit.WAYS)
@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("own", SIZES)
def test_images_fit_as_on_the_host(own: tuple[int, int], size: tuple[int, int], kind: Any, way: str) -> None:
    images = [noise(*own, 3, kind, seed) for seed in range(3)]
    made = fitting.fitted(planes(images), *size, way)
    found = (made.view(torch.uint16) if kind == np.uint16 else made).numpy()
    wanted = np.stack([fit.fitted(one, *size, way).transpose(2, 0, 1) for one in images])
    assert found.dtype == wanted.dtype
    assert (found == wanted).all()


@pytest.mark.parametrize("way", fit.WAYS)
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("own", SIZES)
def test_masks_fit_as_on_the_host(own: tuple[int, int], size: tuple[int, int], way: str) -> None:
    masks = np.random.default_rng(1).random((4, *own)) < 0.4
    found = fitting.fitted(torch.from_numpy(masks), *size, way)
    assert found.dtype == torch.bool
    assert (found.numpy() == np.stack([fit.fitted(one, *size, way) for one in masks])).all()


def test_many_images_are_scaled_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    images = planes([noise(9, 7, 1, np.uint8, seed) for seed in range(5)])
    whole = fitting.fitted(images, 20, 30, "crop")
    monkeypatch.setattr(fitting, "MOST_BYTES", 600)
    assert torch.equal(whole, fitting.fitted(images, 20, 30, "crop"))


def test_boxes_are_tight_and_of_nothing_they_are_nothing() -> None:
    generator = np.random.default_rng(2)
    masks = generator.random((6, 4, 11, 17)) < generator.choice([0, 0.01, 0.1], (6, 4, 1, 1))
    for kind in (bool, np.uint8):
        found = fitting.boxes(torch.from_numpy(masks.astype(kind)))
        assert found.dtype == torch.int32
        wanted = [picture.tight_box(mask) or (0, 0, 0, 0) for mask in masks.reshape(-1, 11, 17)]
        assert found.view(-1, 4).tolist() == [list(box) for box in wanted]
    assert (masks.any((2, 3)) == (found[..., 2] > 0).numpy()).all()


def test_what_comes_down_is_what_was_up() -> None:
    up = [torch.randn(3), torch.arange(15, dtype=torch.uint8).view(3, 5)[:, :3], torch.tensor([[-7]]).to(torch.int32)]
    up += [torch.randn(4, 2)[:, 1], torch.randn(1, 2)[:, 1], torch.zeros(0)]
    down = download(up)
    assert len(down) == len(up)
    for there, here in zip(up, down, strict=True):
        assert torch.equal(there, torch.from_numpy(here.copy()))
    assert download([]) == []


def test_parts_are_joined_in_the_order_of_the_batch_and_later_ones_take_the_place_of_earlier() -> None:
    first, second = torch.arange(6).view(3, 2), torch.tensor([[90, 91]])
    found = joined([[3, 0, 1], [2]], [first, second], 4)
    assert isinstance(found, torch.Tensor)
    assert found.tolist() == [[2, 3], [4, 5], [90, 91], [0, 1]]
    again = joined([[2, 0, 1], [0]], [first, second], 3)
    assert isinstance(again, torch.Tensor)
    assert again.tolist() == [[90, 91], [4, 5], [0, 1]]
    apart = joined([[1, 2, 3], [0]], [first, torch.tensor([[1, 2, 3]])], 4)
    assert isinstance(apart, list)
    assert [one.tolist() for one in apart] == [[1, 2, 3], [0, 1], [2, 3], [4, 5]]


def test_clips_of_other_lengths_are_cut_or_leave_zeros() -> None:
    out = torch.zeros(3, 4)
    place(out, [[2], [0, 1]], [torch.ones(1, 2), torch.full((2, 7), 2.0)])
    assert out.tolist() == [[2] * 4, [2] * 4, [1, 1, 0, 0]]
