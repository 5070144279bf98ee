"""The plain executor against the meaning of a recipe, for sound and for images with code that runs alone."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pytest
import reference_sound as reference
import torch
from signals import voice

from sliceforge.engine import stepwise
from sliceforge.engine.errors import InputError
from sliceforge.engine.keys import Keys
from sliceforge.engine.op import Apply, Shapes, Source
from sliceforge.engine.parse import from_config
from sliceforge.engine.recipe import Recipe
from sliceforge.engine.step import Step

STEP = 1 / 32768


def row_of(recipe: Recipe, item: str, length: int, rate: int) -> dict[str, Any]:
    one = np.ones(1, np.int64)
    shapes = Shapes(one * length, one * rate, one * 0, one * 0)
    return {name: column[0] for name, column in recipe.draw(Keys.of(3, [item]), shapes).items()}


@pytest.mark.parametrize("measure", ["active", "rms"])
@pytest.mark.parametrize(("length", "rate"), [(801, 8000), (3999, 8000), (12000, 16000), (5000, 44100)])
def test_a_chain_of_sound_is_what_the_reference_says(length: int, rate: int, measure: str) -> None:
    steps = {"cabin": {"op": "audio/cabin"}, "mix": {"op": "audio/mix", "reference": measure}}
    recipe = from_config({"steps": {**steps, "level": {"op": "audio/level", "level": [-30, -3]}}})
    for i in range(6):
        parent = voice(length / rate, rate, 90 + 20 * i)
        row = row_of(recipe, f"clip {i}", length, rate)
        made = stepwise.make(recipe, parent, rate, row)
        cabin = recipe.step("cabin")
        assert isinstance(cabin.op, Source)
        noise = cabin.op.wave(length, rate, **recipe.draws(cabin, row))
        plain = [("mix", noise.astype(np.float64), float(row["mix.snr"]), measure)]
        plain += [("level", float(row["level.level"]), None, None)]
        item, gain = reference.chain(parent, rate, plain, recipe.guard_db)
        # The executor stops looking for the final loudness at 1e-4 of it, 0.001 dB.
        assert made.gain == pytest.approx(gain, rel=3e-4)
        assert np.abs(made.item - item).max() <= 3e-4 * np.abs(item).max() + STEP


def test_two_mixes_are_each_levelled_against_the_clean_foreground() -> None:
    steps = {"cabin": {"op": "audio/cabin"}, "other": {"op": "audio/cabin"}}
    mix = {"op": "audio/mix", "reference": "rms", "snr": 0}
    steps |= {"first": {**mix, "source": "cabin"}, "second": {**mix, "source": "other"}}
    recipe = from_config({"steps": steps})
    parent = voice(0.5, 8000) * np.float32(0.2)
    made = stepwise.make(recipe, parent, 8000, row_of(recipe, "a", 4000, 8000))
    levels = [reference.rms(made.stems[name]) for name in ("foreground", "first", "second")]
    assert levels[1] == pytest.approx(levels[0], rel=1e-5)
    assert levels[2] == pytest.approx(levels[0], rel=1e-5)


def test_the_guard_scales_both_and_only_when_needed() -> None:
    recipe = from_config({"steps": {"level": {"op": "audio/level", "level": 0}}})
    parent = voice(0.5, 8000)
    made = stepwise.make(recipe, parent, 8000, row_of(recipe, "a", 4000, 8000))
    assert np.abs(made.item).max() == pytest.approx(10 ** (-0.1 / 20), abs=STEP)
    quiet = from_config({"steps": {"level": {"op": "audio/level", "level": -40}}})
    made = stepwise.make(quiet, parent, 8000, row_of(quiet, "a", 4000, 8000))
    assert 20 * np.log10(reference.rms(made.item)) == pytest.approx(-40, abs=0.01)


def test_rounding_is_half_to_even_and_reaches_both_ends_of_16_bits() -> None:
    recipe = from_config({"steps": {"level": {"op": "audio/level", "p": 0}}})
    parent = np.array([0.5, 1.5, 2.5, -0.5, -1.5, 40000, -40000], np.float32) / 32768
    made = stepwise.make(recipe, parent, 8000, row_of(recipe, "a", 7, 8000))
    assert (made.item * 32768).tolist() == [0, 2, 2, 0, -2, 32767, -32768]


@dataclass(frozen=True)
class Flip(Apply):
    """Audio backwards, up to each clip's length; an image from left to right."""

    kind: ClassVar[str] = "audio"

    def apply(self, batch: dict[str, Any], /, **plan: Any) -> dict[str, Any]:
        if "image" in batch:
            return {"image": batch["image"].flip(3)}
        length = int(batch["length"][0])
        return {**batch, "audio": batch["audio"][:, :length].flip(1)}


@dataclass(frozen=True)
class Broken(Flip):
    def apply(self, batch: dict[str, Any], /, **plan: Any) -> dict[str, Any]:
        return {**batch, "audio": batch["audio"] * torch.nan}


def test_code_that_runs_alone_gets_the_whole_sound() -> None:
    parent = voice(0.1, 8000)
    recipe = Recipe("audio", (Step("flip", Flip()),), (), {}, {})
    made = stepwise.make(recipe, parent, 8000, {})
    assert np.abs(made.item - parent[::-1]).max() <= STEP
    assert np.isnan(made.gain)


def test_code_that_runs_alone_gets_the_image_as_channels_rows_columns() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, 3), np.uint8)
    made = stepwise.make(Recipe("image", (Step("flip", Flip()),), (), {}, {}), pixels, 0, {})
    assert np.array_equal(made.item, pixels[:, ::-1])


def test_a_value_that_is_not_finite_is_an_input_error() -> None:
    with pytest.raises(InputError, match="non_finite"):
        stepwise.make(Recipe("audio", (Step("broken", Broken()),), (), {}, {}), voice(0.1, 8000), 8000, {})
