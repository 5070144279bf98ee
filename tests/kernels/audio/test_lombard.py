"""A raised voice has the level, tilt, pitch and length that its plan says, and its noise the SNR that follows."""

from typing import Any

import numpy as np
import pytest
from signals import voice

from sliceforge.engine.alone import apply_sound
from sliceforge.engine.build import build
from sliceforge.engine.compose import load_recipe
from sliceforge.engine.errors import SettingError
from sliceforge.engine.keys import Keys
from sliceforge.engine.op import Shapes
from sliceforge.engine.stepwise import make, measure
from sliceforge.kernels.audio.lombard import Lombard, brightened, paced
from sliceforge.kernels.wsola import HOP, REACH, stretched

RATE = 16000
NONE: dict[str, Any] = {"noise": 50.0, "slope": 0.5, "level": 0.0, "tilt": 0.0, "pitch": 1.0, "tempo": 1.0}


def drawn(items: int = 400, **settings: Any) -> dict[str, np.ndarray]:
    none = np.zeros(items, np.int64)
    keys = Keys.of(5, [str(i) for i in range(items)]).at("lombard")
    return build(Lombard, settings, "steps.lombard").draw(keys, Shapes(none + RATE, none + RATE, none, none))


def raised(x: np.ndarray, rate: int = RATE, **row: Any) -> np.ndarray:
    return apply_sound(build(Lombard, {}, "steps.lombard"), x.astype(np.float32), rate, NONE | row)


def rms(x: np.ndarray) -> float:
    return float(np.sqrt(np.mean(x.astype(np.float64) ** 2)))


def test_all_of_it_is_tied_to_the_noise() -> None:
    plan = drawn()
    effort = (plan["noise"].astype(np.float64) - 50) / 30
    assert plan["level"] == pytest.approx(plan["slope"] * (plan["noise"] - 50), abs=1e-4)
    assert (plan["tilt"] <= 3 * effort + 1e-6).all()
    assert (plan["pitch"] <= 1 + 0.1 * effort + 1e-6).all()
    assert (plan["tempo"] >= 1 - 0.05 * effort - 1e-6).all()
    assert np.corrcoef(plan["noise"], plan["level"])[0, 1] > 0.8
    assert np.corrcoef(plan["tilt"], plan["pitch"])[0, 1] > 0.2
    loud = drawn(noise=[80, 90])
    assert loud["tilt"].max() > 2.9
    assert loud["tempo"].min() < 0.951
    quiet = drawn(5, noise=[30, 50])
    assert (quiet["level"] == 0).all()
    assert all((quiet[name] == NONE[name]).all() for name in ("tilt", "pitch", "tempo"))


def test_a_voice_in_quiet_keeps_every_bit() -> None:
    x = voice(0.3, RATE)
    assert raised(x).tobytes() == x.tobytes()


@pytest.mark.parametrize("level", [3.0, 15.0])
def test_the_level_is_what_was_drawn_whatever_else_changes(level: float) -> None:
    x = 0.1 * voice(0.5, RATE)
    made = raised(x, level=level, tilt=3.0, pitch=1.05, tempo=0.97)
    assert 20 * np.log10(rms(made) / rms(x)) == pytest.approx(level, abs=1e-3)


def test_the_spectrum_rises_by_the_tilt_for_each_octave_above_1_kilohertz() -> None:
    x = np.random.default_rng(0).normal(0, 0.1, 8 * RATE).astype(np.float32)
    rise = np.abs(np.fft.rfft(brightened(x, RATE, 2.5))) ** 2 / np.abs(np.fft.rfft(x)) ** 2
    hertz = np.fft.rfftfreq(len(x), 1 / RATE)
    for f in (200, 500, 800, 1400, 2000, 2800, 4000, 7000):
        near = rise[(hertz > 0.97 * f) & (hertz < 1.03 * f)].mean()
        assert 10 * np.log10(near) == pytest.approx(2.5 * max(np.log2(f / 1000), 0), abs=0.15)


def pitch_of(x: np.ndarray) -> float:
    """Hertz of the strongest line, between two points of a spectrum."""
    size = 1 << 18
    power = np.log(np.abs(np.fft.rfft(x * np.hanning(len(x)), size)) + 1e-12)
    k = int(np.argmax(power))
    left, top, right = power[k - 1 : k + 2]
    return (k + 0.5 * (left - right) / (left - 2 * top + right)) * RATE / size


@pytest.mark.parametrize(("pitch", "tempo"), [(1.0, 0.95), (1.1, 1.0), (1.07, 0.96), (1.02, 1.02)])
@pytest.mark.parametrize("hertz", [110.0, 243.0])
def test_pitch_and_length_change_each_by_its_own_factor(pitch: float, tempo: float, hertz: float) -> None:
    x = 0.5 * np.sin(2 * np.pi * hertz * np.arange(2 * RATE) / RATE)
    made = raised(x, pitch=pitch, tempo=tempo)
    assert len(made) == -(-2 * RATE * 100 // round(100 * tempo))
    assert pitch_of(made[800:-800]) == pytest.approx(hertz * pitch, rel=2e-3)
    inside = made[800:-800][: 40 * RATE // 1000 * 20].reshape(20, -1)
    assert np.ptp(20 * np.log10(np.sqrt((inside**2).mean(1)))) < 0.5  # no dips where pieces overlap


@pytest.mark.parametrize("tempo", [0.95, 1.04])
def test_a_moment_moves_to_where_its_sound_is(tempo: float) -> None:
    op = build(Lombard, {}, "steps.lombard")
    x = np.zeros(2 * RATE)
    for at in (0.3, 1.0, 1.7):
        x[int(at * RATE) :][:240] += np.hanning(240) * np.sin(np.arange(240))
    made = np.abs(raised(x, pitch=1.05, tempo=tempo))
    for at in (0.3, 1.0, 1.7):
        middle = op.moment(at + 120 / RATE, tempo=np.float32(tempo))
        near = made[int((middle - 0.05) * RATE) : int((middle + 0.05) * RATE)]
        heard = (near * np.arange(len(near))).sum() / near.sum() / RATE + middle - 0.05
        assert heard == pytest.approx(middle, abs=REACH + HOP / 2)


@pytest.mark.parametrize("length", [1, 7, 63, 100, 1000])
@pytest.mark.parametrize("rate", [8000, 44100])
def test_short_clips_pass(length: int, rate: int) -> None:
    x = np.random.default_rng(0).normal(0, 0.1, length).astype(np.float32)
    made = raised(x, rate, level=6.0, tilt=3.0, pitch=1.1, tempo=0.95)
    assert len(made) == -(-length * 100 // 95)
    assert np.isfinite(made).all()
    assert (paced(np.zeros(length, np.float32), rate, 1.1, 0.95) == 0).all()


def test_pieces_that_go_on_without_a_change_are_the_clip() -> None:
    x = voice(0.5, RATE)
    assert np.abs(stretched(x, RATE, 1.0, len(x)) - x).max() < 1e-6


def test_loud_below_quiet_is_refused() -> None:
    with pytest.raises(SettingError, match=r"steps\.lombard\.loud"):
        build(Lombard, {"quiet": 70, "loud": 60}, "steps.lombard")


def test_the_masker_hears_what_the_speaker_heard_and_its_snr_follows() -> None:
    recipe = load_recipe("speech/car_lombard", "steps.lombard.noise=[55, 75]")
    none = np.zeros(60, np.int64)
    keys = Keys.of(3, [str(i) for i in range(60)])
    plan = recipe.draw(keys, Shapes(none + 8000, none + RATE, none, none))
    for name in ("noise", "slope"):
        assert (plan[f"lombard.{name}"] == plan[f"mix.{name}"]).all()
    left = plan["mix.speech"] + plan["lombard.level"] - plan["mix.noise"]
    assert plan["mix.snr"] == pytest.approx(left, abs=1e-4)
    # A speaker makes up for half of the noise: the SNR falls by half of what it grows by.
    assert np.polyfit(plan["mix.noise"], plan["mix.snr"], 1)[0] == pytest.approx(-0.5, abs=0.15)
    row = {name: column[0] for name, column in plan.items()}
    verdict = measure(recipe, make(recipe, voice(0.5, RATE), RATE, row), row)["snr"]
    assert verdict.ok
    assert verdict.more["a_weighted"] == pytest.approx(row["mix.snr"], abs=0.1)
