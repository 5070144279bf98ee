"""A band: tones inside live, tones outside die, nothing rings ahead, and the SNR is that of what was mixed."""

import numpy as np
import pytest
import torch
import torchaudio
from scipy.signal import butter, sosfreqz
from signals import voice

from sliceforge.engine.build import build
from sliceforge.engine.errors import SettingError
from sliceforge.engine.keys import Keys
from sliceforge.engine.op import Shapes
from sliceforge.engine.parse import from_config
from sliceforge.engine.sound import filtered
from sliceforge.engine.stepwise import make, measure
from sliceforge.kernels.audio.band import Band

RATE = 16000


def band(rate: int = RATE, **plan: float) -> np.ndarray:
    op: Band = build(Band, {}, "steps.band")
    return op.response(rate, None, **{"low": 300.0, "high": 3400.0, "order": 4} | plan)


def gain_db(response: np.ndarray, hertz: float, rate: int = RATE) -> float:
    turns = np.exp(-2j * np.pi * hertz / rate * np.arange(len(response)))
    return float(20 * np.log10(max(abs(np.sum(response * turns)), 1e-9)))


@pytest.mark.parametrize(("rate", "order"), [(8000, 4), (16000, 4), (44100, 8), (16000, 1)])
def test_tones_inside_live_and_tones_outside_die(rate: int, order: int) -> None:
    response = band(rate, order=order)
    for edge in (300, 3400):
        assert gain_db(response, edge, rate) == pytest.approx(-3.01, abs=0.1 if order > 1 else 0.4)
    if order > 1:
        assert abs(gain_db(response, 1000, rate)) < 0.2
    for octaves, edge in ((2, 75.0), (3, 37.5)):
        asked = -6.02 * order * octaves
        assert gain_db(response, edge, rate) == pytest.approx(asked, abs=0.7) or asked < -110  # it ends at −120 dB
    if rate > 20000:
        assert gain_db(response, 4 * 3400, rate) < -6.02 * order * 2 + 0.5


def test_it_is_the_cascade_that_scipy_and_torchaudio_make() -> None:
    response = band(low=200.0, high=3000.0, order=2)
    hertz = np.linspace(20, 7900, 400)
    whole = np.ones(400, complex)
    for edge, side in ((200, "highpass"), (3000, "lowpass")):
        whole *= sosfreqz(butter(2, edge, side, fs=RATE, output="sos"), hertz, fs=RATE)[1]
    own = np.exp(-2j * np.pi * np.outer(hertz, np.arange(len(response))) / RATE) @ response
    assert np.abs(own - whole).max() < 1e-5  # what is cut off lies 120 dB down
    x = 0.1 * torch.randn(RATE, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    y = torchaudio.functional.highpass_biquad(x, RATE, 200.0, 0.5**0.5)
    y = torchaudio.functional.lowpass_biquad(y, RATE, 3000.0, 0.5**0.5)
    assert np.abs(filtered(x.numpy().astype(np.float32), response) - y.numpy()).max() < 1e-6


def test_nothing_is_heard_before_it_was_said_and_the_delay_is_short() -> None:
    for high, order in ((3400.0, 4), (7000.0, 8)):
        response = band(high=high, low=0.0, order=order)
        delay = np.sum(np.arange(len(response)) * response) / np.sum(response) / RATE  # group delay at 0 Hz
        assert 0 < delay < 1.2 * order / (2 * np.pi * high) * 1.3
    x = np.zeros(400, np.float32)
    x[200] = 1
    assert not filtered(x, band())[:200].any() or np.abs(filtered(x, band())[:200]).max() < 1e-12


def test_edges_beyond_half_the_rate_and_at_zero_are_left_out() -> None:
    whole = band(8000, low=0.0, high=4000.0)
    assert whole[0] == 1
    assert not whole[1:].any()
    assert gain_db(band(8000, low=300.0, high=16000.0), 3900, 8000) == pytest.approx(0, abs=0.01)
    assert gain_db(band(44100, low=300.0, high=16000.0), 20000, 44100) < -20


def test_a_low_edge_above_the_high_one_is_refused() -> None:
    with pytest.raises(SettingError, match=r"steps\.band\.low: up to 4000 Hz, and high from 3000 Hz"):
        build(Band, {"low": [100, 4000]}, "steps.band")


@pytest.mark.parametrize("reference", ["active", "rms"])
def test_the_gate_finds_the_snr_as_it_was_mixed(reference: str) -> None:
    """The band takes more from one sound than from the other: afterwards their SNR is another one."""
    moved = []
    steps = {
        "cabin": {"op": "audio/cabin"},
        "mix": {"op": "audio/mix", "snr": 3, "reference": reference, "source": "cabin"},
        "band": {"op": "audio/band", "low": 300, "high": 3400},
        "level": {"op": "audio/level", "level": [-40, -15]},
    }
    recipe = from_config({"steps": steps, "gates": {"snr": {"step": "mix"}}})
    one = np.ones(1, np.int64)
    for i in range(12):
        parent = voice(0.6, 8000, 90 + 11 * i)
        columns = recipe.draw(Keys.of(i, ["a"]), Shapes(one * len(parent), one * 8000, one * 0, one * 0))
        row = {name: column[0] for name, column in columns.items()}
        made = make(recipe, parent, 8000, row)
        verdict = measure(recipe, made, row)["snr"]
        assert verdict.ok
        assert verdict.got == pytest.approx(3, abs=0.01)
        after = [np.sqrt(np.mean(np.square(made.stems[name], dtype=np.float64))) for name in ("foreground", "mix")]
        moved.append(abs(20 * np.log10(after[0] / after[1]) - verdict.more["rms"]))
        assert np.abs(made.stems["foreground"] + made.stems["mix"] - made.item).max() < 1.01 / 65536
    assert np.median(moved) > 1
