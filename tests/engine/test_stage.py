"""A stage chooses by law and draws what a run draws, whatever flows by it; each library's part is tested with it."""

import copy
import pickle
from collections.abc import Mapping

import generators
import numpy as np
import pyarrow as pa
import pytest
import torch
from scipy.stats import binom
from signals import voice

from sliceforge.engine import direct, forms_picture, forms_sound, load, plan, subjects
from sliceforge.engine.errors import InputError, SettingError
from sliceforge.engine.keys import Keys
from sliceforge.engine.op import Shapes
from sliceforge.engine.stage import Stage
from sliceforge.engine.subjects import Subject

COUNT, ALPHA = 20_000, 1e-6
"""Items, and how seldom a right stage fails a test of its shares."""

IDS = [f"clips/item {i}" for i in range(COUNT)]


def inside(found: int, probability: float) -> bool:
    low, high = binom.interval(1 - ALPHA, COUNT, probability)
    return bool(low <= found <= high)


@pytest.mark.parametrize("share", [0.05, 0.5, 0.9])
def test_a_share_of_the_items_is_chosen_and_each_epoch_chooses_anew(share: float) -> None:
    stage = Stage(load("speech/levels"), share=share, seed=7)
    first = stage.chosen(IDS)
    stage.set_epoch(2)
    second = stage.chosen(IDS)
    assert inside(first.sum(), share)
    assert inside(second.sum(), share)
    assert inside((first & second).sum(), share**2)
    other = Stage(load("speech/levels"), share=share, seed=8).chosen(IDS)
    assert inside((first & other).sum(), share**2)


def test_the_choice_of_an_item_depends_on_nothing_beside_it() -> None:
    stage = Stage(load("speech/levels"), seed=7)
    whole = dict(zip(IDS, stage.chosen(IDS), strict=True))
    some = IDS[::-37]
    assert [whole[item] for item in some] == stage.chosen(some).tolist()
    assert [whole[item] for item in some[:9]] == [bool(stage.chosen([item])[0]) for item in some[:9]]


def test_all_or_nothing_is_all_or_nothing() -> None:
    assert Stage(load("speech/levels"), share=1).chosen(IDS).all()
    assert not Stage(load("speech/levels"), share=0).chosen(IDS).any()


RECIPES = (
    "geometric",
    "photometric",
    "solar/crack",
    "speech/car_noise",
    "speech/general",
    "speech/phone",
    "steel/scratches",
)
"""Every family, and steps that happen to some, one of some, or have whole numbers and words among their draws."""


@pytest.mark.parametrize("name", RECIPES)
def test_rows_are_those_of_the_table(name: str) -> None:
    recipe, ids, sizes = load(name), [f"item {i}" for i in range(7)], np.arange(100, 107)
    sound = recipe.kind == "audio"
    shapes = Shapes(
        *(sizes * 100, sizes * 80, 0 * sizes, 0 * sizes) if sound else (0 * sizes, 0 * sizes, sizes, sizes * 2)
    )
    columns = plan.nulled(recipe, recipe.draw(Keys.of(7, ids, 3), shapes))
    table = [{**row, "attempt": 0} for row in pa.table(columns).to_pylist()]
    assert direct.rows(recipe, 7, ids, 3, shapes) == table


def clip(i: int) -> Subject:
    return Subject(f"item {i}", voice(0.2, 8000, 90 + 7 * i), 8000)


def test_a_slice_is_kept_by_the_first_draw_that_is_inside() -> None:
    recipe, some = load("speech/car_noise"), [clip(i) for i in range(12)]
    stage = Stage(recipe, share=1, seed=7, slice="snr < 0 AND speed > 60")
    found = list(stage.outcomes([one.id for one in some], lambda i: some[i]).values())
    facts = [stage.facts(one) for one in found]
    assert all(row["snr"] < 0 and row["speed"] > 60 for row in facts)
    assert len({one.row["attempt"] for one in found}) > 3
    for one, outcome in zip(some, found, strict=True):
        shapes, attempt = subjects.shapes([one], {}), outcome.row["attempt"]
        for earlier in range(attempt):
            row = pa.table(plan.nulled(recipe, recipe.draw(Keys.of(7, [one.id], 1, earlier), shapes))).to_pylist()[0]
            assert not (row["mix.snr"] < 0 and row["cabin.speed"] > 60)
        alone = recipe(one.array, rate=8000, id=one.id, seed=7, variant=1, attempt=attempt)
        assert outcome.made is not None
        assert np.array_equal(outcome.made.item, alone)


def test_what_cannot_be_made_says_why_and_its_neighbours_are_made() -> None:
    bad = {"silent": np.zeros(800), "non_finite": np.full(800, np.nan), "empty": np.zeros(0)}
    some = [Subject(name, array.astype(np.float32), 8000) for name, array in bad.items()] + [clip(1)]
    stage = Stage(load("speech/car_noise"), share=1)
    found = stage.outcomes([one.id for one in some], lambda i: some[i])
    assert [one.reason for one in found.values()] == [*bad, ""]


def test_no_global_generator_is_touched() -> None:
    before = generators.states()
    stage = Stage(load("speech/general", "rate=8000"), share=1)
    found = stage.outcomes(["item 1"], clip)
    assert not found[0].reason
    assert generators.states() == before


def test_copies_are_of_one_epoch_and_small_once_they_are_sent() -> None:
    stage = Stage(load("speech/car_noise"), seed=7)
    copied = copy.deepcopy({"transform": stage.rows})["transform"]
    stage.set_epoch(5)
    assert copied.__self__.epoch == 5
    sent = pickle.dumps(stage)
    assert len(sent) < 40_000
    assert np.array_equal(pickle.loads(sent).chosen(IDS[:500]), stage.chosen(IDS[:500]))


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"share": 1.5}, "share: 1.5: expected a number from 0 to 1"),
        ({"share": True}, "share: True"),
        ({"seed": -1}, "seed: -1: expected a whole number from 0"),
        ({"recipe": "speech/car_noise"}, "recipe: str: expected what load returns"),
        ({"slice": "speaker = 'bob'"}, "slice: the recipe does not set 'speaker'; expected noise, snr, speed"),
        ({"slice": "snr + 1"}, "is no condition"),
        ({"slice": "noise < 3"}, "slice: noise < 3: "),
        ({"slice": "snr >"}, "slice: snr >"),
        ({"slice": "snr > 90"}, "64 draws and none is inside"),
        ({"recipe": load("steel/scratches"), "classes": ["plain"]}, "is painted and is none of plain"),
        ({"recipe": load("speech/car_noise", "steps.mix.bins=5")}, "recipe: its quotas"),
        ({"recipe": load("steel/paste")}, "banks.donors: is needed"),
        ({"banks": {"noise": "no/such/folder"}}, "banks.noise"),
    ],
)
def test_a_wrong_setting_is_one_line_at_once(settings: Mapping[str, object], says: str) -> None:
    with pytest.raises(SettingError) as error:
        Stage(**{"recipe": load("speech/car_noise"), **settings})
    assert says in str(error.value)
    assert "\n" not in str(error.value)


def test_no_epoch_lies_before_the_first() -> None:
    with pytest.raises(SettingError, match="expected a whole number from 0"):
        Stage(load("speech/levels")).set_epoch(-1)


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_a_picture_comes_back_from_every_form_as_it_was(channels: int) -> None:
    pixels = np.random.default_rng(5).integers(0, 256, (7, 5, channels), np.uint8)
    held = [pixels, pixels.astype(np.float32) / 255.0, pixels.astype(np.uint16) * 257]
    held += [torch.from_numpy(np.ascontiguousarray(one.transpose(2, 0, 1))) for one in held[:2]]
    for value in held:
        form = forms_picture.picture(value)
        back = form.back(form.array, 0)
        assert type(back) is type(value)
        assert back.dtype == value.dtype
        assert np.array_equal(back, value)


def test_a_sound_comes_back_in_its_form_and_channels_are_their_mean() -> None:
    x = voice(0.1, 8000)
    pair = forms_sound.sound((torch.from_numpy(np.stack([x, -x / 2])), 8000))
    assert np.allclose(pair.array, x / 4, atol=1e-7)
    back, rate = pair.back(x, 4000)
    assert isinstance(back, torch.Tensor)
    assert (tuple(back.shape), rate) == ((1, len(x)), 4000)
    whole = forms_sound.sound({"array": (x * 32768).astype(np.int16).tolist(), "sampling_rate": 8000, "path": "a"})
    assert set(whole.back(x, 8000)) == {"array", "sampling_rate", "path"}


@pytest.mark.parametrize(
    "value", [None, "a.wav", 3, {}, {"bytes": None, "path": None}, {"bytes": b"", "path": "a"}, b"no"]
)
def test_what_is_neither_sound_nor_picture_is_an_input_error(value: object) -> None:
    for read in (forms_sound.sound, forms_picture.picture):
        with pytest.raises(InputError):
            read(value)


def test_pictures_that_were_normalised_are_refused() -> None:
    for value in (np.full((4, 4), -0.5, np.float32), np.full((4, 4), 2.0), np.full((4, 4), np.nan)):
        with pytest.raises(InputError, match="expected fractions of one"):
            forms_picture.picture(value)


def test_a_mask_of_several_classes_is_refused_and_one_of_one_keeps_its_value() -> None:
    mask = np.zeros((4, 6), np.uint8)
    mask[1:3, 2:4] = 7
    found, back = forms_picture.mask(mask, 4, 6)
    assert np.array_equal(back(found), mask)
    mask[0, 0] = 3
    with pytest.raises(InputError, match="2 values beside 0"):
        forms_picture.mask(mask, 4, 6)


def test_only_recipes_that_change_speed_move_moments() -> None:
    assert subjects.moves(load("speech/speed"))
    assert not subjects.moves(load("speech/car_noise"))
