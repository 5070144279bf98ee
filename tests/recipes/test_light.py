"""Light, lens and geometry: what each of the three recipes does to a picture of dots, which the other two fail."""

from functools import cache
from typing import Any

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from sliceforge.engine import fuse
from sliceforge.engine.compose import load_recipe
from sliceforge.engine.gates import Made
from sliceforge.engine.keys import Keys
from sliceforge.engine.op import Shapes

DRAWS, SIDE, EACH = 12, 160, 20
RECIPES = ("geometric", "photometric", "steel/line_scan")


def dots() -> np.ndarray:
    """(H, W, 1) uint8: bright round dots on a grid, on grey."""
    points = np.zeros((SIDE, SIDE))
    points[EACH // 2 :: EACH, EACH // 2 :: EACH] = 1
    shape = gaussian_filter(points, 2)
    return np.rint(90 + 90 * shape / shape.max()).astype(np.uint8)[..., None]


@cache
def made(name: str) -> list[np.ndarray]:
    """The dots as a recipe makes them, with no camera noise and no JPEG, (H, W) float64."""
    steps = [f"steps.{step}.p=0" for step in ("grain", "jpeg") if step in load_recipe(name).source["steps"]]
    recipe = load_recipe(name, *steps)
    none, sides = np.zeros(DRAWS, np.int64), np.full(DRAWS, SIDE)
    columns = recipe.draw(Keys.of(3, [str(i) for i in range(DRAWS)]), Shapes(none, none, sides, sides))
    rows = [{column: value[i] for column, value in columns.items()} for i in range(DRAWS)]
    done = fuse.make(recipe, [fuse.Task(dots(), 0, row) for row in rows])
    return [one.item[..., 0].astype(np.float64) for one in done if isinstance(one, Made)]


def places(image: np.ndarray) -> np.ndarray:
    """How far each dot's centre of mass lies from where it was, (N, 2): down and right, in pixels."""
    cells = image.reshape(SIDE // EACH, EACH, SIDE // EACH, EACH).swapaxes(1, 2).reshape(-1, EACH, EACH)
    weight = cells - np.quantile(cells, 0.5, axis=(1, 2), keepdims=True)
    weight = np.clip(weight, 0.1 * weight.max(axis=(1, 2), keepdims=True), None) ** 2
    at = np.arange(EACH) - EACH / 2
    total = weight.sum(axis=(1, 2))
    return np.stack([(weight.sum(axis=2) @ at) / total, (weight.sum(axis=1) @ at) / total], axis=1)


def widths(image: np.ndarray) -> tuple[float, float]:
    """Median widths of the dots, down and across, in pixels (standard deviations)."""
    cells = image.reshape(SIDE // EACH, EACH, SIDE // EACH, EACH).swapaxes(1, 2).reshape(-1, EACH, EACH)
    weight = np.clip(cells - np.quantile(cells, 0.5, axis=(1, 2), keepdims=True), 0, None)
    at, total = np.arange(EACH) - EACH / 2, weight.sum(axis=(1, 2))
    found = []
    for profile in (weight.sum(axis=2), weight.sum(axis=1)):
        middle = (profile @ at) / total
        found.append(float(np.median(np.sqrt((profile @ at**2) / total - middle**2))))
    return found[0], found[1]


def moves(image: np.ndarray) -> bool:
    """Dots are elsewhere."""
    return bool(np.abs(places(image)).max() > 1)


def relights(image: np.ndarray) -> bool:
    """Every dot is where it was, and as wide along the feed as across it."""
    down, across = widths(image)
    return not moves(image) and abs(down - across) < 0.03


def feeds(image: np.ndarray) -> bool:
    """Every dot is where it was, but wider along the feed, which moved while the shutter was open."""
    down, across = widths(image)
    return not moves(image) and down - across > 0.03


MARKS: dict[str, Any] = {"geometric": moves, "photometric": relights, "steel/line_scan": feeds}


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_has_its_mark_and_no_sibling_has_it(name: str) -> None:
    share = {other: np.mean([MARKS[name](image) for image in made(other)]) for other in RECIPES}
    assert share.pop(name) >= 0.7, share
    assert max(share.values()) <= 0.2, share
