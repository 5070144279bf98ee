"""The SNR gate measures what was written: it passes what the mix made and catches what is not as asked."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import reference_sound as reference
from signals import voice

from sliceforge.engine.build import build
from sliceforge.engine.gates import Made
from sliceforge.engine.keys import Keys
from sliceforge.engine.op import Shapes
from sliceforge.engine.parse import from_config
from sliceforge.engine.recipe import Recipe
from sliceforge.engine.stepwise import make, measure
from sliceforge.kernels.audio.mix import Mix
from sliceforge.kernels.gate.snr import Snr
from sliceforge.kernels.loudness import REFERENCES


def car(**settings: object) -> Recipe:
    steps = {"cabin": {"op": "audio/cabin"}, "mix": {"op": "audio/mix", **settings}, "level": {"op": "audio/level"}}
    return from_config({"steps": steps, "gates": {"snr": {"step": "mix"}}})


def rows(recipe: Recipe, count: int, length: int, rate: int) -> list[dict[str, Any]]:
    none = np.zeros(count, np.int64)
    shapes = Shapes(none + length, none + rate, none, none)
    plan = recipe.draw(Keys.of(7, [str(i) for i in range(count)]), shapes)
    return [{name: column[i] for name, column in plan.items()} for i in range(count)]


def synthetic(snr: float, rate: int = 8000) -> Made:
    """Speech and noise of equal RMS, then the noise lowered by `snr` dB; not rounded."""
    speech = voice(1.0, rate) * np.float32(0.5)
    noise = np.random.default_rng(1).normal(0, 1, rate)
    noise = (noise / reference.rms(noise) * reference.rms(speech) * 10 ** (-snr / 20)).astype(np.float32)
    return Made(speech, speech + noise, rate, 1.0, {"foreground": speech, "mix": noise})


def gate(**settings: object) -> Snr:
    built: Snr = build(Snr, {"step": "mix", **settings}, "gates.snr")
    return built


RMS = build(Mix, {"reference": "rms"}, "steps.mix")


@pytest.mark.parametrize("asked", REFERENCES)
def test_what_the_recipe_makes_passes(asked: str) -> None:
    recipe = car(reference=asked)
    for row in rows(recipe, 20, 4801, 8000):
        verdict = measure(recipe, make(recipe, voice(4801 / 8000, 8000), 8000, row), row)["snr"]
        assert verdict.ok
        assert verdict.asked == pytest.approx(float(row["mix.snr"]))
        assert verdict.got == verdict.more[asked] == pytest.approx(verdict.asked, abs=0.05)
        assert verdict.more["total"] == verdict.got
        assert verdict.more["clipped_share"] == 0


def test_the_active_snr_is_that_of_an_independent_measurement() -> None:
    recipe = car()
    row = rows(recipe, 1, 8000, 8000)[0]
    made = make(recipe, voice(1.0, 8000), 8000, row)
    speech = made.parent.astype(np.float64) * made.gain
    achieved = reference.active(speech, 8000) - reference.db(reference.rms(made.item - speech))
    assert achieved == pytest.approx(float(row["mix.snr"]), abs=0.05)


def test_a_tenth_of_a_decibel_is_the_limit() -> None:
    for apart, ok in ((0.0, True), (0.09, True), (-0.09, True), (0.11, False), (-0.11, False)):
        verdict = gate().measure(synthetic(6 + apart), RMS, {"snr": 6.0})
        assert verdict.ok is ok
        assert verdict.got == pytest.approx(6 + apart, abs=0.002)  # float32
    assert gate(tolerance=0.2).measure(synthetic(6.11), RMS, {"snr": 6.0}).ok


def test_noise_that_drowns_in_rounding_does_not_pass() -> None:
    recipe = car(snr=90, reference="rms")
    row = rows(recipe, 1, 4000, 8000)[0]
    verdict = measure(recipe, make(recipe, voice(0.5, 8000), 8000, row), row)["snr"]
    assert not verdict.ok
    assert verdict.got < 85


def test_an_item_without_noise_has_a_finite_verdict() -> None:
    speech = voice(0.5, 8000)
    for made in (Made(speech, speech, 8000, 1.0, {"foreground": speech, "mix": 0 * speech}), synthetic(math.inf)):
        verdict = gate().measure(made, RMS, {"snr": 3.0})
        assert not verdict.ok
        assert all(math.isfinite(number) for number in (verdict.got, *verdict.more.values()))


def test_each_of_two_mixes_is_measured_alone_and_their_sum_as_the_total() -> None:
    made = synthetic(10.0)
    other = np.sin(np.arange(8000)).astype(np.float32)
    other *= np.float32(reference.rms(made.stems["mix"]) / reference.rms(other))
    both = replace(made, item=made.item + other, stems={**made.stems, "second": other})
    verdict = gate().measure(both, RMS, {"snr": 10.0})
    assert verdict.ok
    assert verdict.more["total"] == pytest.approx(10 - 3.01, abs=0.1)


def test_crest_factor_and_clipped_share_are_of_the_written_item() -> None:
    square = np.where(np.arange(800) % 8 < 4, 1 - 2.0**-15, -1.0).astype(np.float32)
    made = Made(square, square, 8000, 1.0, {"foreground": square, "mix": 0 * square})
    more = gate().measure(made, RMS, {"snr": 0.0}).more
    assert more["crest_factor_db"] == pytest.approx(0, abs=1e-3)
    assert more["clipped_share"] == 1
    sine = (0.5 * np.sin(2 * np.pi * np.arange(800) / 80)).astype(np.float32)
    more = gate().measure(Made(sine, sine, 8000, 1.0, {"foreground": sine}), RMS, {"snr": 0.0}).more
    assert more["crest_factor_db"] == pytest.approx(3.01, abs=0.01)
    assert more["clipped_share"] == 0


TAILS = {
    "a filter": {"band": {"op": "audio/band"}},
    "a step that runs alone": {"drop": {"op": "audio/drop"}},
    "another speed": {"speed": {"op": "audio/speed"}},
    "a limit and a level": {"clip": {"op": "audio/clip"}, "level": {"op": "audio/level"}},
}


@pytest.mark.parametrize("tail", TAILS)
def test_what_comes_after_a_mix_does_not_hide_the_ratio_that_it_was_mixed_at(tail: str) -> None:
    steps = {"cabin": {"op": "audio/cabin"}, "mix": {"op": "audio/mix"}, **TAILS[tail]}
    recipe = from_config({"steps": steps, "gates": {"snr": {"step": "mix"}}})
    for row in rows(recipe, 5, 8000, 8000):
        made = make(recipe, voice(1.0, 8000), 8000, row)
        assert measure(recipe, made, row)["snr"].ok
        wrong = {**row, "mix.snr": np.float32(row["mix.snr"]) + np.float32(0.2)}
        assert not measure(recipe, made, wrong)["snr"].ok
