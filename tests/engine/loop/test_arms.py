"""What is tried for a slice: nothing, the same items again, recipes that fit, named ones as they come, generic ones."""

from dataclasses import replace
from importlib.resources import files

import numpy as np
import pyarrow as pa
import pytest

from sliceforge.engine.loop.arms import GENERIC, PLAIN, arms
from sliceforge.engine.loop.asked import Asked
from sliceforge.engine.loop.ground import Ground
from sliceforge.engine.loop.halving import MOST
from sliceforge.engine.loop.rows.known import of_items
from sliceforge.engine.loop.rows.slices import Range, WeakSlice

SCARCE = WeakSlice("rare", "label = 'scratches'", cause="scarcity")


@pytest.fixture(scope="module")
def strips(kept: None) -> Ground:
    """Sixteen strips, six of which are said to be of a class."""
    own = of_items(str(files("sliceforge.material") / "strips" / "manifest.csv"))
    label = pa.array(["scratches"] * 6 + ["plain"] * (len(own.table) - 6))
    own = replace(own, table=own.table.set_column(own.table.column_names.index("label"), "label", label))
    return Ground(own, own, np.full(len(own.table), "tune"), None, 0)


def tried(slice_: WeakSlice, ground: Ground, *recipes: str, budget: int = 1000) -> dict:
    asked = Asked("x", "a", "b", "c", budget, recipes)
    return arms(slice_, asked, ground, np.ones(len(ground.train.table), bool))


def test_nothing_and_oversampling_come_first_and_generic_ones_of_the_kind_last(strips: Ground) -> None:
    found = tried(SCARCE, strips, "steel/scratches")
    assert list(found) == ["nothing", "oversample", "procedural steel/scratches", *GENERIC["image"]]
    for name, order in found.items():
        if name not in ("nothing", "procedural steel/scratches"):
            assert order.parents == SCARCE.where


def test_what_an_arm_adds_is_within_the_budget_and_four_for_each_parent(strips: Ground) -> None:
    for budget in (5, 10_000):
        found = tried(SCARCE, strips, "steel/line_scan", budget=budget)
        assert {order.items for name, order in found.items() if name != "nothing"} == {min(budget, 4 * 6)}


def test_a_named_recipe_is_tried_as_it_comes_where_nothing_says_that_it_fits(strips: Ground) -> None:
    found = tried(SCARCE, strips, "steel/line_scan", "geometric", "steel/inclusion", "speech/general")
    assert f"steel/line_scan {PLAIN}" in found
    assert not any("inclusion" in name or "speech" in name or name.startswith("geometric") for name in found)
    dark = WeakSlice("dark", "brightness < 60", attributes={"brightness": Range(20, 40, 60)})
    assert {"matched steel/line_scan", f"steel/line_scan {PLAIN}"} <= set(tried(dark, strips, "steel/line_scan"))


def test_there_are_never_more_than_a_trial_takes(strips: Ground) -> None:
    names = [f"steel/{one}" for one in ("scratches", "line_scan", "patches", "inclusion", "pitted")]
    dark = WeakSlice("dark", "brightness < 60 AND label = 'scratches'", attributes={"brightness": Range(20, 40, 60)})
    assert len(tried(dark, strips, *names, "photometric")) <= MOST
