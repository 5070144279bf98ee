"""A room: every octave band decays in the T60 drawn, and a talker farther away is heard less directly."""

from typing import Any

import numpy as np
import pytest
from scipy.signal import butter, sosfilt, sosfiltfilt

from sliceforge.engine.build import build
from sliceforge.engine.compose import load_recipe
from sliceforge.engine.errors import SettingError
from sliceforge.engine.keys import Keys
from sliceforge.engine.op import Shapes
from sliceforge.engine.stepwise import make
from sliceforge.kernels.audio.room import CLEAR, Room, places
from sliceforge.kernels.noise import pieces

BANDS = (500, 1000, 2000, 4000)


def rows(count: int, **settings: Any) -> list[dict[str, Any]]:
    none = np.zeros(count, np.int64)
    keys = Keys.of(4, [str(i) for i in range(count)]).at("room")
    plan = build(Room, settings, "steps.room").draw(keys, Shapes(none + 8000, none + 16000, none, none))
    return [{name: column[i] for name, column in plan.items()} for i in range(count)]


def response(row: dict[str, Any], rate: int) -> np.ndarray:
    op: Room = build(Room, {}, "steps.room")
    return op.response(rate, None, **row)


def t20(h: np.ndarray, rate: int) -> float:
    """ISO 3382: a line through −5…−25 dB of Schroeder's backward integral, times three."""
    left = np.cumsum(h[::-1] ** 2)[::-1]
    level = 10 * np.log10(np.maximum(left / left[0], 1e-30))
    at = np.flatnonzero((level <= -5) & (level >= -25))
    return float(-60 / np.polyfit(at / rate, level[at], 1)[0])


def octave(h: np.ndarray, middle: float, rate: int, order: int = 3, both_ways: bool = False) -> np.ndarray:
    edges = [middle / np.sqrt(2), min(middle * np.sqrt(2), 0.499 * rate)]
    run = sosfiltfilt if both_ways else sosfilt
    padded = np.pad(h, (rate // 10, rate // 2))
    filtered: np.ndarray = run(butter(order, edges, "band", fs=rate, output="sos"), padded)
    return filtered


@pytest.mark.parametrize(("rate", "t60"), [(8000, [0.2, 0.4]), (16000, [0.2, 1.3]), (44100, [0.2, 1.3])])
def test_every_octave_band_decays_in_the_t60_drawn_by_whatever_filter_it_is_heard(rate: int, t60: list[float]) -> None:
    # The fewer waves a band holds until it has died away, the more its decay depends on the filter.
    for row in rows(20, t60=t60):
        h = response(row, rate)
        for middle in BANDS if rate > 12000 else BANDS[:3]:
            for order, both_ways in ((2, False), (3, False), (6, False), (3, True)):
                assert t20(octave(h, middle, rate, order, both_ways), rate) == pytest.approx(float(row["t60"]), rel=0.1)


def test_the_direct_path_is_the_first_sample_and_the_energy_is_one() -> None:
    for row in rows(20):
        h = response(row, 16000)
        assert np.sum(h**2) == pytest.approx(1, abs=1e-12)
        assert h[0] > 0
        # Nothing else comes before sound has made a way that is longer than the direct one.
        assert np.argmax(np.abs(h[:4])) == 0


def test_a_talker_farther_away_is_heard_less_directly() -> None:
    """From 0.5 to 2 m the direct path loses 12 dB against echoes that are as loud anywhere."""
    shares = [np.median([response(row, 16000)[0] ** 2 for row in rows(40, distance=d)]) for d in (0.5, 2.0)]
    near, far = (10 * np.log10(share / (1 - share)) for share in shares)
    assert near - far == pytest.approx(20 * np.log10(2 / 0.5), abs=2)


def test_the_tail_is_as_loud_as_theory_says() -> None:
    """Barron and Lee: a diffuse field is 31200 · T / V over the direct path at 1 m's 100, in a room not too dead."""
    found, theory = [], []
    for row in rows(40, t60=[0.8, 1.3], distance=[1.0, 1.5]):
        h = response(row, 16000)
        volume = float(row["width"] * row["height"] * row["length"])
        diffuse = 312 * float(row["t60"]) / volume * float(row["distance"]) ** 2
        found.append(10 * np.log10((1 - h[0] ** 2) / h[0] ** 2))
        theory.append(10 * np.log10(diffuse))
    assert np.median(np.array(found) - theory) == pytest.approx(0, abs=2)


def test_talker_and_microphone_are_in_the_room_and_as_far_apart_as_drawn() -> None:
    for row in [*rows(300), *rows(50, width=1.6, length=2, distance=[0.7, 5])]:
        size = np.array([row[name] for name in ("width", "height", "length")], np.float64)
        mouth, ear = places(size, float(row["distance"]), pieces(int(row["key"])))
        assert np.linalg.norm(mouth - ear) == pytest.approx(row["distance"])
        for place in (mouth, ear):
            assert ((place >= CLEAR - 1e-6) & (place <= size - CLEAR + 1e-6))[[0, 2]].all()
            assert 0.9 - 1e-6 <= place[1] <= 1.8 + 1e-6


def test_a_distance_that_no_room_holds_is_refused() -> None:
    with pytest.raises(SettingError, match=r"steps\.room\.distance: 4: expected at most 2\.2 m in rooms this small"):
        build(Room, {"distance": 4}, "steps.room")


def test_a_clap_across_the_room_decays_in_the_t60_of_its_row() -> None:
    recipe = load_recipe("speech/far_field", "steps.level.p=0")
    clap = np.zeros(24000, np.float32)
    clap[100] = 0.9
    for row in rows(5, t60=[0.3, 1.0]):
        made = make(recipe, clap, 16000, {"level.on": False} | {f"room.{name}": value for name, value in row.items()})
        heard = made.item[100:].astype(np.float64)
        assert not made.item[:100].any()
        assert [t20(octave(heard, middle, 16000), 16000) for middle in (1000, 2000)] == pytest.approx(
            [float(row["t60"])] * 2, rel=0.1
        )
