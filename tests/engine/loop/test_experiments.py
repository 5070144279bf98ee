"""The experiments' rows: what trains, tunes and reports shares no clip, image, coil or recording."""

import itertools
from pathlib import Path

import numpy as np
import pytest

from benchmarks.loop import digits, e1, e2, e6, steel
from benchmarks.loop.line_scan import under_exposed

PARTS = ("train", "tune", "report")


def test_no_clip_is_in_two_parts_and_none_is_left_out(real: Path) -> None:
    parts = {name: set(digits.part(real, name).ids) for name in PARTS}
    for one, other in itertools.combinations(PARTS, 2):
        assert not parts[one] & parts[other]
    assert sum(map(len, parts.values())) == len(digits.clips(real))


@pytest.mark.parametrize("seed", range(5))
def test_what_trains_is_of_the_train_part_and_of_all_speakers_alike(real: Path, seed: int) -> None:
    clips = digits.trained(real, seed)
    assert set(clips.ids) <= set(digits.part(real, "train").ids)
    assert len(set(clips.ids)) == 600
    for digit in range(10):
        counts = np.unique(clips.speaker[clips.digit == digit], return_counts=True)[1]
        assert counts.tolist() == [10] * 6


def test_a_held_out_speaker_is_never_heard_in_training(real: Path) -> None:
    clips = digits.trained(real, 0, without=e1.HELD_OUT)
    assert e1.HELD_OUT not in clips.speaker
    assert len(clips) == 600


def test_recordings_of_noise_are_in_one_part_each_and_only_traffic_is_judged_on(real: Path) -> None:
    files = digits.recordings(real)
    for one, other in itertools.combinations(PARTS, 2):
        assert not set(files[one]) & set(files[other])
    traffic = {path.name for pattern in digits.TRAFFIC for path in (real / "noise").glob(pattern)}
    assert set(files["tune"]) | set(files["report"]) <= traffic
    assert min(map(len, files.values())) >= 2


def test_the_rows_of_an_experiment_are_of_their_part_whatever_the_seed(real: Path) -> None:
    tune, report = (set(e1.asked(real, name).cluster) for name in ("tune", "report"))
    assert tune == set(digits.part(real, "tune").ids)
    assert report == set(digits.part(real, "report").ids)
    for seed in range(2):
        assert set(e6.stream(real, seed).clips.ids) == report


def test_no_strip_no_double_and_no_block_of_neighbours_is_in_two_parts(real: Path) -> None:
    parts = {name: steel.part(real, name) for name in PARTS}
    for one, other in itertools.combinations(PARTS, 2):
        assert not set(parts[one].ids) & set(parts[other].ids)
        assert not set(parts[one].block) & set(parts[other].block)
        same = {image.tobytes() for image in parts[one].pixels} & {image.tobytes() for image in parts[other].pixels}
        assert not same
    assert sum(map(len, parts.values())) == len(steel.strips(real))
    for strips in parts.values():
        assert np.bincount(strips.label, minlength=7).min() >= 10


def test_the_engine_sees_nothing_of_the_rows_that_report(real: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    own = steel.part

    def told(data: Path, name: str) -> steel.Strips:
        asked.append(name)
        return own(data, name)

    monkeypatch.setattr(steel, "part", told)
    pool = own(real, "train")
    assert e2.overrides(real, pool.where(np.arange(0, len(pool), 20)))
    assert asked == ["tune"]


def test_an_under_exposed_image_is_darker_noisier_and_the_same_for_the_same_seed() -> None:
    plain = np.full((8, 32, 32), 130, np.uint8)
    dark = under_exposed(plain, 3)
    assert dark.mean() < 0.6 * plain.mean()
    assert dark.std(axis=(1, 2)).min() > 0
    np.testing.assert_array_equal(dark, under_exposed(plain, 3))
    assert (dark != under_exposed(plain, 4)).any()


def test_speech_is_mixed_at_the_level_that_was_asked_for() -> None:
    generator = np.random.default_rng(0)
    waves = generator.normal(0, digits.SPOKEN, (4, digits.WINDOW)).astype(np.float32)
    bank = {"street": generator.normal(0, 0.3, 4 * digits.WINDOW)}
    asked = np.array([0.0, 5.0, 10.0, -5.0])
    noise = digits.mixed(waves, bank, asked, 1)[0].astype(np.float64) - waves
    got = 20 * np.log10(digits.SPOKEN / np.sqrt((noise**2).mean(axis=1)))
    np.testing.assert_allclose(got, asked, atol=0.01)
