"""Reverberation: the direct path stays at its sample, the energy is one, and a cabin decays as fast as was drawn."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from scipy.signal import butter, fftconvolve, sosfilt
from signals import voice

from sliceforge.engine.banks import Shelf
from sliceforge.engine.build import build
from sliceforge.engine.errors import SettingError
from sliceforge.engine.keys import Keys
from sliceforge.engine.op import Inventory, Shapes
from sliceforge.engine.parse import from_config
from sliceforge.engine.stepwise import make
from sliceforge.kernels import shoebox
from sliceforge.kernels.audio.reverb import Reverb, places

BANK = {"rirs": Inventory(["church", "hall"], np.array([2.0, 1.0]))}


def plan_of(count: int, banks: dict[str, Inventory] | None = None, **settings: Any) -> dict[str, np.ndarray]:
    none = np.zeros(count, np.int64)
    keys = Keys.of(4, [str(i) for i in range(count)]).at("reverb")
    shapes = Shapes(none + 8000, none + 16000, none, none, banks or {})
    drawn: dict[str, np.ndarray] = build(Reverb, settings, "steps.reverb").draw(keys, shapes)
    return drawn


def rows(count: int, **settings: Any) -> list[dict[str, Any]]:
    plan = plan_of(count, **settings)
    return [{name: column[i] for name, column in plan.items()} for i in range(count)]


def response(row: dict[str, Any], rate: int, sound: np.ndarray | None = None) -> np.ndarray:
    op: Reverb = build(Reverb, {}, "steps.reverb")
    return op.response(rate, sound, **row)


def decay_time(h: np.ndarray, rate: int, low: float, high: float) -> float:
    """Schroeder's backward integral, and a line through it between two levels in dB."""
    left = np.cumsum(h[::-1] ** 2)[::-1]
    level = 10 * np.log10(np.maximum(left / left[0], 1e-30))
    at = (level <= high) & (level >= low)
    return float(-60 / np.polyfit(np.flatnonzero(at) / rate, level[at], 1)[0])


@pytest.mark.parametrize(("rate", "middles"), [(16000, (2000, 4000)), (44100, (2000, 4000, 8000))])
def test_a_cabin_decays_as_fast_as_was_drawn(rate: int, middles: tuple[int, ...]) -> None:
    """In bands that are wide enough for so quick a decay: below, a band's own filter rings for as long."""
    for row in rows(20):
        h = response(row, rate)
        for middle in middles:
            edges = [middle / np.sqrt(2), min(middle * np.sqrt(2), 0.499 * rate)]
            band = sosfilt(butter(3, edges, "band", fs=rate, output="sos"), np.pad(h, (0, rate // 4)))
            assert decay_time(band, rate, -25, -5) == pytest.approx(row["t60"], rel=0.15 if middle < 8000 else 0.3)


@pytest.mark.parametrize("rate", [8000, 44100])
def test_the_direct_path_is_the_first_sample_and_the_energy_is_one(rate: int) -> None:
    for row in rows(25):
        h = response(row, rate)
        assert np.sum(h**2) == pytest.approx(1, abs=1e-12)
        assert h[0] > 0.1
        assert np.argmax(np.abs(h[: rate // 5000])) == 0


def test_a_farther_microphone_hears_less_of_the_direct_path() -> None:
    """The echoes are as loud anywhere; the direct path loses 20·log10(1/0.3) = 10.5 dB."""
    shares = [np.median([response(row, 16000)[0] ** 2 for row in rows(60, distance=d)]) for d in (0.3, 1.0)]
    near, far = (10 * np.log10(share / (1 - share)) for share in shares)
    assert near - far == pytest.approx(20 * np.log10(1 / 0.3), abs=3)


def test_the_first_reflections_come_when_geometry_says() -> None:
    size, mouth, ear = np.array([1.4, 1.2, 2.2]), np.array([0.5, 0.8, 1.3]), np.array([0.8, 1.0, 0.7])
    distance, order = shoebox.images(size, mouth, ear, 30.0)
    direct = np.linalg.norm(mouth - ear)
    assert distance[order == 0] == pytest.approx([direct])
    walls = []
    for axis in range(3):
        for wall in (0.0, size[axis]):
            image = mouth.copy()
            image[axis] = 2 * wall - mouth[axis]
            walls.append(np.linalg.norm(image - ear))
    assert np.sort(distance[order == 1]) == pytest.approx(np.sort(walls))
    # As many images as the volume of the sphere holds rooms.
    assert len(distance) == pytest.approx(4 / 3 * np.pi * 30**3 / size.prod(), rel=0.02)
    wave = shoebox.response(size, mouth, ear, 0.05, 48000, (1.0, 2.0, 3.0))
    assert np.argmax(wave[20:90]) + 20 == pytest.approx((min(walls) - direct) / 343 * 48000, abs=1)


def test_no_boom_is_left_below_the_first_mode() -> None:
    level = []
    for row in rows(40):
        power = np.abs(np.fft.rfft(response(row, 16000), 1 << 14)) ** 2
        hertz = np.fft.rfftfreq(1 << 14, 1 / 16000)
        level.append([power[(hertz > low) & (hertz < high)].mean() for low, high in ((0, 20), (20, 60), (300, 3000))])
    quiet, low, middle = 10 * np.log10(np.mean(level, axis=0))
    assert quiet < middle - 3
    assert low < middle + 6


def test_the_microphone_is_in_the_cabin_and_as_far_away_as_drawn() -> None:
    for row in rows(400):
        size = np.array([row[name] for name in ("width", "height", "length")], np.float64)
        mouth, ear = places(size, float(row["distance"]), int(row["key"]))
        assert np.linalg.norm(mouth - ear) == pytest.approx(row["distance"])
        assert ((ear >= 0.05) & (ear <= size - 0.05)).all()
        assert ear[2] < mouth[2]


def test_a_distance_that_no_cabin_holds_is_refused() -> None:
    with pytest.raises(SettingError, match=r"steps\.reverb\.distance: 2: expected at most 1 m in a cabin"):
        build(Reverb, {"distance": 2}, "steps.reverb")


def test_speech_stays_where_it_is() -> None:
    """Of the causal responses, only one whose strongest sample is its first leaves the peak of a click in its place."""
    recipe = from_config({"steps": {"reverb": {"op": "audio/reverb", "distance": 0.3}}})
    click = np.zeros(4000, np.float32)
    click[1234] = 0.5
    for row in rows(20, distance=0.3):
        made = make(recipe, click, 16000, {f"reverb.{name}": value for name, value in row.items()})
        assert len(made.item) == 4000
        assert not made.item[:1234].any()
        assert abs(made.item[1234]) > 0.05


def test_a_bank_item_begins_at_its_main_peak() -> None:
    sound = np.zeros(500, np.float32)
    sound[[90, 100, 160, 400]] = 0.1, -0.8, 0.3, 0.05
    h = response({}, 8000, sound)
    assert len(h) == 400
    assert h[[0, 60, 300]] / h[0] == pytest.approx([1, -0.3 / 0.8, -0.05 / 0.8])
    assert np.sum(h**2) == pytest.approx(1)


def test_either_takes_half_from_the_bank_and_without_one_the_cabin() -> None:
    plan = plan_of(2000, BANK, source="either")
    banked = plan["source"] == "bank"
    assert banked.mean() == pytest.approx(0.5, abs=0.05)
    assert set(plan["item"][banked]) == {"church", "hall"}
    assert set(plan["item"][~banked]) == {""}
    assert not plan["t60"][banked].any()
    assert plan["t60"][~banked].min() >= 0.03
    assert set(plan_of(50, source="either")["source"]) == {"cabin"}
    assert set(plan_of(50, BANK)["source"]) == {"cabin"}
    with pytest.raises(SettingError, match=r"^banks\.rirs: .*banks\.rirs=FOLDER"):
        plan_of(1, source="bank")


def test_one_of_several_channels_is_drawn_and_none_is_a_mean(tmp_path: Path) -> None:
    channels = np.zeros((400, 3), np.float32)
    channels[[10, 20, 30], [0, 1, 2]] = 0.9
    channels[[110, 220, 330], [0, 1, 2]] = 0.3
    soundfile.write(tmp_path / "array.wav", channels, 8000, subtype="FLOAT")
    shelf = Shelf.open({"rirs": str(tmp_path)})
    recipe = from_config({"steps": {"reverb": {"op": "audio/reverb", "source": "bank"}}})
    plan = plan_of(300, shelf.inventories(), source="bank")
    click = np.zeros(500, np.float32)
    click[50] = 0.9
    second = []
    for i in range(300):
        row = {f"reverb.{name}": column[i] for name, column in plan.items()}
        made = make(recipe, click, 8000, row, shelf)
        second.append(int(np.argmax(made.item[60:])) + 10)
        assert np.count_nonzero(np.abs(made.item) > 0.01) == 2
    assert {at: second.count(at) > 60 for at in second} == {100: True, 200: True, 300: True}


@pytest.mark.skipif("SLICEFORGE_DATA" not in os.environ, reason="SLICEFORGE_DATA names no folder of real material")
@pytest.mark.parametrize("rate", [8000, 44100])
def test_real_responses_of_any_rate_and_channels(rate: int) -> None:
    shelf = Shelf.open({"rirs": str(Path(os.environ["SLICEFORGE_DATA"]) / "rirs")})
    recipe = from_config({"steps": {"reverb": {"op": "audio/reverb", "source": "bank"}}})
    plan = plan_of(20, shelf.inventories(), source="bank")
    assert len(set(plan["item"])) == 6
    parent = voice(0.5, rate) * np.float32(0.3)
    for i in range(20):
        row = {f"reverb.{name}": column[i] for name, column in plan.items()}
        made = make(recipe, parent, rate, row, shelf)
        sound = shelf.sound("rirs", row["reverb.item"], rate, float(row["reverb.channel"])).astype(np.float64)
        sound = sound[np.argmax(np.abs(sound)) :]
        plain = fftconvolve(parent, sound / np.sqrt(np.sum(sound**2)))[: len(parent)]
        assert np.abs(made.item - plain * min(1, 10 ** (-0.1 / 20) / np.abs(plain).max())).max() < 1e-4
