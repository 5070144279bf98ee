"""Banks: what can be used is listed and hashed, and a short sound goes on without a seam."""

import functools
from pathlib import Path

import numpy as np
import pytest
import soundfile

from sliceforge.engine.banks import Bank, Shelf
from sliceforge.engine.errors import InputError, SettingError
from sliceforge.engine.excerpts import FADE, Kept, excerpt, sound


def noise(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 0.1, count).astype(np.float32)


def opened(name: str, path: str) -> Bank:
    return Shelf.open({name: path}).bank(name)


@pytest.fixture
def street(tmp_path: Path) -> Path:
    """Three usable items and three that are not."""
    folder = tmp_path / "street"
    (folder / "day").mkdir(parents=True)
    soundfile.write(folder / "b.wav", noise(8000), 16000, subtype="FLOAT")
    soundfile.write(folder / "a.flac", noise(11025, 1), 44100)
    soundfile.write(folder / "day" / "two.wav", np.stack([noise(4000, 2), noise(4000, 3)], 1), 8000, subtype="FLOAT")
    soundfile.write(folder / "silent.wav", np.zeros(4000), 8000)
    soundfile.write(folder / "nan.wav", np.full(4000, np.nan, np.float32), 8000, subtype="FLOAT")
    (folder / "broken.wav").write_bytes(b"RIFF")
    (folder / "readme.txt").write_text("x")
    return folder


def test_a_bank_lists_what_can_be_used_and_says_why_the_rest_cannot(street: Path) -> None:
    bank = opened("noise", str(street))
    assert tuple(bank.inventory.ids) == ("a", "b", "day/two")
    assert {reject.id: reject.reason for reject in bank.rejects} == {
        "silent": "silent",
        "nan": "non_finite",
        "broken": "unreadable",
    }
    np.testing.assert_allclose(bank.inventory.seconds, [0.25, 0.5, 0.5])


def test_the_digest_is_of_ids_and_contents_wherever_the_bank_lies(street: Path, tmp_path: Path) -> None:
    first = opened("noise", str(street)).digest
    street.rename(tmp_path / "moved")
    assert opened("other", str(tmp_path / "moved")).digest == first
    (tmp_path / "moved" / "b.wav").rename(tmp_path / "moved" / "c.wav")
    renamed = opened("noise", str(tmp_path / "moved")).digest
    soundfile.write(tmp_path / "moved" / "c.wav", noise(8000, 9), 16000, subtype="FLOAT")
    assert len({first, renamed, opened("noise", str(tmp_path / "moved")).digest}) == 3


def test_a_table_is_a_bank_too(street: Path) -> None:
    (street / "bank.csv").write_text("id,path\nx,b.wav\ny,../b.wav\nz,missing.wav\n")
    bank = opened("noise", str(street / "bank.csv"))
    assert tuple(bank.inventory.ids) == ("x",)
    assert {reject.id: reject.reason for reject in bank.rejects} == {"y": "outside", "z": "unreadable"}


def test_a_wrong_path_and_a_bank_of_nothing_name_the_key(street: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "silent.wav").write_bytes((street / "silent.wav").read_bytes())
    for path, words in (("none", "no such file or folder"), ("empty", "no media file"), ("bad", "silent: silent")):
        with pytest.raises(SettingError, match=rf"^banks\.noise: .*{words}") as error:
            opened("noise", str(tmp_path / path))
        assert "\n" not in str(error.value)


def test_a_shelf_is_read_when_it_is_first_asked(street: Path, tmp_path: Path) -> None:
    shelf = Shelf.open({"noise": str(street)})
    assert list(shelf.inventories()["noise"].ids) == ["a", "b", "day/two"]
    assert shelf.digests() == {"noise": opened("noise", str(street)).digest}
    assert len(shelf.rejects()["noise"]) == 3
    assert Shelf.open({}).inventories() == {}
    with pytest.raises(SettingError, match=r"^banks\.noise: .*no such file"):
        Shelf.open({"noise": str(tmp_path / "none")})


def test_an_excerpt_inside_is_the_sound_itself_mono_and_at_the_rate(street: Path) -> None:
    shelf = Shelf.open({"noise": str(street)})
    two = soundfile.read(street / "day" / "two.wav", dtype="float32")[0]
    mono = two.mean(axis=1, dtype=np.float64).astype(np.float32)
    np.testing.assert_array_equal(shelf.excerpt("noise", "day/two", 8000, 123, 1000), mono[123:1123])
    assert len(shelf.excerpt("noise", "a", 16000, 0, 4000)) == 4000
    whole = shelf.excerpt("noise", "a", 16000, 0, 4000)
    np.testing.assert_array_equal(shelf.excerpt("noise", "a", 16000, 777, 63), whole[777:840])


def test_what_is_no_item_of_the_bank_is_refused(street: Path) -> None:
    shelf = Shelf.open({"noise": str(street)})
    with pytest.raises(InputError, match="no such item"):
        shelf.excerpt("noise", "nobody", 8000, 0, 10)
    with pytest.raises(InputError, match="silent"):
        shelf.excerpt("noise", "silent", 8000, 0, 10)
    with pytest.raises(SettingError, match=r"banks\.rirs: is needed"):
        shelf.excerpt("rirs", "a", 8000, 0, 10)


def looped(wave: np.ndarray, end: int, fade: int) -> np.ndarray:
    """The definition, sample by sample, slowly: each repetition is laid over the tail of the one before."""
    out = np.zeros(end + 2 * len(wave))
    period = len(wave) - fade
    rising = np.sin(np.pi / 2 * (np.arange(fade) + 0.5) / fade) if fade else np.zeros(0)
    for turn, start in enumerate(range(0, end + 1, period)):
        weight = np.ones(len(wave))
        weight[len(wave) - fade :] = rising[::-1]
        if turn:
            weight[:fade] = rising
        out[start : start + len(wave)] += wave.astype(np.float64) * weight
    return out[:end]


@pytest.mark.parametrize("count", [1, 2, 3, 63, 100, 639, 640, 641, 2000])
@pytest.mark.parametrize("offset", [0, 1, 17, 1999, 4321])
def test_a_short_sound_is_laid_over_its_own_tail(count: int, offset: int) -> None:
    wave, length, rate = noise(count), 3000, 16000
    fade = min(round(FADE * rate), count // 2)
    got = excerpt(wave, offset, length, rate)
    assert got.dtype == np.float32
    assert got.shape == (length,)
    np.testing.assert_allclose(got, looped(wave, offset + length, fade)[offset:], atol=1e-7)


def test_an_excerpt_is_a_window_of_one_endless_sound() -> None:
    wave = noise(1500)
    whole = excerpt(wave, 0, 9000, 16000)
    for offset, length in ((3, 2000), (1400, 200), (5000, 4000)):
        np.testing.assert_array_equal(excerpt(wave, offset, length, 16000), whole[offset : offset + length])


def test_a_loop_has_no_click_and_keeps_its_power() -> None:
    rate = 16000
    slow = np.sin(2 * np.pi * 100.37 * np.arange(8000) / rate).astype(np.float32)
    got = excerpt(slow, 0, 50_000, rate)
    assert np.abs(np.diff(got)).max() < 1.6 * np.abs(np.diff(slow)).max()
    rough = excerpt(noise(8000), 0, 200_000, rate).reshape(-1, 320)
    seams = np.sqrt(np.square(rough, dtype=np.float64).mean(axis=1))
    assert seams.min() > 0.08
    assert seams.max() < 0.12


def test_the_seam_of_a_looped_voice_is_no_more_abrupt_than_the_voice_itself() -> None:
    rate = 16000
    t = np.arange(14_000) / rate
    vowel = sum(np.sin(2 * np.pi * 131.7 * k * t + k) / k**2 for k in range(1, 6))
    whole = (0.2 * vowel * (1 + 0.5 * np.sin(2 * np.pi * 3 * t))).astype(np.float32)
    fade = round(FADE * rate)
    got = excerpt(whole, 0, 4 * len(whole), rate)
    seams = (len(whole) - fade) * np.arange(1, 4)
    near = np.concatenate([np.arange(seam - 10, seam + fade + 10) for seam in seams])
    steps, own = np.abs(np.diff(got))[near], np.abs(np.diff(whole))
    assert steps.max() <= own.max()
    bends, own_bends = np.abs(np.diff(got, 3))[near], np.abs(np.diff(whole, 3))
    assert bends.max() <= 1.5 * own_bends.max()
    cut = np.tile(whole, 4)
    assert np.abs(np.diff(cut))[len(whole) - 1] > 3 * own.max()
    assert np.abs(np.diff(cut, 3))[len(whole) - 3 : len(whole)].max() > 10 * own_bends.max()


def test_what_is_kept_is_bounded_and_changes_nothing(street: Path) -> None:
    small, large = Kept(most=40_000), Kept()
    paths = [street / name for name in ("a.flac", "b.wav", "day/two.wav")] * 3
    for path in paths:
        for rate in (8000, 16000):
            one = functools.partial(sound, path, rate)
            np.testing.assert_array_equal(small.get((path, rate), one), large.get((path, rate), one))
            assert sum(wave.nbytes for wave in small._kept.values()) == small.size <= 40_000
    shelf = Shelf.open({"noise": str(street)})
    assert shelf.sound("noise", "b", 8000) is shelf.sound("noise", "b", 8000)
    with pytest.raises(ValueError, match="read-only"):
        shelf.sound("noise", "b", 8000)[0] = 1


def test_real_noises_make_a_bank(real: Path) -> None:
    bank = opened("noise", str(real / "noise"))
    assert len(bank.inventory.ids) == 16
    assert bank.inventory.seconds.min() > 1
