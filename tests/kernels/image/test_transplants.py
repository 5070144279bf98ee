"""What each way of putting a thing into a picture has alone: each recipe has its own mark, and no sibling has it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow as pa
import pytest
from scipy import ndimage

from sliceforge.engine import plan, stepwise
from sliceforge.engine.compose import load_recipe
from sliceforge.engine.donors import Donor
from sliceforge.engine.gates import Made
from sliceforge.engine.keys import Keys
from sliceforge.engine.op import Inventory, Shapes
from sliceforge.engine.picture import tight_box

COUNT, SIDE = 15, 160
NAMES = ("surface/paste", "nsa", "cutpaste", "scar", "perlin")


def texture(seed: int) -> np.ndarray:
    """(160, 160, 1) uint8: soft grain that looks nowhere the same."""
    field = ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=(SIDE, SIDE)), 3)
    return np.rint(128 + 22 * field / field.std()).clip(20, 235).astype(np.uint8)[..., None]


def donor() -> Donor:
    """A cross, finely striped, on a level that is not its place's."""
    down, right = np.mgrid[:60, :60] - 30
    mask = (np.minimum(abs(down), abs(right)) < 5) & (np.maximum(abs(down), abs(right)) < 22)
    image = np.where(mask, 0.45 + 0.12 * np.sin(right * 1.7 + down * 0.6), 0.6).astype(np.float32)[..., None]
    return Donor(image, mask, mask, np.full_like(image, 0.6), "cross")


class Shelf:
    """One donor."""

    def donor(self, bank: str, item: str) -> Donor:
        return donor()


@pytest.fixture(scope="module")
def made() -> dict[str, list[Made]]:
    found, none = {}, np.zeros(COUNT, np.int64)
    bank = {"donors": Inventory(["cross"], np.zeros(0), ["cross"], ["mask"])}
    for name in NAMES:
        still = [f"steps.paste.{one}" for one in ("rotate=0", "scale=1", "flip_x=0", "flip_y=0")]
        recipe = load_recipe(name, *(still if "paste" in name.split("/") else []))
        columns = recipe.draw(
            Keys.of(11, [f"i{n}" for n in range(COUNT)]), Shapes(none, none, none + SIDE, none + SIDE, bank)
        )
        rows = pa.table(plan.nulled(recipe, columns)).to_pylist()
        found[name] = [stepwise.make(recipe, texture(n), 0, row, Shelf()) for n, row in enumerate(rows)]
    return found


def mask_of(item: Made) -> np.ndarray:
    return next(iter(item.masks.values()))


def change(item: Made) -> np.ndarray:
    return np.abs(item.item.astype(float) - item.parent)[..., 0]


def fill(item: Made) -> float:
    """Of its upright box."""
    x0, y0, x1, y1 = tight_box(mask_of(item)) or (0, 0, 1, 1)
    return mask_of(item).sum() / ((x1 - x0) * (y1 - y0))


def turned_fill(item: Made) -> float:
    """Of the smallest box around it that may be turned, in pixels from edge to edge."""
    at = np.argwhere(mask_of(item)).astype(np.float32)
    _, (width, height), _ = cv2.minAreaRect(at)
    return mask_of(item).sum() / ((width + 1) * (height + 1))


def rim(item: Made) -> float:
    """Change along the mask's rim, of that in its middle."""
    mask, deep = mask_of(item), ndimage.distance_transform_edt(np.pad(mask_of(item), 1))[1:-1, 1:-1]
    inner = deep >= 0.5 * deep.max()
    return change(item)[mask & (deep <= 1)].mean() / max(change(item)[inner].mean(), 1e-9)


def elsewhere(item: Made) -> float:
    """How well what its box shows is found in the parent, up to light: 1 is exactly."""
    x0, y0, x1, y1 = tight_box(mask_of(item)) or (0, 0, 1, 1)
    patch = item.item[y0:y1, x0:x1]
    return 0.0 if min(patch.shape[:2]) < 3 else cv2.matchTemplate(item.parent, patch, cv2.TM_CCOEFF_NORMED).max()


def of_donor(item: Made) -> float:
    """How well the donor's slopes are found in the picture."""
    pattern = ndimage.laplace(donor().image[..., 0])[26:35, 10:51]
    here = ndimage.laplace(item.item[..., 0].astype(np.float32))
    return float(cv2.matchTemplate(here, pattern, cv2.TM_CCOEFF_NORMED).max())


MARKS: dict[str, Callable[[Made], Any]] = {
    # The donor's gradients are there, and no step is where it ends.
    "surface/paste": lambda item: of_donor(item) > 0.9 and fill(item) < 0.6,
    # A rectangle that nothing shows the rim of.
    "nsa": lambda item: fill(item) > 0.7 and rim(item) < 0.6 and of_donor(item) < 0.9,
    # A rectangle with a rim, and the same pixels stand elsewhere.
    "cutpaste": lambda item: fill(item) > 0.9 and elsewhere(item) > 0.98 and mask_of(item).mean() > 0.015,
    # A small rectangle with a rim, turned.
    "scar": lambda item: turned_fill(item) > 0.75 and rim(item) > 0.6 and mask_of(item).mean() < 0.015,
    # Blobs with a rim, no rectangle.
    "perlin": lambda item: fill(item) < 0.7 and turned_fill(item) < 0.75 and rim(item) > 0.4 and of_donor(item) < 0.9,
}


@pytest.mark.parametrize("name", NAMES)
def test_its_own_items_bear_its_mark_and_no_siblings_do(made: dict[str, list[Made]], name: str) -> None:
    shares = {other: np.mean([bool(MARKS[name](item)) for item in items]) for other, items in made.items()}
    assert shares.pop(name) >= 0.8
    assert max(shares.values()) <= 0.2, shares


@pytest.mark.parametrize("name", ["nsa", "cutpaste", "scar", "perlin"])
def test_the_box_of_the_mask_is_the_tight_box_of_what_changed(made: dict[str, list[Made]], name: str) -> None:
    for item in made[name]:
        changed = (item.item != item.parent).any(axis=2)
        assert not (changed & ~mask_of(item)).any()
        assert tight_box(changed) == tight_box(mask_of(item))


def test_every_built_in_strip_can_take_them() -> None:
    folder = Path(__file__).resolve().parents[3] / "material" / "strips"
    strips = [cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)[..., None] for path in sorted(folder.glob("*.png"))[::3]]
    none = np.zeros(len(strips), np.int64)
    for name in NAMES[1:]:
        recipe = load_recipe(name)
        shapes = Shapes(none, none, none + 200, none + 200)
        rows = pa.table(
            plan.nulled(recipe, recipe.draw(Keys.of(2, [str(n) for n in range(len(strips))]), shapes))
        ).to_pylist()
        for strip, row in zip(strips, rows, strict=True):
            item = stepwise.make(recipe, strip, 0, row)
            assert mask_of(item).any()
            assert (item.item != item.parent).any()
