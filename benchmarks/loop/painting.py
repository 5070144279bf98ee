"""Which recipe paints which class of steel, with the settings that the recipes themselves give for X-SDD."""

from __future__ import annotations

import numpy as np

from benchmarks.loop.pictures import recipe_made
from benchmarks.loop.steel import Strips

_THREE = ("scratch", "second", "third")


def _scratches(*settings: str) -> tuple[str, ...]:
    return tuple(f"steps.{step}.{setting}" for step in _THREE for setting in settings)


RECIPES: dict[str, tuple[str, tuple[str, ...]]] = {
    "surface scratch": ("steel/scratches", _scratches("dark=1", "width=[log,1.2,3]", "length=[0.3,2]")),
    "finishing roll printing": ("steel/scratches", _scratches("rolling=100", "width=[2,6]", "amplitude=[15,40]")),
    "red iron": (
        "steel/patches",
        tuple(
            f"steps.patches.{one}"
            for one in ("dark=1", "octaves=3", "cell=[log,16,40]", "aspect=[2,4]", "rim=[1,1.5]", "contrast=[25,45]")
        ),
    ),
    "slag inclusion": (
        "steel/inclusion",
        ("steps.inclusion.dark=1", "steps.inclusion.aspect=[log,4,10]", "steps.inclusion.contrast=[20,60]"),
    ),
    "oxide scale of temperature system": (
        "steel/rolled_in_scale",
        ("steps.scale.area=[0.05,0.15]", "steps.scale.aspect=[1,2]", "steps.scale.contrast=[12,30]"),
    ),
    "oxide scale of plate system": ("steel/rolled_in_scale", ()),
    "iron sheet ash": ("steel/foreign_particle", ()),
}
"""Class → recipe and settings: from the recipes' own comments and docs/defects.md, none from a row that reports. The
last two have no recipe of their own; theirs are the nearest."""


def painted(name: str, pool: Strips, count: int, seed: int) -> np.ndarray:
    """(count, H, W) uint8: a class painted on training images of other classes, chosen among those of least contrast.

    Args:
        name: the class.
        pool: training images.
        count: items.
        seed: of parents and draws.
    """
    others = np.flatnonzero(pool.label != pool.names.index(name))
    calm = others[np.argsort(pool.pixels[others].std(axis=(1, 2)), kind="stable")[: max(count, len(others) // 2)]]
    rows = np.random.default_rng([9, seed]).choice(calm, count, replace=count > len(calm))
    recipe, overrides = RECIPES[name]
    return recipe_made(recipe, overrides, pool.pixels[rows], list(pool.ids[rows]), seed)
