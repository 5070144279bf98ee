"""Car noise has the physics that its plan speaks of; white noise would fail nearly every test here."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import reference_sound as reference
import yaml
from quiet_car import OFF, OP, QUIET, RATE, band, drawn, spectrum, wave
from scipy.signal import butter, sosfiltfilt, welch
from scipy.stats import kstest

from sliceforge.engine.build import build
from sliceforge.kernels import sound
from sliceforge.kernels.audio.cabin import Cabin


@pytest.mark.parametrize(
    ("length", "rate"), [(1, 8000), (2, 8000), (63, 8000), (4001, 8000), (6300, 44100), (99, 1000)]
)
def test_any_length_has_an_rms_of_one(length: int, rate: int) -> None:
    for row in drawn(8):
        made = OP.wave(length, rate, **row)
        assert made.dtype == np.float32
        assert made.shape == (length,)
        assert reference.rms(made) == pytest.approx(1, abs=1e-6)


def test_a_plan_that_was_written_and_read_again_makes_the_same_bytes() -> None:
    for row in drawn(5):
        read = {name: value.item() for name, value in row.items()}
        assert OP.wave(3000, 8000, **row).tobytes() == OP.wave(3000, 8000, **read).tobytes()


def test_another_key_makes_another_noise_of_the_same_spectrum() -> None:
    one, other = wave(), wave(key=QUIET["key"] + 1)
    assert abs(np.corrcoef(one, other)[0, 1]) < 0.05
    for low, high in ((30, 100), (200, 400), (800, 1600)):
        assert band(one, low, high) == pytest.approx(band(other, low, high), abs=0.7)


def test_the_noise_is_gaussian_and_its_end_does_not_run_into_its_beginning() -> None:
    made = wave(8.0)
    assert np.mean(made.astype(np.float64) ** 4) == pytest.approx(3, abs=0.3)
    seams = [abs(float(one[0]) - float(one[-1])) for one in (wave(0.5, key=key) for key in range(100, 140))]
    steps = np.abs(np.diff(made)).mean()
    assert np.median(seams) > 3 * steps


@pytest.mark.parametrize("slope", [3.0, 6.0, 12.0])
def test_the_road_falls_by_the_slope_that_was_drawn(slope: float) -> None:
    made = wave(road_slope=slope, road_corner=60.0)
    fall = [band(made, f * 0.9, f * 1.1) - band(made, 2 * f * 0.9, 2 * f * 1.1) for f in (500, 700, 1000)]
    assert np.mean(fall) == pytest.approx(slope, abs=0.5)  # the band estimates scatter by 0.3 dB


def test_the_road_is_flat_to_its_corner_and_falls_twelve_decibels_an_octave_below_25_hertz() -> None:
    made = wave(120.0, 1000, road_corner=400.0)
    hertz, power = spectrum(made, 1000, 2048)
    level = 10 * np.log10(
        np.array([power[(hertz > f / 1.1) & (hertz < f * 1.1)].mean() for f in (6, 12, 60, 120, 200)])
    )
    assert level[1] - level[0] == pytest.approx(12, abs=1.5)
    assert np.ptp(level[2:]) < 1.5
    assert level[2] - level[1] > 10


@pytest.mark.parametrize("row", drawn(6), ids=range(6))
def test_the_spectrum_of_road_and_wind_is_the_formula(row: dict[str, Any]) -> None:
    row = row | {name: QUIET[name] for name in OFF}
    for parts, formula in (({"wind": -80.0}, reference.road_db), ({"wind": 120.0}, reference.wind_db)):
        hertz, power = spectrum(OP.wave(60 * RATE, RATE, **row | parts), RATE, 4096)
        at = (hertz > 30) & (hertz < 3000)
        apart = 10 * np.log10(power[at]) - np.array([formula(f, row) for f in hertz[at]])
        apart = np.convolve(apart, np.ones(9) / 9, "valid")
        assert np.ptp(apart) < 2.0  # 9 bins of 460 windows scatter by 0.1 dB; near 30 Hz the window leaks


def test_a_bump_stands_where_it_was_drawn() -> None:
    flat = {"road_corner": 20.0, "road_slope": 0.0}
    bump = {"bump_frequency_2": 300.0, "bump_gain_2": 9.0}
    with_it, without = wave(**flat, **bump), wave(**flat)

    def rise(f: float) -> float:
        return band(with_it, f * 0.97, f * 1.03) - band(without, f * 0.97, f * 1.03)

    assert rise(300) - rise(3000) == pytest.approx(9, abs=1)
    assert rise(150) - rise(3000) < 3


@pytest.mark.parametrize(("rpm", "cylinders"), [(1500.0, 4), (2400.0, 6), (4200.0, 4)])
def test_engine_orders_are_lines_at_multiples_of_the_firing_frequency(rpm: float, cylinders: int) -> None:
    made = wave(20.0, rpm=rpm, cylinders=cylinders, engine=0.0)
    power = np.abs(np.fft.rfft(made * np.hanning(len(made)))) ** 2
    firing = rpm / 60 * cylinders / 2
    lines = {}
    for order in (0.5, 1, 1.5, 2, 3, 4):
        at = round(order * firing * 20)
        lines[order] = power[at - 1 : at + 2].max()
        around = np.r_[power[at - 60 : at - 10], power[at + 10 : at + 60]]
        assert lines[order] > 20 * np.median(around)
    assert 10 * np.log10(lines[1] / lines[2]) == pytest.approx(3, abs=0.5)
    assert 10 * np.log10(lines[1] / lines[4]) == pytest.approx(9, abs=1.0)
    for order in (2.5, 3.5):
        at = round(order * firing * 20)
        assert power[at - 1 : at + 2].max() < 20 * np.median(power[at - 60 : at + 60])


def test_the_engine_has_the_level_against_the_road_that_was_drawn() -> None:
    for level in (-10.0, 0.0, 10.0):
        road, both = wave(engine=-80.0), wave(engine=level)
        # Far from every line, the road alone is left: it fell by what the engine added to the whole.
        fell = band(road, 1000, 2000) - band(both, 1000, 2000)
        assert fell == pytest.approx(10 * np.log10(1 + 10 ** (level / 10)), abs=0.4)


def test_no_order_passes_half_the_rate() -> None:
    made = wave(5.0, 1000, rpm=4500.0, cylinders=6, engine=20.0)
    hertz, power = spectrum(made, 1000, 2048)
    folded = 1000 - 4500 / 60 * 3 * 3
    assert power[np.argmin(np.abs(hertz - folded))] < 0.001 * power[np.argmin(np.abs(hertz - 225))]


def test_the_rpm_wander_no_further_than_the_drift() -> None:
    made = wave(60.0, 2000, rpm=3000.0, drift=0.1, drift_rate=0.5, engine=30.0, engine_fall=40.0)
    frames = made.reshape(-1, 1000).astype(np.float64)
    peaks = np.array([np.argmax(np.abs(np.fft.rfft(f * np.hanning(1000), 8000))) for f in frames]) * 2000 / 8000
    assert 90 - 1 <= peaks.min() < 96
    assert 104 < peaks.max() <= 110 + 1
    assert np.abs(np.diff(peaks)).max() < 0.75 * 20  # half a second is half of the way to the next value


def test_wind_rises_with_speed_and_with_the_window() -> None:
    def above(**changed: Any) -> float:
        """500 Hz and more against the road below 100 Hz."""
        made = wave(road_corner=60.0, road_slope=12.0, wind=0.0, **changed)
        return band(made, 800, 4000) - band(made, 40, 80)

    slow, fast, half, full = above(speed=50.0), above(speed=100.0), above(speed=50.0, window=0.5), above(window=1.0)
    assert fast - slow == pytest.approx(30 * np.log10(2), abs=0.6)
    assert half - slow == pytest.approx(5, abs=0.6)
    assert full - above(window=0.0) == pytest.approx(10, abs=0.6)


def test_gusts_are_slow_and_no_deeper_than_drawn() -> None:
    def envelope(depth: float) -> np.ndarray:
        made = wave(120.0, 8000, wind=40.0, gust_depth=depth, gust_rate=2.0)
        return np.sqrt(np.mean(made.reshape(-1, 400).astype(np.float64) ** 2, axis=1))  # 20 a second

    calm, gusty = envelope(0.0), envelope(9.5)  # 3 to 1
    assert gusty.std() > 3 * calm.std()
    hertz, power = welch(gusty / gusty.mean(), 20, nperseg=512)
    quiet = welch(calm / calm.mean(), 20, nperseg=512)[1]
    slow, quick = (hertz > 0.1) & (hertz < 2), hertz > 6
    assert power[slow].mean() > 10 * quiet[slow].mean()
    assert power[quick].mean() < 2 * quiet[quick].mean()
    assert gusty.max() / gusty.min() < 1.5 / 0.5 * 1.2


def test_rain_raises_what_lies_above_two_kilohertz_and_comes_in_drops() -> None:
    dry, drizzle, heavy = (wave(road_slope=12.0, rain=rain) for rain in (0.0, 0.1, 1.0))
    assert band(heavy, 2000, 7000) > band(dry, 2000, 7000) + 20
    assert band(heavy, 2000, 7000) - band(heavy, 40, 80) == pytest.approx(
        band(drizzle, 2000, 7000) - band(drizzle, 40, 80) + 10, abs=0.5
    )
    assert band(heavy, 40, 80) == pytest.approx(band(dry, 40, 80), abs=1)
    high = sosfiltfilt(butter(4, 2000, "highpass", fs=RATE, output="sos"), drizzle)
    assert np.mean(high**4) / np.mean(high**2) ** 2 > 6  # Gaussian noise has 3


def test_with_window_closed_and_blower_off_most_of_the_power_lies_below_500_hertz() -> None:
    shares = []
    for row in drawn(80):
        hertz, power = spectrum(
            OP.wave(2 * RATE, RATE, **row | dict.fromkeys(("window", "rain", "blower", "passing"), 0.0)), RATE, 4096
        )
        shares.append(power[hertz < 500].sum() / power.sum())
    assert np.median(shares) > 0.75
    assert np.mean(np.array(shares) > 0.65) > 0.75


def test_bumps_that_are_not_there_have_no_gain() -> None:
    for row in drawn(50):
        gains = [row[f"bump_gain_{i}"] > 0 for i in (1, 2, 3)]
        assert gains == [i <= row["bumps"] for i in (1, 2, 3)]
        assert 1 <= row["bumps"] <= 3
        assert {type(row[name]) for name in ("speed", "bump_gain_1")} == {np.float32}
        assert type(row["key"]) is type(row["bumps"]) is np.int64


def test_the_part_of_the_recipe_says_the_same_as_the_operator() -> None:
    folder = Path(__file__).resolve().parents[3] / "conf" / "op" / "audio"
    settings = yaml.safe_load((folder / "cabin.yaml").read_text("utf-8"))
    assert settings.pop("op") == "audio/cabin"
    assert build(Cabin, settings, "steps.cabin") == OP


def test_gaussians_have_unit_power_and_independent_parts() -> None:
    out, again = np.empty(200_000, np.float32), np.empty(20, np.float32)
    sound.gaussians_cpu(out, 0, 1.0, 2.0, 3.0)
    sound.gaussians_cpu(again, 0, 1.0, 2.0, 3.0)
    assert (again == out[:20]).all()
    z = out.view(np.complex64).astype(np.complex128)
    assert np.mean(np.abs(z) ** 2) == pytest.approx(1, abs=0.015)
    assert np.mean(z**2) == pytest.approx(0, abs=0.015)
    assert np.mean(z[1:] * z[:-1].conj()) == pytest.approx(0, abs=0.015)
    assert kstest(np.abs(z) ** 2, "expon").pvalue > 1e-6
    assert kstest(np.angle(z) / (2 * np.pi) + 0.5, "uniform").pvalue > 1e-6
