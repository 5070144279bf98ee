"""The parts of a car's noise obey the laws that their modules name; each is heard alone here, or as good as alone."""

from typing import Any

import numpy as np
import pytest
from quiet_car import OP, RATE, band, wave
from scipy.signal import butter, find_peaks, hilbert, sosfiltfilt, welch

from sliceforge.kernels import sound
from sliceforge.kernels.audio.car.hits import WHEELBASE, ring_energy
from sliceforge.kernels.audio.car.passing import REACH, passing_cpu
from sliceforge.kernels.audio.car.wind import gust_share

LOUD = 40.0
"""dB against the road, of a part that is to be heard alone."""


def peak(x: np.ndarray, low: float, high: float, rate: int = RATE) -> float:
    """Hertz of the strongest line between two frequencies, to a hundredth of a bin's width."""
    power = np.abs(np.fft.rfft(x.astype(np.float64) * np.hanning(len(x)), 4 * len(x)))
    hertz = np.fft.rfftfreq(4 * len(x), 1 / rate)
    inside = (hertz >= low) & (hertz < high)
    return float(hertz[inside][np.argmax(power[inside])])


@pytest.mark.parametrize(("rpm", "cylinders"), [(817.0, 4), (2333.0, 6), (3971.0, 4)])
def test_orders_lie_within_a_hertz_of_rpm_by_sixty_times_half_orders(rpm: float, cylinders: int) -> None:
    made = wave(4.0, rpm=rpm, cylinders=cylinders, engine=10.0)
    for k in np.array([1, 2, 3, 4, 6, 8]) * cylinders // 2:  # half orders of the crankshaft; it fires at k = cylinders
        order = rpm / 60 * k / 2
        assert peak(made, order - 6, order + 6) == pytest.approx(order, abs=1)


SOUNDING: dict[str, dict[str, Any]] = {
    "rain": {"rain": 1.0, "rain_level": 10.0, "wiper": 0.0},
    "hits": {"hits": 15.0, "hit_level": 10.0},
    "buffet": {"window": 1.0, "buffet": 10.0},
    "indicator": {"indicator": 1.5, "indicator_level": 10.0},
    "wiper": {"rain": 1e-3, "rain_level": -59.0, "wiper": 0.8, "wiper_level": 10.0},
}


@pytest.mark.parametrize("part", SOUNDING)
def test_a_part_has_the_level_against_the_road_that_was_drawn(part: str) -> None:
    road, both = wave(40.0, 8000), wave(40.0, 8000, **SOUNDING[part])
    kept = np.mean(road.astype(np.float64) * both)  # both have an RMS of one, and the rest is unlike the road
    assert 10 * np.log10(1 / kept**2 - 1) == pytest.approx(10, abs=1.0)


def test_what_passes_is_as_loud_as_it_was_drawn_where_it_is_nearest_and_falls_as_its_distance() -> None:
    noise, out = np.ones(8000, np.float32), np.zeros(8000, np.float32)
    passing_cpu(out, noise, 0.5, 3.0, 20.0, np.float32(2), 8000, 343.0)
    assert out.max() == out[4000] == 2
    late = np.arange(8000) / 8000 - 0.5
    away, fade = np.hypot(3.0, 20.0 * late), 1 - (20 * late / (REACH * 3.0)) ** 2
    assert np.abs(out - 2 * fade * 3 / away).max() < 1e-5


def test_parts_that_are_off_change_nothing() -> None:
    off = {"blower": 0, "hits": 0.0, "passing": 0.0, "indicator": 0.0, "window": 0.0, "rain": 0.0}
    loud = dict.fromkeys(("blower_level", "hit_level", "buffet", "passing_level", "indicator_level"), LOUD)
    assert wave(1.0, **off, **loud, wiper=1.0, wiper_level=LOUD).tobytes() == wave(1.0).tobytes()


def test_the_blower_hisses_from_200_hertz_to_6_kilohertz_and_its_law_is_the_fans() -> None:
    def made(stage: int, slope: float = 0.0) -> np.ndarray:
        return wave(20.0, blower=stage, blower_level=LOUD, blower_slope=slope, blade_level=-80.0)

    flat, steep = made(4), made(4, 6.0)
    assert abs(band(flat, 400, 800) - band(flat, 2000, 4000)) < 0.7
    assert band(flat, 400, 800) - band(flat, 45, 55) > 20
    assert band(flat, 3000, 4000) - band(flat, 7500, 8000) > 6
    assert band(steep, 700, 900) - band(steep, 1400, 1800) == pytest.approx(6, abs=0.7)
    below = [band(wave(20.0, **own), 45, 90) for own in ({}, {"blower": 4, "blower_level": 10.0})]
    assert below[0] - below[1] == pytest.approx(10 * np.log10(11), abs=0.4)  # the road fell by what the blower added
    against_road = [wave(20.0, road_slope=18.0, blower=n, blower_level=10.0, blade_level=-80.0) for n in (1, 2, 3, 4)]
    levels = [band(x, 3000, 5000) - band(x, 60, 90) for x in against_road]
    for stage, level in zip((2, 3, 4), levels[1:], strict=True):
        grown = 50 * np.log10((0.2 + 0.2 * stage) / 0.4)
        assert level - levels[0] == pytest.approx(grown, abs=1.0)


@pytest.mark.parametrize("stage", [1, 2, 3, 4])
def test_blades_pass_in_proportion_to_the_blowers_speed(stage: int) -> None:
    made = wave(8.0, blower=stage, blower_level=LOUD, blade=390.0, blade_level=0.0)
    expected = 390.0 * (0.2 + 0.2 * stage)
    assert peak(made, 90, 600) == pytest.approx(expected, rel=0.005)
    assert peak(made, 1.9 * expected, 2.1 * expected) == pytest.approx(2 * expected, rel=0.005)
    assert 100 <= 0.4 * OP.blade.values[0] <= OP.blade.values[1] <= 400


def test_hits_come_as_often_as_drawn_ring_where_drawn_and_fade_in_the_length_drawn() -> None:
    made = wave(60.0, 2000, hits=4.0, hit_level=LOUD, hit_frequency=60.0, hit_length=20.0, speed=30.0)
    envelope = np.abs(hilbert(made.astype(np.float64)))
    tall = find_peaks(envelope, height=0.1 * envelope.max(), distance=40)[0]
    assert 60 * 4 * 0.75 < len(tall) < 60 * 4 * 1.15  # some fall together
    hertz, power = welch(made.astype(np.float64), 2000, nperseg=2048)
    assert 60 / 2**0.6 < hertz[np.argmax(power)] < 60 * 2**0.6
    assert power[hertz < 150].sum() > 0.95 * power.sum()
    falls = [20 * np.log10(envelope[i + 40] / envelope[i]) for i in tall[:-5]]
    assert -20 * 2**0.5 - 3 < np.median(falls) < -20 / 2**0.5 + 3


def test_the_rear_axle_follows_the_front_by_the_wheelbase() -> None:
    made = wave(60.0, 1000, hits=2.0, hit_level=LOUD, hit_frequency=60.0, hit_length=15.0, speed=25.0)
    envelope = np.abs(hilbert(made.astype(np.float64)))
    envelope -= envelope.mean()
    likeness = np.fft.irfft(np.abs(np.fft.rfft(envelope, 2 * len(envelope))) ** 2)[:1000]
    lag = WHEELBASE / (25 / 3.6) * 1000
    assert 100 + np.argmax(likeness[100:]) == pytest.approx(lag, abs=5)


@pytest.mark.parametrize("hertz", [10.0, 17.0, 25.0])
def test_an_open_window_buffets_with_a_tone_where_it_was_drawn(hertz: float) -> None:
    made = wave(10.0, 1000, window=1.0, buffet=LOUD, buffet_frequency=hertz)
    assert peak(made, 5, 60, 1000) == pytest.approx(hertz, rel=0.035)
    frequency, power = welch(made.astype(np.float64), 1000, nperseg=2000)
    near = np.abs(frequency / hertz - 1) < 0.15
    assert power[near].sum() > 0.9 * power.sum()
    ajar = wave(10.0, 1000, window=0.1, buffet=20.0, buffet_frequency=hertz)
    wide = wave(10.0, 1000, window=1.0, buffet=20.0, buffet_frequency=hertz)
    against = [band(x, 8, 30, 1000) - band(x, 100, 300, 1000) for x in (ajar, wide)]
    assert against[1] - against[0] == pytest.approx(20, abs=1.5)


def test_what_passes_swells_fades_and_falls_in_pitch_as_doppler_says() -> None:
    rate, speed = 8000, 40.0
    tone = np.cos(2 * np.pi * 500 * np.arange(rate) / rate).astype(np.float32)
    out = np.zeros(4 * rate, np.float32)
    passing_cpu(out, tone, 2.0, 3.0, speed, np.float32(1), rate, 343.0)
    coming, going = out[rate : rate + 4000], out[3 * rate - 4000 : 3 * rate]
    assert peak(coming, 300, 800, rate) == pytest.approx(500 * (1 + speed / 343), rel=0.003)
    assert peak(going, 300, 800, rate) == pytest.approx(500 * (1 - speed / 343), rel=0.003)


def test_cars_pass_as_often_as_drawn_and_louder_with_the_window_open() -> None:
    def frames(**changed: Any) -> np.ndarray:
        made = wave(120.0, 8000, speed=60.0, road_corner=40.0, road_slope=12.0, passing=0.1, **changed)
        spectra = np.abs(np.fft.rfft(made.reshape(-1, 800).astype(np.float64))) ** 2
        return 10 * np.log10(spectra[:, 60:200].sum(1) / spectra[:, 4:10].mean())

    far, near = frames(passing_level=20.0, window=0.0), frames(passing_level=20.0, window=1.0, buffet=-80.0)
    assert near.max() - far.max() == pytest.approx(10, abs=1.5)
    peaks = find_peaks(np.convolve(near, np.ones(5) / 5, "same"), height=10, prominence=6)[0]
    assert 7 <= len(peaks) <= 18  # of a Poisson process with a mean of 12


def test_the_indicator_clicks_twice_a_flash_and_in_time() -> None:
    made = wave(10.0, indicator=1.6, indicator_level=LOUD, key=99)
    when = find_peaks(np.abs(made), height=0.3 * np.abs(made).max(), distance=RATE // 8)[0] / RATE
    assert len(when) in (31, 32, 33)
    gaps = np.diff(when)
    assert gaps == pytest.approx(0.5 / 1.6, abs=0.003)


def test_the_wiper_strokes_twice_a_period_and_only_in_rain() -> None:
    made = wave(20.0, 8000, rain=1e-3, rain_level=-50.0, wiper=0.8, wiper_level=LOUD)
    swish = sosfiltfilt(butter(4, 400, "highpass", fs=8000, output="sos"), made)  # without the thumps
    level = np.mean(swish.reshape(-1, 400) ** 2, 1)  # 20 a second
    power = np.abs(np.fft.rfft(level - level.mean())) ** 2
    hertz = np.fft.rfftfreq(len(level), 1 / 20)
    assert all(power[np.argmin(np.abs(hertz - k * 0.8))] > 20 * np.median(power) for k in (1, 2))
    assert np.argmax(power) == np.argmin(np.abs(hertz - 1.6))
    assert (level < 0.05 * level.mean()).mean() > 0.15  # it rests for a fifth of the period
    assert wave(1.0, wiper=0.8, wiper_level=LOUD).tobytes() == wave(1.0).tobytes()


@pytest.mark.parametrize("depth", [2.0, 6.0])
def test_gusts_swing_between_extremes_that_lie_as_far_apart_as_drawn(depth: float) -> None:
    share = gust_share(depth)
    assert 20 * np.log10((1 + share) / (1 - share)) == pytest.approx(depth)
    made = wave(120.0, 8000, wind=60.0, gust_depth=depth, gust_rate=1.0)
    level = 10 * np.log10(np.mean(made.reshape(-1, 1600).astype(np.float64) ** 2, 1))
    assert 0.75 * depth < np.ptp(level) < depth + 1.5  # a fifth of a second scatters by half a decibel


def test_a_strike_is_a_fading_sine_wherever_its_moment_lies() -> None:
    moments, fade, step = np.array([-20.5, 100.25]), np.array([0.01, 0.02]), np.array([0.05, 0.11])
    out = np.zeros(2000, np.float32)
    sound.strikes_cpu(out, moments, step, fade, np.array([1.0, 2.0]))
    n = np.arange(2000)
    expected = np.zeros(2000)
    for moment, each, turn, height in zip(moments, fade, step, (1.0, 2.0), strict=True):
        late = n - moment
        expected += np.where(late >= 0, height * np.exp(-each * late) * np.sin(2 * np.pi * turn * late), 0)
    assert np.abs(out - expected).max() < 2e-3 * 2  # cut 60 dB down
    alone = np.zeros(2000, np.float32)
    sound.strikes_cpu(alone, moments[1:], step[1:], fade[1:], np.array([1.0]))
    energy = float(ring_energy(np.array(0.11), np.array(0.02)))
    assert np.sum(alone.astype(np.float64) ** 2) == pytest.approx(energy, rel=0.01)
