"""Babble is speech of others: it is modulated as speech is, and the clip's own speaker is never among the talkers."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from scipy.signal import butter, sosfilt
from signals import voice

from sliceforge.engine.banks import Shelf
from sliceforge.engine.build import build
from sliceforge.engine.compose import load_recipe
from sliceforge.engine.errors import SettingError
from sliceforge.engine.keys import Keys
from sliceforge.engine.op import Inventory, Shapes
from sliceforge.engine.parse import from_config
from sliceforge.kernels.audio.babble import Babble
from sliceforge.kernels.loudness import rms

RATE = 8000
SPEAKERS = {"ann": 3, "bob": 1, "cy": 2, "dan": 4, "eve": 2}
IDS = [f"{name} {i}" for name, count in SPEAKERS.items() for i in range(count)]
GROUPS = [item.split()[0] for item in IDS]
BANK = Inventory(IDS, np.linspace(0.3, 4, len(IDS)), groups=GROUPS)
COUNT = 3000


def babble(**settings: Any) -> Babble:
    made: Babble = build(Babble, settings, "steps.babble")
    return made


def plan_of(op: Babble, bank: Inventory = BANK, own: list[str] | None = None, split: str = "train") -> dict[str, Any]:
    none, whose = np.zeros(COUNT, np.int64), np.resize(np.array(own or [*SPEAKERS, "zoe", "=item"], object), COUNT)
    splits = np.full(COUNT, split, object)
    shapes = Shapes(none + 2 * RATE, none + RATE, none, none, {"voices": bank}, whose, splits)
    return op.draw(Keys.of(1, [str(i) for i in range(COUNT)]).at("babble"), shapes) | {"own": whose}


def talkers(plan: dict[str, Any], row: int) -> list[str]:
    names = [plan[f"item_{k}"][row] for k in range(1, 17) if f"item_{k}" in plan]
    assert all(names[: plan["talkers"][row]])
    assert not any(names[plan["talkers"][row] :])
    return [name.split()[0] for name in names if name]


def test_no_talker_is_the_clips_own_speaker_and_none_talks_twice() -> None:
    plan = plan_of(babble(talkers=[1, 4]))
    heard = [talkers(plan, row) for row in range(COUNT)]
    assert all(own not in some and len(set(some)) == len(some) for own, some in zip(plan["own"], heard, strict=True))
    assert {len(some) for some in heard} == {1, 2, 3, 4}
    first = [some[0] for own, some in zip(plan["own"], heard, strict=True) if own == "zoe"]
    shares = np.array([first.count(name) for name in SPEAKERS]) / len(first)
    np.testing.assert_allclose(shares, 0.2, atol=4 * np.sqrt(0.16 / len(first)))


def test_where_there_are_fewer_others_fewer_talk() -> None:
    plan = plan_of(babble(talkers=7))
    assert set(plan["talkers"][plan["own"] == "ann"]) == {4}
    assert set(plan["talkers"][plan["own"] == "zoe"]) == {5}
    alone = plan_of(babble(), Inventory(["a", "b"], np.ones(2), groups=["ann", "ann"]), ["ann"])
    assert not alone["talkers"].any()
    assert not any(alone["item_1"])


def test_items_of_another_split_are_not_heard_and_items_of_nobody_are_one_speaker_each() -> None:
    held = Inventory(IDS, BANK.seconds, groups=GROUPS, splits=["test" if one == "dan" else "" for one in GROUPS])
    plan = plan_of(babble(), held)
    assert not any("dan" in talkers(plan, row) for row in range(300))
    assert any("dan" in talkers(plan_of(babble(), held, split="test"), row) for row in range(30))
    nobody = plan_of(babble(talkers=2), Inventory(["a", "b", "c"], np.ones(3), groups=["=a", "=b", "=c"]), ["=b"])
    assert {talkers(nobody, row)[0] for row in range(200)} == {"a", "c"}


def test_a_row_depends_on_its_own_key_and_speaker_only() -> None:
    op, none = babble(), np.zeros(50, np.int64)
    whose, keys = np.resize(np.array([*SPEAKERS], object), 50), Keys.of(1, [str(i) for i in range(50)]).at("babble")
    shapes = Shapes(none + RATE, none + RATE, none, none, {"voices": BANK}, whose)
    rows = np.array([41, 3, 17])
    some = op.draw(keys.take(rows), shapes.take(rows))
    for name, column in op.draw(keys, shapes).items():
        assert column[rows].tolist() == some[name].tolist()


def test_each_talker_has_its_own_level_and_the_sum_an_rms_of_one() -> None:
    t = np.arange(3 * RATE) / RATE
    tones = [np.float32(0.1 * k) * np.sin(2 * np.pi * 200 * k * t).astype(np.float32) for k in (1, 2, 3)]
    row = {f"offset_{k}": 100 * k for k in (1, 2, 3)} | {"level_1": -5.0, "level_2": 0.0, "level_3": 4.0}
    made = babble().wave(2 * RATE, RATE, talkers=3, sounds=tones, **row)
    assert rms(made) == pytest.approx(1, abs=1e-6)
    lines = 20 * np.log10(np.abs(np.fft.rfft(made))[[400, 800, 1200]])
    np.testing.assert_allclose(np.diff(lines), [5, 4], atol=0.01)
    assert not babble().wave(100, RATE, talkers=0, sounds=[]).any()


def test_a_bank_that_is_not_there_is_named() -> None:
    none = np.zeros(1, np.int64)
    with pytest.raises(SettingError, match=r"^banks\.voices: .*banks\.voices=FOLDER; did you mean voice\?$"):
        babble().draw(Keys.of(1, ["a"]), Shapes(none, none, none, none, {"voice": BANK}))
    with pytest.raises(SettingError, match="talkers"):
        babble(talkers=0)


def test_one_array_hears_the_others_of_its_bank(tmp_path: Path) -> None:
    t = np.arange(2 * RATE) / RATE
    for name, pitch in (("ann", 300), ("bob", 900)):
        for i in range(2):
            soundfile.write(tmp_path / f"{name}_{i}.wav", 0.3 * np.sin(2 * np.pi * pitch * t), RATE)
    steps = {"babble": {"op": "audio/babble"}, "mix": {"op": "audio/mix", "source": "babble", "reference": "rms"}}
    recipe, clip = from_config({"steps": steps}), voice(2, RATE, 137)
    for group, there, absent in (("ann", 900, 300), ("bob", 300, 900)):
        made = recipe(clip, RATE, "x", banks={"voices": f"{tmp_path}/{{speaker}}_{{index}}"}, group=group)
        scale = float((made * clip).sum() / np.square(clip).sum())
        spectrum = np.abs(np.fft.rfft(made - scale * clip))[[2 * there, 2 * absent]]
        assert spectrum[0] > 100 * spectrum[1]
    with pytest.raises(SettingError, match=r"^banks\.voices: is needed"):
        recipe(clip, RATE, "x")


def modulation(x: np.ndarray) -> float:
    """How much of a sound's loudness from 300 to 3400 Hz comes and goes 2 to 8 times a second: RMS of that part of its
    envelope against the envelope's mean."""
    band = sosfilt(butter(4, [300, 3400], "bandpass", fs=RATE, output="sos"), x)
    envelope = np.sqrt(np.square(band[: len(band) // 80 * 80]).reshape(-1, 80).mean(axis=1))
    slow = np.abs(np.fft.rfft(envelope)) * 2 / len(envelope)
    hertz = np.fft.rfftfreq(len(envelope), 0.01)
    there = (hertz >= 2) & (hertz <= 8)
    return float(np.sqrt(np.square(slow[there]).sum() / 2) / envelope.mean())


class Voices(Shelf):
    """A bank whose every item is a voice of its own pitch."""

    def sound(self, bank: str, item: str, rate: int, channel: float | None = None) -> np.ndarray:
        return voice(3, rate, 90 + 17 * IDS.index(item))


def noises(name: str, count: int) -> list[np.ndarray]:
    """What the last mix of a recipe adds to some clips."""
    from sliceforge.engine.op import Mix
    from sliceforge.engine.supply import Sounds

    recipe = load_recipe(name)
    none = np.zeros(count, np.int64)
    shapes = Shapes(none + 3 * RATE, none + RATE, none, none, {"voices": BANK}, np.full(count, "ann", object))
    columns = recipe.draw(Keys.of(2, [str(i) for i in range(count)]), shapes)
    step, mix = [(step, step.op) for step in recipe.steps if isinstance(step.op, Mix)][-1]
    made = []
    for i in range(count):
        row = {column: value[i] for column, value in columns.items()}
        sounds = Sounds(recipe, row, RATE, Voices.open({}))
        made.append(sounds.noise(mix, recipe.draws(step, row), 3 * RATE))
    return made


def test_babble_comes_and_goes_as_syllables_do_and_no_sibling_does() -> None:
    talk = [modulation(sound) for sound in noises("speech/car_babble", 8)]
    assert min(talk) > 0.3
    for sibling in ("car_noise", "car_city", "car_highway", "car_cobbles", "car_hvac", "car_window"):
        other = [modulation(sound) for sound in noises(f"speech/{sibling}", 3)]
        assert np.median(talk) > 3 * np.median(other), sibling
        assert min(talk) > max(other), sibling
