"""A radio: tones of one key in equal temperament, a beat, and a loudspeaker's band, as no car's own noise has them."""

from typing import Any

import numpy as np
import pytest
from scipy.signal import stft

from sliceforge.engine.build import build
from sliceforge.engine.compose import load_recipe
from sliceforge.engine.keys import Keys
from sliceforge.engine.op import Shapes, Source
from sliceforge.kernels.audio.radio import Radio, loudspeaker

RATE, SECONDS = 16000, 4


def waves(op: Source, step: str, count: int, **fixed: float) -> list[tuple[dict[str, Any], np.ndarray]]:
    none = np.zeros(count, np.int64)
    shapes = Shapes(none + RATE * SECONDS, none + RATE, none, none)
    plan = op.draw(Keys.of(4, [str(i) for i in range(count)]).at(step), shapes)
    rows = [{name: column[i] for name, column in plan.items()} | fixed for i in range(count)]
    return [(row, op.wave(RATE * SECONDS, RATE, **row)) for row in rows]


def in_tune(y: np.ndarray) -> float:
    """Share of the power between 200 and 1200 Hz that lies within 20 cents of a tone of equal temperament (A = 440)."""
    power = np.abs(np.fft.rfft(y * np.hanning(len(y)))) ** 2
    hertz = np.fft.rfftfreq(len(y), 1 / RATE)
    band = (hertz > 200) & (hertz < 1200)
    away = np.abs((12 * np.log2(hertz[band] / 440) + 0.5) % 1 - 0.5)
    return float(power[band][away < 0.2].sum() / power[band].sum())


def test_its_tones_are_those_of_the_piano() -> None:
    """Noise has 40 % of its power there."""
    radio = [in_tune(y) for _, y in waves(build(Radio, {"drums": 0}, "steps.radio"), "radio", 8)]
    assert min(radio) > 0.8


def test_a_car_without_a_radio_is_not_in_tune() -> None:
    cabin = load_recipe("speech/car_radio").step("cabin").op
    assert isinstance(cabin, Source)
    assert max(in_tune(y) for _, y in waves(cabin, "cabin", 8, engine=-80)) < 0.6


def test_the_beat_is_the_tempo_drawn() -> None:
    for row, y in waves(build(Radio, {"drums": 1.5}, "steps.radio"), "radio", 8):
        _, t, bins = stft(y, RATE, nperseg=512, noverlap=384)
        flux = np.maximum(np.diff(np.log1p(10 * np.abs(bins)), axis=1), 0).sum(axis=0)
        strength = np.abs(np.fft.rfft(flux - flux.mean(), 1 << 14))
        each = t[1] - t[0]
        beats = np.fft.rfftfreq(1 << 14, each) * 60
        # Half beats are what is played: the strongest rhythm is the tempo, or a simple multiple of it.
        strongest = beats[(beats > 60) & (beats < 700)][np.argmax(strength[(beats > 60) & (beats < 700)])]
        assert min(abs(strongest / (float(row["tempo"]) * m) - 1) for m in (0.5, 1, 2, 4)) < 0.03


def test_the_loudspeaker_falls_by_12_db_an_octave_at_either_end() -> None:
    from scipy.signal import sosfreqz

    parts = loudspeaker(48000, 100, 8000, 300, 6)
    sos = np.column_stack([parts[:, :3], np.ones(len(parts)), parts[:, 3:]])
    _, h = sosfreqz(sos, [12.5, 25, 100, 300, 1500, 8000], fs=48000)
    level = 20 * np.log10(np.abs(h))
    assert level[1] - level[0] == pytest.approx(12, abs=0.5)
    assert level[[2, 5]] == pytest.approx([-3, -3], abs=0.3)
    assert level[3] == pytest.approx(6, abs=0.2)
    assert level[4] == pytest.approx(0, abs=0.3)


@pytest.mark.parametrize("rate", [8000, 44100])
def test_a_part_of_the_piece_is_the_same_wherever_it_begins(rate: int) -> None:
    op: Radio = build(Radio, {}, "steps.radio")
    none = np.zeros(1, np.int64)
    plan = op.draw(Keys.of(4, ["a"]).at("radio"), Shapes(none + rate, none + rate, none, none))
    row = {name: column[0] for name, column in plan.items()}
    whole = op.wave(3 * rate, rate, **{**row, "offset": 20.0}).astype(np.float64)
    later = op.wave(2 * rate, rate, **{**row, "offset": 21.0}).astype(np.float64)
    a, b = whole[rate + rate // 4 :], later[rate // 4 :]
    assert np.dot(a, b) / np.sqrt(np.dot(a, a) * np.dot(b, b)) > 0.999
