"""What holds of the kernels and the chain, run in Numba's simulator by `test_sound.py`, in a process of its own."""

import math
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import simulator
import torch
from signals import voice

from sliceforge.engine import plan, sound
from sliceforge.engine.cuda import factors, measures, pairs, run, smoothers, waves, words
from sliceforge.engine.cuda.bank import Resident
from sliceforge.engine.cuda.launch import THREADS, blocks, launch
from sliceforge.engine.cuda.run import points
from sliceforge.engine.cuda.sound import make, make_items
from sliceforge.engine.cuda.upload import upload
from sliceforge.engine.errors import InputError
from sliceforge.engine.excerpts import excerpt
from sliceforge.engine.fuse import Task
from sliceforge.engine.gates import Made
from sliceforge.engine.keys import Keys
from sliceforge.engine.op import Inventory, Shapes
from sliceforge.engine.parse import from_config
from sliceforge.kernels import activity, loudness
from sliceforge.kernels.audio.clip import clip_value

STEP = 2.0**-15
SIZES = [1, 7, 63, 1000]
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


def random(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(seed).normal(0, 0.1, shape).astype(np.float32))


def table(lengths: list[int], *columns: Any, most: int = 16) -> torch.Tensor:
    """Places: length, hang, whether there are rounds, then the columns given."""
    places = torch.zeros(len(lengths), 3 + most, dtype=torch.int32)
    places[:, waves.LENGTH] = torch.tensor(lengths)
    for i, column in enumerate(columns):
        places[:, 3 + i] = torch.as_tensor(column)
    return places


def stems(count: int, lengths: list[int]) -> torch.Tensor:
    """Noise, and NaN beyond each clip's end."""
    made = random(count, len(lengths), max(lengths))
    for b, length in enumerate(lengths):
        made[:, b, length:] = math.nan
    return made


def nan(*shape: int) -> torch.Tensor:
    return torch.full(shape, math.nan)


@pytest.mark.parametrize("count", [1, 2, 7, 300])
def test_a_gathered_excerpt_is_that_of_the_shelf(count: int) -> None:
    wave, offsets = random(count).numpy(), [0, 1, count // 2, 3 * count]
    pool = torch.cat([nan(5), torch.from_numpy(wave), nan(5)])
    fades = [-1 if offset + n <= count else min(160, count // 2) for offset, n in zip(offsets, SIZES, strict=True)]
    places = table(SIZES, [waves.BANK] * 4, [5] * 4, [count] * 4, fades, offsets)
    out = nan(2, 4, 1000)
    launch(waves.gather_cuda, (blocks(1000), 4), pool, nan(1, 1), places, 3, out, 1)
    assert out[0].isnan().all()
    for b, (offset, length) in enumerate(zip(offsets, SIZES, strict=True)):
        assert np.abs(out[1, b, :length].numpy() - excerpt(wave, offset, length, RATE)).max() < 2e-7
        assert (out[1, b, length:] == 0).all()


def test_a_sound_that_came_along_is_itself_and_a_mix_that_does_not_happen_is_silent() -> None:
    made, out = random(2, 63), nan(1, 3, 63)
    launch(
        waves.gather_cuda,
        (blocks(63), 3),
        nan(1),
        made,
        table([63, 7, 63], [waves.MADE, waves.MADE, 0], [1, 0, 0]),
        3,
        out,
        0,
    )
    assert torch.equal(out[0, 0], made[1])
    assert torch.equal(out[0, 1, :7], made[0, :7])
    assert (out[0, 1, 7:] == 0).all()
    assert (out[0, 2] == 0).all()


@pytest.mark.parametrize("length", SIZES)
def test_shaped_spectra_are_convolutions(length: int) -> None:
    x, responses = random(2, 3, length), random(2, 40, seed=1)
    size = points(length + 40 + 40)
    spectra = torch.view_as_real(torch.fft.rfft(x, size))
    transfer = torch.view_as_real(torch.fft.rfft(responses, size))
    places = table([length] * 3, [0, 1, -1], [1, -1, -1])
    launch(waves.shape_cuda, (blocks(spectra.shape[2]), 3), spectra, transfer, places, 3, 2)
    out, after = torch.fft.irfft(torch.view_as_complex(spectra), size), nan(2, 3, length)
    launch(waves.select_cuda, (blocks(length), 3), out, x, places, 3, 2, after)
    first, second = responses.double().numpy()
    for s in range(2):
        clip = x[s].double().numpy()
        both = np.convolve(np.convolve(clip[0], first), second)[:length]
        assert np.abs(after[s, 0].numpy() - both).max() < 1e-6
        assert np.abs(after[s, 1].numpy() - np.convolve(clip[1], second)[:length]).max() < 1e-6
        assert torch.equal(after[s, 2], x[s, 2])


def test_a_point_takes_the_sum_where_it_happens_and_leaves_the_stems_where_not() -> None:
    x, parts, after = stems(2, SIZES), random(4, 2, seed=1), nan(2, 4, 1000)
    numbers = torch.full((4, 1), 0.004)
    places = table(SIZES, [1, 0, 1, 1])
    launch(waves.point_kernel(clip_value), (blocks(1000), 4), x, parts, numbers, 0, 1, places, 3, after)
    for b, length in enumerate(SIZES):
        if b == 1:
            assert torch.equal(after[:, b, :length], x[:, b, :length])
            continue
        total = (parts[b].double() @ x[:, b, :length].double()).clamp(-0.004, 0.004)
        assert (after[0, b, :length] - total).abs().max() < 1e-8
        assert (after[0, b, length:] == 0).all()
        assert (after[1, b] == 0).all()


def test_an_item_is_rounded_half_to_even_and_cut_at_full_scale() -> None:
    values = torch.tensor([0.5, 1.5, 2.5, -0.5, -1.5, 40000, -40000, 32767, -32768, 0.49999997]) * STEP
    out, status = nan(2, 12), torch.zeros(2, dtype=torch.int32)
    x = nan(1, 2, 12)
    x[0, :, :10] = values
    x[0, 1, 3] = math.inf
    launch(waves.finish_cuda, (blocks(12), 2), x, torch.ones(2, 1), table([10, 10]), out, status, words.NON_FINITE)
    wanted = torch.tensor([0, 2, 2, 0, -2, 32767, -32768, 32767, -32768, 0, 0, 0]) * STEP
    assert torch.equal(out[0], wanted)
    assert status.tolist() == [0, words.NON_FINITE]


def measured(x: torch.Tensor, lengths: list[int], rate: int) -> tuple[torch.Tensor, torch.Tensor]:
    slope = 1 / (rate * activity.SMOOTHER)
    numbers = torch.tensor([[-math.expm1(-slope), slope]] * len(lengths))
    places = table(lengths)
    places[:, smoothers.HANG] = round(rate * activity.HANGOVER)
    count, rows, most = x.shape
    grams, held = nan(1, rows, count, 2 * count), nan(1, rows, most)
    launch(measures.measure_cuda, (rows,), x, places, numbers, 1, 0, grams, nan(rows, most), held)
    return grams[0], held[0]


@pytest.mark.parametrize("rate", [100, 331, 8000])
def test_a_held_envelope_is_the_greatest_of_the_smoothed_samples_of_the_last_fifth_of_a_second(rate: int) -> None:
    lengths = [*SIZES, THREADS * smoothers.CHUNK]
    x = stems(1, lengths)
    _, held = measured(x, lengths, rate)
    decay, hang = math.exp(-1 / (rate * activity.SMOOTHER)), round(rate * activity.HANGOVER)
    for b, length in enumerate(lengths):
        once = twice = 0.0
        smooth = []
        for value in x[0, b, :length].abs().tolist():
            once = decay * once + (1 - decay) * value
            twice = decay * twice + (1 - decay) * once
            smooth.append(twice)
        wanted = [max(smooth[max(0, t - hang) : t + 1]) for t in range(length)]
        assert np.allclose(held[b, :length].numpy(), wanted, rtol=2e-6, atol=0)
        assert held[b, length:].isnan().all()


def test_products_of_stems_are_sums_over_the_clip() -> None:
    x = stems(3, SIZES)
    grams, _ = measured(x, SIZES, RATE)
    for b, length in enumerate(SIZES):
        clip = x[:, b, :length].double()
        wanted = clip @ clip.T
        for i in range(3):
            for j in range(i, 3):
                found = grams[b, i, j].double() + grams[b, i, 3 + j].double()
                assert abs(found - wanted[i, j]) < 1e-12 * math.sqrt(wanted[i, i] * wanted[j, j])


@pytest.mark.parametrize("gain", [0.003, 0.21, 1.0, 4.0])
def test_an_active_level_is_that_of_the_cpu(gain: float) -> None:
    lengths = [7, 1000, 2400]
    x = torch.zeros(2, 3, 2400)
    for b, length in enumerate(lengths):
        x[0, b, :length] = torch.from_numpy(voice(length / RATE, RATE, 90 + 40 * b)[:length])
        x[1, b, :length] = 0.1
    grams, held = measured(x, lengths, RATE)
    places = table(lengths, [1] * 3)
    numbers = torch.tensor([[0, 0, math.inf, 0, 1.0, 0]] * 3)
    script = torch.tensor([[words.MIX_ACTIVE, 0, 1, 4, 3, 2]], dtype=torch.int32)
    parts, state, status = nan(3, 2), nan(3, 2), torch.zeros(3, dtype=torch.int32)
    start, begun = torch.tensor([[1.0, 0.0]] * 3), torch.tensor([[1.0, gain]] * 3)
    given = (x, places, numbers, script, 0, 1, grams[None], held[None], start, begun, 1, 1)
    launch(factors.solve_cuda, (3,), *given, parts, state, status)
    assert (status == 0).all()
    for b, length in enumerate(lengths):
        clip = x[0, b, :length].numpy() * np.float32(gain)
        wanted = loudness.active(clip, RATE) / 0.1 / gain
        assert abs(20 * math.log10(float(parts[b, 1]) / wanted)) < 1e-4  # dB


def test_pairs_reckon_in_twice_the_precision() -> None:
    generator = np.random.default_rng(4)
    for a, b in np.exp(generator.normal(0, 3, (200, 2))):
        x, y = ((np.float32(one), np.float32(one - float(np.float32(one)))) for one in (a, b))
        results = (pairs.add(*x, *y), a + b), (pairs.multiply(*x, *y), a * b), (pairs.divide(*x, *y), a / b)
        for (high, low), wanted in (*results, (pairs.root(*x), math.sqrt(a))):
            assert abs(float(high) + float(low) - wanted) < 2e-13 * wanted
            assert high == np.float32(wanted)


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
