"""The arms of the experiments with steel: what is made of the same images, as many items in each."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from scipy.ndimage import affine_transform

from benchmarks.loop.steel import Strips
from sliceforge.engine import load
from sliceforge.engine.loop.diagnose.spreads import spread
from sliceforge.engine.loop.generate.matched import matched
from sliceforge.engine.loop.rows.attributes import known, of_item
from sliceforge.engine.loop.rows.known import Known, values
from sliceforge.engine.loop.rows.slices import WeakSlice
from sliceforge.kernels.seen import Seen


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


def measured(pixels: np.ndarray) -> pa.Table:
    """Every attribute of N images, a column each."""
    names = list(known("image"))
    rows = [of_item("image", Seen(image[:, :, None]), names) for image in pixels]
    columns = zip(names, zip(*rows, strict=True), strict=True)
    return pa.table({name: pa.array(column, pa.float64()) for name, column in columns})


def matching(weak: np.ndarray, pool: Strips, where: str = "") -> tuple[str, ...]:
    """The overrides of `steel/line_scan` that the loop itself takes for a slice.

    Args:
        weak: (N, H, W) uint8, images of the slice.
        pool: the training images.
        where: the slice; images darker than training's darkest twentieth, unless given.
    """
    rows, train = measured(weak), Known(measured(pool.pixels), known("image"), kind="image")
    lies = {name: spread(values(rows[name])) for name in rows.column_names if rows[name].null_count < len(rows)}
    every = np.ones(len(train.table), bool)
    where = where or f"brightness < {spread(train.numbers('brightness', every)).low:.4g}"
    return matched(WeakSlice("weak", where, attributes=lies), "steel/line_scan", train).overrides


def rows_of(pool: Strips, count: int) -> np.ndarray:
    """(count,) rows of the parents: every image once, then every image again."""
    return np.arange(count) % len(pool)
