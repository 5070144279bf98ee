"""Run lengths and polygons against COCO's own library."""

import numpy as np
import pytest
from pycocotools import mask as coco
from scipy.ndimage import gaussian_filter

from sliceforge.engine.codecs import polygon, rle
from sliceforge.engine.errors import InputError


def masks(count: int = 60) -> list[np.ndarray]:
    """Blobs and grain of many sizes, whole and empty ones among them."""
    generator = np.random.default_rng(0)
    found = [np.zeros((1, 1), bool), np.ones((1, 7), bool), np.ones((7, 1), bool), np.zeros((63, 100), bool)]
    for _ in range(count):
        noise = generator.normal(size=generator.integers(1, 80, 2))
        found.append(gaussian_filter(noise, generator.uniform(0, 3)) > generator.normal() * 0.3)
    return found


@pytest.mark.parametrize("mask", masks(), ids=lambda mask: "x".join(map(str, mask.shape)))
def test_text_is_that_of_coco_and_gives_the_mask_back(mask: np.ndarray) -> None:
    said = rle.text(rle.counts(mask))
    assert said == coco.encode(np.asfortranarray(mask.astype(np.uint8)))["counts"].decode()
    assert np.array_equal(rle.mask(rle.parsed(said), *mask.shape), mask)
    assert np.array_equal(rle.mask(rle.parsed(rle.counts(mask).tolist()), *mask.shape), mask)


# pycocotools makes arrays in a way that numpy 2 deprecates.
@pytest.mark.filterwarnings("ignore:__array__:DeprecationWarning")
def test_outlines_give_every_mask_without_a_hole_back_here_and_in_coco() -> None:
    traced = 0
    for mask in masks(200):
        outlines = polygon.trace(mask)
        if outlines is None:
            continue
        traced += 1
        assert np.array_equal(polygon.fill(outlines, *mask.shape), mask)
        if outlines:
            theirs = coco.decode(coco.merge(coco.frPyObjects(outlines, *mask.shape)))
            assert np.array_equal(theirs.astype(bool), mask)
    assert traced > 50
    ring = np.ones((3, 3), bool)
    ring[1, 1] = False
    assert polygon.trace(ring) is None


# pycocotools makes arrays in a way that numpy 2 deprecates.
@pytest.mark.filterwarnings("ignore:__array__:DeprecationWarning")
def test_any_polygon_covers_what_it_covers_in_coco_but_for_its_rim() -> None:
    generator = np.random.default_rng(1)
    for _ in range(40):
        corners = generator.uniform(-10, 90, 2 * generator.integers(3, 9)).tolist()
        ours = polygon.fill([corners], 70, 80)
        theirs = coco.decode(coco.merge(coco.frPyObjects([corners], 70, 80))).astype(bool)
        assert (ours != theirs).sum() <= 4 + 0.1 * 80 * len(corners) / 2


@pytest.mark.parametrize("text", ["", "0", "ü", "P" * 20, "1001", "o" * 9, "~~~~", "00000X"])
def test_text_that_is_no_mask_of_the_size_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="unreadable"):
        rle.mask(rle.parsed(text), 7, 9)


@pytest.mark.parametrize("counts", [[], [63, 1], [-1, 64], [1e300, 2], [[1]], ["a"], {"a": 1}, [None], [float("nan")]])
def test_counts_that_are_no_mask_of_the_size_are_refused(counts: list) -> None:
    with pytest.raises(InputError, match="unreadable"):
        rle.mask(rle.parsed(counts), 7, 9)


@pytest.mark.parametrize(
    "corners", [[], [1, 2], [1, 2, 3, 4], [0, 0, 1, 1, 2], ["a"] * 6, [0, 0, 1, 1, float("inf"), 2]]
)
def test_what_is_no_polygon_is_refused(corners: list) -> None:
    with pytest.raises(InputError, match="polygon"):
        polygon.fill([corners], 7, 9)
