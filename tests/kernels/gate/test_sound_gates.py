"""Gates for sound that is covered by noise, not clipped, and as long as its steps say."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from signals import voice

from sliceforge.engine.gates import Made, Verdict
from sliceforge.engine.op import Apply
from sliceforge.engine.parse import from_config
from sliceforge.engine.recipe import Recipe
from sliceforge.engine.step import Step
from sliceforge.engine.stepwise import make
from sliceforge.kernels.gate.clipped import Clipped
from sliceforge.kernels.gate.covered import Covered
from sliceforge.kernels.gate.duration import Duration

RATE = 8000
SPEECH = voice(2.0, RATE)
NOISE = np.random.default_rng(0).normal(0, 0.02, 2 * RATE).astype(np.float32)


def covered(noise: np.ndarray, speech: np.ndarray = SPEECH, **settings: Any) -> Verdict:
    item = (np.rint((speech + noise) * 32768) / 32768).astype(np.float32)
    made = Made(speech, item, RATE, 1.0, {"foreground": speech, "mix": noise})
    return Covered("mix", **settings).measure(made, None, {})


def test_steady_noise_covers_all_of_the_speech_however_soft() -> None:
    for factor in (1.0, 0.1, 0.01):
        assert covered(NOISE * np.float32(factor)).got == 1


@pytest.mark.parametrize("missing", [0.02, 0.5])
def test_a_noise_that_ends_too_soon_leaves_that_share_bare(missing: float) -> None:
    short = NOISE.copy()
    short[round((1 - missing) * len(short)) :] = 0
    steady = np.sin(np.arange(2 * RATE)).astype(np.float32) / 2
    verdict = covered(short, steady)
    assert not verdict.ok
    assert verdict.got == pytest.approx(1 - missing, abs=0.011)
    assert covered(short, steady, least=0.4).ok


def test_a_hole_under_a_pause_is_no_hole_under_speech() -> None:
    pause, holed = SPEECH.copy(), NOISE.copy()
    pause[4000:8000] = 0
    holed[4800:7600] = 0
    assert covered(holed, pause).ok
    assert not covered(holed).ok
    assert covered(NOISE, np.zeros_like(SPEECH)).ok


CLIP = from_config({"steps": {"gain": {"op": "audio/gain", "gain": 0}, "clip": {"op": "audio/clip", "p": 0.5}}})


def clipped(loud: int, before: int = 0, on: bool = False, **settings: Any) -> Verdict:
    item, parent = SPEECH.copy(), SPEECH.copy()
    item[:loud] = 1 - 2**-15
    parent[:before] = -1
    return Clipped(**settings).measure(Made(parent, item, RATE), CLIP, {"clip.on": on})


def test_one_sample_in_ten_thousand_is_the_limit() -> None:
    assert clipped(1).ok
    assert not clipped(2).ok
    assert clipped(2).got == 2 / len(SPEECH)
    assert clipped(2, most=0.001).ok


def test_clipping_that_was_there_or_was_asked_for_passes() -> None:
    assert clipped(100, before=100).ok
    assert not clipped(100, before=50).ok
    assert clipped(100, on=True, asked_by="clip").ok
    assert not clipped(100, on=False, asked_by="clip").ok


@dataclass(frozen=True)
class Cut(Apply):
    """Loses the second half and says nothing of it."""

    def apply(self, batch: dict[str, Any], /, **plan: Any) -> dict[str, Any]:
        length = batch["length"] // 2
        return {**batch, "audio": batch["audio"][:, : int(length.max())], "length": length}


def duration(recipe: Recipe, **row: Any) -> Verdict:
    return Duration().measure(make(recipe, SPEECH, RATE, row), recipe, row)


def test_speed_moves_both_and_a_cut_that_says_nothing_is_caught() -> None:
    fast = from_config({"steps": {"speed": {"op": "audio/speed"}}})
    verdict = duration(fast, **{"speed.factor": 1.1})
    assert verdict.ok
    assert verdict.got == pytest.approx(2 / 1.1, abs=1 / RATE)
    assert verdict.got == pytest.approx(verdict.asked, abs=1 / RATE)
    still = from_config({"steps": {"gain": {"op": "audio/gain"}}})
    assert duration(still, **{"gain.gain": -3.0}).got == 2
    assert not duration(Recipe("audio", (Step("cut", Cut()),), (), {}, {})).ok


def test_a_word_that_is_moved_out_of_the_clip_is_lost() -> None:
    words = [{"word": "a", "start": 0.1, "end": 0.4}, {"word": "b", "start": 1.8, "end": 1.95}]
    shift = from_config({"steps": {"shift": {"op": "audio/shift"}}})
    assert duration(shift, **{"shift.shift": 0.05, "words": words}).ok
    verdict = duration(shift, **{"shift.shift": 0.5, "words": words})
    assert (verdict.ok, verdict.more["lost"]) == (False, 1)
    assert verdict.got == verdict.asked == 2
    assert duration(shift, **{"shift.shift": 0.5, "words": words[:1]}).ok
