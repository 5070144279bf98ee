"""The arms of the experiments with steel: what is made of the same images, as many items in each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from scipy.ndimage import affine_transform

from benchmarks.loop.steel import Strips
from sliceforge.engine import load
from sliceforge.engine.loop.generate.ranges import OF
from sliceforge.engine.loop.rows.attributes import known, of_item
from sliceforge.engine.loop.rows.slices import Range
from sliceforge.kernels.seen import Seen

MOMENTS = ("brightness", "contrast", "gradient", "vignette", "noise")


def recipe_made(name: str, overrides: Sequence[str], pixels: np.ndarray, ids: Sequence[str], seed: int) -> np.ndarray:
    """(N, H, W) uint8 by the engine, one call for each; an id that comes again is another variant of it."""
    recipe, variant, out = load(name, *overrides), dict[str, int](), []
    for image, item in zip(pixels, ids, strict=True):
        variant[item] = variant.get(item, 0) + 1
        out.append(recipe(image, id=str(item), seed=seed, variant=variant[item]))
    return np.stack(out)


def generic(pixels: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """What everybody does to pictures: mirrored, turned up to 10°, scaled and moved by up to 10 %, light ±20 %, noise.

    Args:
        pixels: (N, H, W) uint8.
        generator: of the draws.
    """
    out, side = [], pixels.shape[1]
    for image in pixels:
        angle, scale = np.deg2rad(generator.uniform(-10, 10)), generator.uniform(0.9, 1.1)
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) / scale
        turn = turn @ np.diag(generator.choice([-1.0, 1.0], 2))
        middle = np.full(2, (side - 1) / 2)
        shift = middle - turn @ middle + generator.uniform(-0.1, 0.1, 2) * side
        moved = affine_transform(image.astype(np.float64), turn, shift, order=1, mode="mirror")
        light = (moved - moved.mean()) * generator.uniform(0.8, 1.2) + moved.mean() * generator.uniform(0.8, 1.2)
        light += generator.uniform(0, 4) * generator.standard_normal(light.shape)
        out.append(np.clip(np.rint(light), 0, 255).astype(np.uint8))
    return np.stack(out)


def spreads(pixels: np.ndarray, names: Sequence[str] = MOMENTS) -> dict[str, Range]:
    """Attribute → where 5, 50 and 95 % of the images lie."""
    assert set(names) <= set(known("image"))
    rows = [of_item("image", Seen(image[:, :, None]), names) for image in pixels]
    found = {}
    for name, column in zip(names, zip(*rows, strict=True), strict=True):
        low, median, high = np.quantile([value for value in column if value is not None], [0.05, 0.5, 0.95])
        found[name] = Range(float(low), float(median), float(high))
    return found


def matching(weak: Mapping[str, Range], training: Mapping[str, Range]) -> list[str]:
    """Overrides of `steel/line_scan` by which its items have the moments of a slice: the loop's own ranges."""
    overrides = []
    for step in ("photometric", "illumination", "grain"):
        for setting, (low, high) in OF[f"image/{step}"](weak, training).items():
            ends = f"[{low:.4g}, {high:.4g}]" if high > low else f"{low:.4g}"
            overrides.append(f"steps.{step}.{setting}={ends}")
    return overrides


def rows_of(pool: Strips, count: int) -> np.ndarray:
    """(count,) rows of the parents: every image once, then every image again."""
    return np.arange(count) % len(pool)
