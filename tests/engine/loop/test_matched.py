"""A recipe made to fit a slice: every condition is held in one place or said not to be, and ranges follow the slice."""

from importlib.resources import files
from typing import Any

import numpy as np
import pytest

from sliceforge.engine.compose import load_recipe
from sliceforge.engine.loop.allocate.decided import decide
from sliceforge.engine.loop.generate.matched import matched
from sliceforge.engine.loop.rows.conditions import conditions
from sliceforge.engine.loop.rows.known import Known, of_items
from sliceforge.engine.loop.rows.slices import Range, WeakSlice
from sliceforge.engine.shares import Shares

MATERIAL = files("sliceforge.material")
NOISY = {"snr_est": Range(-4, 2, 9)}


@pytest.fixture(scope="module")
def speech() -> Known:
    return of_items(str(MATERIAL / "speech" / "manifest.csv"))


@pytest.fixture(scope="module")
def strips() -> Known:
    return of_items(str(MATERIAL / "strips" / "manifest.csv"))


def weak(where: str, cause: str | None = None, **attributes: Range) -> WeakSlice:
    return WeakSlice("weak", where, cause=cause, attributes=attributes)


def chosen(slice_: WeakSlice, recipes: list[str], train: Known, **more: Any) -> tuple[str, str | None]:
    order = decide(slice_, recipes, train, np.ones(len(train.table), bool), **more).order
    return order.operation, order.recipe


def test_each_condition_is_held_where_it_can_be_and_said_where_it_cannot(speech: Known) -> None:
    where = "snr_est < 10 AND speaker = 'theo' AND noise = 'car' AND snr < 8 AND site = 'x'"
    found = matched(weak(where, **NOISY), "speech/car_noise", speech)
    assert found.slice == "(noise = 'car') AND (snr < 8)"
    assert found.within == "snr_est < 10"
    assert found.parents == "speaker = 'theo'"
    assert [note for note in found.notes if "site = 'x': cannot be held" in note]
    held = [one.text for text in (found.slice, found.within, found.parents) for one in conditions(text)]
    assert len(held) + 1 == len(conditions(where))


def test_the_range_of_the_mix_is_the_slices_and_a_margin(speech: Known) -> None:
    found = matched(weak("snr_est < 10", **NOISY), "speech/car_noise", speech)
    recipe = load_recipe("speech/car_noise", *found.overrides)
    assert recipe.step("mix").op.snr.values == (-5, 14)
    assert "snr_est" in found.acts


def settings(where: str, recipe: str, train: Known, **attributes: Range) -> set[str]:
    return {one.partition("=")[0] for one in matched(weak(where, **attributes), recipe, train).overrides}


def test_levels_follow_where_the_slice_is_about_them_or_training_lies_elsewhere(speech: Known) -> None:
    whole = np.ones(len(speech.table), bool)
    there = Range(*np.quantile(speech.numbers("level", whole), [0.3, 0.5, 0.7]).tolist())
    far = Range(-60, -55, -50)
    assert "steps.level.level" not in settings("site = 'x'", "speech/car_noise", speech, level=there)
    assert "steps.level.level" in settings("level < -20", "speech/car_noise", speech, level=there)
    found = matched(weak("site = 'x'", level=far), "speech/car_noise", speech)
    assert "steps.level.level=[-60, -50]" in found.overrides


def test_what_noise_brings_with_it_is_not_made_a_second_time(speech: Known) -> None:
    beside = {"level": Range(-60, -55, -50), "bandwidth": Range(300, 400, 500)}
    assert settings("snr_est < 10", "speech/car_noise", speech, **NOISY, **beside) == {"steps.mix.snr"}
    assert settings("noise = 'car'", "speech/car_noise", speech, **NOISY, **beside) == {"steps.mix.snr"}
    both = settings("snr_est < 10 AND bandwidth < 900", "speech/car_noise", speech, **NOISY, **beside)
    assert both == {"steps.mix.snr", "steps.band.high", "steps.band.p"}


@pytest.mark.parametrize(("where", "exposed"), [("brightness < 50", True), ("contrast < 9", False)])
def test_a_dark_slice_is_exposed_less_and_contrast_follows_where_it_is_named(
    where: str, exposed: bool, strips: Known
) -> None:
    dark = {"brightness": Range(20, 30, 45), "contrast": Range(3, 5, 8)}
    recipe = load_recipe("steel/line_scan", *matched(weak(where, **dark), "steel/line_scan", strips).overrides)
    assert max(recipe.step("photometric").op.brightness.values) < 1
    assert (recipe.step("photometric").op.contrast.values == (1.0,)) is exposed


def test_a_step_that_carries_the_slice_happens_to_every_item(strips: Known) -> None:
    found = matched(weak("noise > 20", noise=Range(20, 25, 30)), "photometric", strips)
    recipe = load_recipe("photometric", *found.overrides)
    assert recipe.step("grain").p == 1
    assert recipe.step("grain").op.sd.values[1] <= 30


@pytest.mark.parametrize("label", ["scratches", "surface scratch"])
def test_a_painted_class_has_the_slices_name_and_lies_on_bare_parents(label: str, strips: Known) -> None:
    found = matched(weak(f"label = '{label}'"), "steel/scratches", strips)
    assert found.paints
    assert load_recipe("steel/scratches", *found.overrides).labels() == [label]
    assert found.parents == "label IN ('clean')"
    assert found.slice is found.within is None


def test_a_recipe_that_paints_another_class_is_not_of_use(strips: Known) -> None:
    assert not matched(weak("label = 'dent'"), "steel/scratches", strips).paints


@pytest.mark.parametrize("label", ["dent", "rolled-in scale"])
def test_donors_are_of_the_slices_class(label: str, strips: Known) -> None:
    found = matched(weak(f"label = '{label}'"), "steel/paste", strips, {"donors": str(MATERIAL / "strips")})
    assert found.overrides[0] == f"banks.donors={MATERIAL / 'strips'}"
    recipe = load_recipe("steel/paste", *found.overrides[1:])
    assert recipe.step("paste").op.quota == Shares.parse({label: 1}, "quota")


def test_labels_and_neither_get_nothing_whatever_the_recipes_can(speech: Known) -> None:
    for cause in ("labels", "neither"):
        assert chosen(weak("snr_est < 10", cause, **NOISY), ["speech/car_noise"], speech) == ("nothing", None)


def test_a_nuisance_gets_the_recipe_that_moves_what_the_slice_is_about(speech: Known) -> None:
    slice_ = weak("snr_est < 10", "nuisance", **NOISY)
    assert chosen(slice_, ["speech/far_field", "speech/car_noise"], speech) == ("matched", "speech/car_noise")
    assert chosen(slice_, ["steel/scratches"], speech)[0] == "nothing"


def test_scarcity_is_painted_where_a_recipe_can_and_repeated_where_none_can(strips: Known, speech: Known) -> None:
    assert chosen(weak("label = 'scratches'", "scarcity"), ["steel/scratches"], strips) == (
        "procedural",
        "steel/scratches",
    )
    assert chosen(weak("label = 'go'", "scarcity"), ["speech/car_noise"], speech) == ("oversample", None)
    assert chosen(weak("label = 'absent'", "scarcity"), [], speech) == ("nothing", None)
