"""The mix meets the SNR that was drawn under each reference, and draws its source by key alone."""

import numpy as np
import pytest
import reference_sound as reference
from signals import voice

from sliceforge.engine.build import build
from sliceforge.engine.errors import InputError, SettingError
from sliceforge.engine.keys import Keys
from sliceforge.engine.op import Inventory, Shapes
from sliceforge.engine.parse import from_config
from sliceforge.kernels.audio.mix import Mix
from sliceforge.kernels.loudness import REFERENCES, snr

BANK = {"noise": Inventory(["hum", "street", "wind"], np.array([0.2, 3.0, 0.5]))}
COUNT = 2000


def mix(**settings: object) -> Mix:
    built: Mix = build(Mix, settings, "steps.mix")
    return built


def keys(count: int = COUNT, seed: int = 3) -> Keys:
    return Keys.of(seed, [f"item {i}" for i in range(count)]).at("mix")


def shapes(count: int = COUNT, banks: dict[str, Inventory] = BANK) -> Shapes:
    none = np.zeros(count, np.int64)
    return Shapes(np.full(count, 4000), np.where(np.arange(count) % 2, 8000, 16000), none, none, banks)


def noise(length: int) -> np.ndarray:
    return np.random.default_rng(length).normal(0, 0.1, length).cumsum().astype(np.float32)


@pytest.mark.parametrize("asked", REFERENCES)
@pytest.mark.parametrize(("seconds", "rate"), [(0.05, 8000), (0.6, 8000), (0.4, 44100)])
def test_the_noise_comes_out_at_the_snr_that_was_drawn(asked: str, seconds: float, rate: int) -> None:
    speech = voice(seconds, rate)
    other = noise(len(speech))
    for wanted in (-5.0, 3.25, 15.0):
        factor = mix(reference=asked).factor(speech, other, rate, snr=np.float32(wanted), source="bank")
        # What is weighted is weighted in float32.
        assert snr(speech, other * np.float64(factor), rate, asked) == pytest.approx(wanted, abs=1e-5)


def test_the_references_differ_where_they_should() -> None:
    """A noise of low frequencies is louder by RMS than to the ear or on a telephone; pauses lower the RMS alone."""
    speech = np.concatenate([voice(0.5, 8000), np.zeros(4000, np.float32)])
    rumble = np.sin(2 * np.pi * 60 * np.arange(8000) / 8000).astype(np.float32)
    factor = {name: mix(reference=name).factor(speech, rumble, 8000, snr=0.0) for name in REFERENCES}
    assert factor["g712"] > 100 * factor["rms"]
    assert factor["a_weighted"] > 5 * factor["rms"]
    assert 1.1 * factor["rms"] < factor["active"] < 2 * factor["rms"]


def test_an_rms_mix_is_the_plain_formula() -> None:
    speech, other = voice(0.3, 8000), noise(2400)
    plain = reference.rms(speech) / reference.rms(other) * 10 ** (-7 / 20)
    assert mix(reference="rms").factor(speech, other, 8000, snr=7.0) == pytest.approx(plain, rel=1e-12)


@pytest.mark.parametrize("asked", REFERENCES)
def test_what_has_no_level_is_an_input_error(asked: str) -> None:
    silence = np.zeros(800, np.float32)
    for pair in ((silence, noise(800)), (voice(0.1, 8000), silence), (voice(0.1, 8000), silence + np.float32(1e-6))):
        with pytest.raises(InputError) as caught:
            mix(reference=asked).factor(*pair, 8000, snr=0.0)
        assert caught.value.reason == "silent"


def test_either_takes_half_from_the_bank_and_half_from_the_step() -> None:
    plan = mix().draw(keys(), shapes())
    banked = plan["source"] == "bank"
    assert set(plan["source"]) == {"bank", "cabin"}
    assert banked.mean() == pytest.approx(0.5, abs=4 * 0.5 / np.sqrt(COUNT))
    assert set(plan["item"][banked]) == {"hum", "street", "wind"}
    assert set(plan["item"][~banked]) == {""}
    assert not plan["offset"][~banked].any()


def test_without_a_bank_either_is_the_step_alone() -> None:
    for banks in ({}, {"noise": Inventory([], np.zeros(0))}, {"music": BANK["noise"]}):
        assert set(mix().draw(keys(50), shapes(50, banks))["source"]) == {"cabin"}


def test_the_sources_and_the_banks_that_it_needs() -> None:
    assert (mix().sources(), mix().banks()) == ({"bank", "cabin"}, ())
    assert (mix(source="bank", bank="music").sources(), mix(source="bank", bank="music").banks()) == (
        {"bank"},
        ("music",),
    )
    assert (mix(source="engine").sources(), mix(source="engine").banks()) == ({"engine"}, ())
    assert set(mix(source="engine").draw(keys(20), shapes(20))["source"]) == {"engine"}


def test_an_excerpt_lies_inside_a_long_item_and_begins_anywhere_in_a_short_one() -> None:
    plan, clips = mix(source="bank").draw(keys(), shapes()), shapes()
    for name, seconds in zip(BANK["noise"].ids, BANK["noise"].seconds, strict=True):
        for rate in (8000, 16000):
            rows = (plan["item"] == name) & (clips.rate == rate)
            samples = int(seconds * rate)
            room = samples - 4000 if samples > 4000 else samples - 1
            offsets = plan["offset"][rows]
            assert 0 <= offsets.min() < 0.05 * room
            assert 0.95 * room < offsets.max() <= room


def test_a_row_depends_on_its_own_key_only() -> None:
    whole = mix().draw(keys(), shapes())
    rows = np.array([1999, 3, 700])
    part = mix().draw(keys().take(rows), shapes().take(rows))
    assert {name: column[rows].tolist() for name, column in whole.items()} == {
        name: column.tolist() for name, column in part.items()
    }
    assert [whole[name].dtype for name in ("snr", "source", "item", "offset")] == [np.float32, object, object, np.int64]


def test_a_bank_that_is_not_there_is_named() -> None:
    with pytest.raises(SettingError, match=r"^banks\.noise: .*banks\.noise=FOLDER; did you mean noises\?$"):
        mix(source="bank").draw(keys(2), shapes(2, {"noises": BANK["noise"]}))
    assert len(mix(source="bank").draw(keys(0), shapes(0, {}))["snr"]) == 0


def test_a_source_that_no_step_makes_is_refused() -> None:
    steps = {"cabin": {"op": "audio/cabin"}, "mix": {"op": "audio/mix", "source": "cabn"}}
    with pytest.raises(SettingError, match=r"steps\.mix\.source: cabn: .*did you mean cabin\?"):
        from_config({"steps": steps})
    with pytest.raises(SettingError, match=r"reference: 'activ': expected one of active, rms.*did you mean active\?"):
        mix(reference="activ")
