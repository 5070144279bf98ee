"""One array in, one item out: what `generate` makes of that item, without files."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np

from sliceforge.engine import fuse, plan
from sliceforge.engine.banks import Shelf
from sliceforge.engine.codecs import audio
from sliceforge.engine.errors import InputError, SettingError
from sliceforge.engine.groups import group_of
from sliceforge.engine.keys import Keys
from sliceforge.engine.op import Shapes
from sliceforge.engine.read import resample
from sliceforge.engine.recipe import Recipe

EXAMPLE = 'recipe(x, rate=16000, id="a", seed=7)'


def make(
    recipe: Recipe,
    x: np.ndarray,
    rate: int | None,
    item: str,
    seed: int,
    variant: int,
    attempt: int,
    banks: Mapping[str, str] | Shelf | None,
    group: str = "",
) -> np.ndarray:
    """See `Recipe.__call__`."""
    parent, own = _image(x) if recipe.kind == "image" else _audio(recipe, x, rate)
    shelf = banks if isinstance(banks, Shelf) else _shelf(recipe.kind, tuple(sorted((banks or {}).items())))
    plan.check_inventory(recipe, shelf.paths, own=True)
    sizes = (0, 0, *parent.shape[:2]) if recipe.kind == "image" else (len(parent), own, 0, 0)
    length, hertz, height, width = (np.array([size], np.int64) for size in sizes)
    whose = np.array([group or group_of({}, item)], object)
    shapes = Shapes(length, hertz, height, width, shelf.inventories(), whose)
    columns = plan.nulled(recipe, recipe.draw(Keys.of(seed, [item], variant, attempt), shapes))
    row = {name: column[0].as_py() for name, column in columns.items()}
    made = fuse.only(fuse.make(recipe, [fuse.Task(parent, own, row)], shelf))
    if recipe.kind == "audio":
        return made.item
    return made.item[:, :, 0] if x.ndim == 2 else made.item


def _audio(recipe: Recipe, x: np.ndarray, rate: int | None) -> tuple[np.ndarray, int]:
    if not isinstance(x, np.ndarray) or x.ndim != 1 or x.dtype not in (np.float32, np.float64):
        given = f"{x.dtype} {x.shape}" if isinstance(x, np.ndarray) else type(x).__name__
        raise SettingError(f"x: {given}: expected a clip (T,) float32 with full scale ±1, such as {EXAMPLE}")
    if isinstance(rate, bool) or not isinstance(rate, int) or rate < 1:
        raise SettingError(f"rate: {rate!r}: expected hertz, such as {EXAMPLE}")
    if not len(x):
        raise InputError("empty", "0 samples")
    clip = np.ascontiguousarray(x, np.float32)
    if not np.isfinite(clip).all():
        raise InputError("non_finite", "a value is not finite")
    audio.check_level(clip)
    return resample(clip, rate, recipe.rate or rate), recipe.rate or rate


def _image(x: np.ndarray) -> tuple[np.ndarray, int]:
    shaped = isinstance(x, np.ndarray) and (x.ndim == 2 or (x.ndim == 3 and x.shape[2] in (1, 3, 4)))
    if not shaped or x.dtype not in (np.uint8, np.uint16):
        given = f"{x.dtype} {x.shape}" if isinstance(x, np.ndarray) else type(x).__name__
        raise SettingError(f"x: {given}: expected an image (H, W) or (H, W, 1, 3 or 4), uint8 or uint16")
    if not x.size:
        raise InputError("empty", "0 pixels")
    return np.ascontiguousarray(x if x.ndim == 3 else x[:, :, None]), 0


@lru_cache(maxsize=4)
def _shelf(kind: str, paths: tuple[tuple[str, Any], ...]) -> Shelf:
    return Shelf.open({name: str(path) for name, path in paths}, kind)
