"""What holds of chains of sound, run in Numba's simulator by `test_sound.py`, in a process of its own."""

import math
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import simulator
import torch
from signals import voice

from sliceforge.engine import plan, sound
from sliceforge.engine.cuda import run
from sliceforge.engine.cuda.bank import Resident
from sliceforge.engine.cuda.launch import launch
from sliceforge.engine.cuda.sound import make, make_items
from sliceforge.engine.cuda.upload import upload
from sliceforge.engine.errors import InputError
from sliceforge.engine.excerpts import excerpt
from sliceforge.engine.fuse import Task
from sliceforge.engine.gates import Made
from sliceforge.engine.keys import Keys
from sliceforge.engine.op import Inventory, Shapes
from sliceforge.engine.parse import from_config

STEP = 2.0**-15
RATE = 8000
simulator.set_up()
# Of numbers that are none numpy warns, where a device goes on.
pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")

BANK = {"rirs": Inventory(["hall", "yard"], np.array([0.025, 0.05]))}
BANK |= {"noise": Inventory(["hum", "street"], np.array([300, 3000]) / RATE)}


class Shelf:
    """Banks of noise; `read` counts how often a sound was asked for."""

    def __init__(self) -> None:
        self.read = 0

    def sound(self, bank: str, item: str, rate: int, channel: float | None = None) -> np.ndarray:
        self.read += 1
        generator = np.random.default_rng(len(item))
        if bank == "rirs":
            count = 50 * len(item)
            return (generator.normal(0, 0.1, count) * np.exp(-np.arange(count) / 40)).astype(np.float32)
        return generator.normal(0, 0.05, 300 if item == "hum" else 3000).astype(np.float32)

    def excerpt(self, bank: str, item: str, rate: int, offset: int, length: int) -> np.ndarray:
        return excerpt(self.sound(bank, item, rate), offset, length, rate)


MIX = {"op": "audio/mix", "source": "bank"}
CHAINS: dict[str, dict[str, Any]] = {
    "mix": {"mix": MIX},
    "rms": {"mix": {**MIX, "reference": "rms", "snr": -5}, "level": {"op": "audio/level", "level": -3}},
    "car": {
        "reverb": {"op": "audio/reverb", "source": "bank", "p": 0.7},
        "mix": {**MIX, "p": 0.8},
        "band": {"op": "audio/band", "low": 300, "high": 3000},
        "level": {"op": "audio/level"},
    },
    "cabin": {"cabin": {"op": "audio/cabin"}, "mix": {"op": "audio/mix"}, "gain": {"op": "audio/gain"}},
    "filters": {
        "mix": {**MIX, "reference": "rms"},
        "reverb": {"op": "audio/reverb"},
        "band": {"op": "audio/band", "p": 0.5},
        "other": {**MIX, "reference": "rms"},
    },
    "room": {"room": {"op": "audio/room", "t60": [0.1, 0.15], "p": 0.7}, "mix": {**MIX, "reference": "rms"}},
    "first": {"speed": {"op": "audio/speed", "p": 0.5}, "drop": {"op": "audio/drop"}, "mix": MIX},
    "clip": {"gain": {"op": "audio/gain"}, "clip": {"op": "audio/clip", "p": 0.6}, "shift": {"op": "audio/shift"}},
    "between": {
        "mix": {**MIX, "reference": "rms"},
        "clip": {"op": "audio/clip", "p": 0.5},
        "drop": {"op": "audio/drop"},
        "other": {**MIX, "reference": "rms"},
        "level": {"op": "audio/level"},
    },
    "rounds": {"mix": {**MIX, "snr": 0}, "clip": {"op": "audio/clip"}, "level": {"op": "audio/level", "level": -20}},
    "weighted": {"mix": {**MIX, "reference": "a_weighted"}},
    "babble": {
        "babble": {"op": "audio/babble", "bank": "noise", "talkers": 2},
        "mix": {"op": "audio/mix", "source": "babble", "reference": "rms"},
    },
    "none": {"mix": {**MIX, "p": 0}},
}


def rows_of(recipe: Any, lengths: list[int], rates: list[int]) -> list[dict[str, Any]]:
    none = np.zeros(len(lengths), np.int64)
    shapes = Shapes(np.array(lengths), np.array(rates), none, none, BANK)
    columns = recipe.draw(Keys.of(3, [f"item {i}" for i in range(len(lengths))]), shapes)
    rows: list[dict[str, Any]] = pa.table(plan.nulled(recipe, columns)).to_pylist()
    return rows


def clips_of(lengths: list[int]) -> list[np.ndarray]:
    made = [voice(0.5, RATE, 100 + 30 * b)[:length] for b, length in enumerate(lengths)]
    return [np.rint(clip * 32768).astype(np.float32) / 32768 + np.float32(STEP * 40) for clip in made]


@pytest.mark.parametrize("name", CHAINS)
def test_a_chain_is_within_one_step_of_the_cpu(name: str) -> None:
    recipe = from_config({"kind": "audio", "steps": CHAINS[name]})
    lengths = [1, 63, 400] if name == "rounds" else [1, 7, 63, 1000, 700]
    clips, rates = clips_of(lengths), [RATE] * len(lengths)
    rows = rows_of(recipe, lengths, rates)
    batch = make(recipe, clips, rates, rows, Shelf(), "cpu")
    wrong, changed, count = batch.wrong(), 0, 0
    for b, (clip, row) in enumerate(zip(clips, rows, strict=True)):
        if b in wrong:
            with pytest.raises(InputError, match=wrong.pop(b).reason):
                sound.make(recipe, clip, RATE, row, Shelf())
            continue
        wanted = sound.make(recipe, clip, RATE, row, Shelf())
        assert batch.length[b] == len(wanted.item)
        off = np.abs(batch.audio[b, : len(wanted.item)].numpy() - wanted.item) / STEP
        assert off.max() <= 1
        changed, count = changed + int((off > 0).sum()), count + len(off)
        assert (batch.audio[b, len(wanted.item) :] == 0).all()
        assert math.isnan(wanted.gain) or math.isclose(batch.gain[b], wanted.gain, rel_tol=1e-6)
    # A factor is rounded to float32 as the CPU's is; transforms and products in float32 move a few over a rounding.
    assert changed <= max(2, 0.001 * count)


def test_a_segment_takes_three_launches_at_most_and_a_batch_one_copy(monkeypatch: pytest.MonkeyPatch) -> None:
    started, copied = [], []

    def launched(kernel: Any, *arguments: Any) -> None:
        started.append(kernel.__name__.removesuffix("_cuda"))
        launch(kernel, *arguments)

    def uploaded(*arguments: Any) -> Any:
        copied.append(1)
        return upload(*arguments)

    monkeypatch.setattr(run, "launch", launched)
    monkeypatch.setattr(run, "upload", uploaded)
    steps = {name: {**settings, "p": 1} for name, settings in CHAINS["car"].items()}
    recipe = from_config({"kind": "audio", "steps": steps})
    make(recipe, clips_of([7]), [RATE], rows_of(recipe, [7], [RATE]), Shelf(), "cpu")
    filters, levels = ["shape", "select"], ["gather", "measure"]
    assert started == [*filters, *levels, *filters, "measure", "solve", "finish"]
    assert len(copied) == 1


def test_no_items_are_a_batch_of_none() -> None:
    recipe = from_config({"kind": "audio", "steps": CHAINS["car"]})
    assert make(recipe, [], [], [], Shelf(), "cpu").audio.shape == (0, 0)


def test_what_nothing_can_be_measured_of_is_silent_and_spares_its_neighbours() -> None:
    recipe = from_config({"kind": "audio", "steps": {"mix": MIX, "level": {"op": "audio/level"}}})
    clips = clips_of([63, 63, 63])
    clips[1][:] = 0
    clips[2][5] = math.nan
    batch = make(recipe, clips, [RATE] * 3, rows_of(recipe, [63] * 3, [RATE] * 3), Shelf(), "cpu")
    assert set(batch.wrong()) == {1, 2}
    assert str(batch.wrong()[1]).startswith("silent")


def test_a_batch_is_its_items_one_by_one_at_their_own_rates() -> None:
    recipe = from_config({"kind": "audio", "steps": CHAINS["car"]})
    lengths, rates = [63, 500, 7], [8000, 16000, 44100]
    clips, rows = clips_of(lengths), rows_of(recipe, lengths, rates)
    together = make(recipe, clips, rates, rows, Shelf(), "cpu")
    for b in range(3):
        alone = make(recipe, clips[b : b + 1], rates[b : b + 1], rows[b : b + 1], Shelf(), "cpu")
        off = (together.audio[b, : lengths[b]] - alone.audio[0]).abs().max() / STEP
        assert off <= 1


def test_banks_stay_and_go_by_when_they_were_used() -> None:
    recipe = from_config({"kind": "audio", "steps": CHAINS["car"]})
    lengths, rates = [63] * 6, [RATE] * 6
    clips, rows = clips_of(lengths), rows_of(recipe, lengths, rates)
    shelf = Shelf()
    resident = Resident(shelf, "cpu")
    first = make(recipe, clips, rates, rows, resident, "cpu")
    read = shelf.read
    again = make(recipe, clips, rates, rows, resident, "cpu")
    assert shelf.read == read
    assert torch.equal(first.audio, again.audio)
    # Room for one of the two sounds at a time, or for none: what is too much comes along.
    for most in (4 * 3100, 400):
        small = Resident(Shelf(), "cpu", most)
        few = make(recipe, clips, rates, rows, small, "cpu")
        assert small.pool.nbytes <= most
        assert (few.audio - first.audio).abs().max() <= STEP
    room = Resident(Shelf(), "cpu", 4 * 3100)
    assert room.place("noise", "street", RATE) == (0, 3000)
    assert room.place("noise", "hum", RATE) is None
    room.begin()
    assert room.place("noise", "hum", RATE) == (0, 300)


@pytest.mark.parametrize("name", ["rms", "car", "between", "filters", "cabin", "weighted"])
def test_items_have_the_gains_the_stems_and_what_was_heard_of_the_plain_executor(name: str) -> None:
    recipe = from_config({"kind": "audio", "steps": CHAINS[name]})
    lengths = [63, 700, 7]
    pairs = zip(clips_of(lengths), rows_of(recipe, lengths, [RATE] * 3), strict=True)
    tasks, shelf = [Task(clip, RATE, row) for clip, row in pairs], Shelf()
    for task, made in zip(tasks, make_items(recipe, tasks, shelf, "cpu"), strict=True):
        assert isinstance(made, Made)
        wanted = sound.make(recipe, task.parent, RATE, task.row, shelf)
        assert np.abs(made.item - wanted.item).max() <= STEP
        assert made.parent is task.parent
        assert made.gain == pytest.approx(wanted.gain, rel=1e-6, nan_ok=True)
        assert made.stems.keys() == wanted.stems.keys()
        for part, stem in made.stems.items():
            # A noise is what the item has more than its foreground: half a step of it is the item's rounding.
            assert np.abs(stem - wanted.stems[part]).max() <= STEP
        assert made.heard.keys() == wanted.heard.keys()
        for part, both in made.heard.items():
            assert all(np.abs(one - other).max() <= STEP for one, other in zip(both, wanted.heard[part], strict=True))


@pytest.mark.parametrize("reference", ["rms", "a_weighted"])
def test_an_item_that_cannot_be_made_is_its_error_and_spares_its_neighbours(reference: str) -> None:
    recipe = from_config({"kind": "audio", "steps": {"mix": {**MIX, "reference": reference}}})
    clips = clips_of([63, 63, 63])
    clips[0][:] = 0
    clips[2][5] = math.inf
    rows = rows_of(recipe, [63] * 3, [RATE] * 3)
    made = make_items(recipe, [Task(clip, RATE, row) for clip, row in zip(clips, rows, strict=True)], Shelf(), "cpu")
    assert isinstance(made[0], InputError)
    assert made[0].reason == "silent"
    assert isinstance(made[1], Made)
    assert isinstance(made[2], InputError)


def test_items_of_none_are_none_and_a_shelf_keeps_its_place_on_the_device() -> None:
    recipe, shelf = from_config({"kind": "audio", "steps": CHAINS["mix"]}), Shelf()
    assert make_items(recipe, [], shelf, "cpu") == []
    tasks = [Task(clips_of([63])[0], RATE, rows_of(recipe, [63], [RATE])[0])]
    make_items(recipe, tasks, shelf, "cpu")
    read = shelf.read
    make_items(recipe, tasks, shelf, "cpu")
    assert shelf.read == read
