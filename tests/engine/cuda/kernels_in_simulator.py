"""What holds of the kernels of sound, run in Numba's simulator by `test_sound.py`, in a process of its own."""

import math
from typing import Any

import numpy as np
import pytest
import simulator
import torch
from signals import voice

from sliceforge.engine.cuda import factors, measures, pairs, smoothers, waves, words
from sliceforge.engine.cuda.launch import THREADS, blocks, launch
from sliceforge.engine.cuda.run import points
from sliceforge.engine.excerpts import excerpt
from sliceforge.kernels import activity, loudness
from sliceforge.kernels.audio.clip import clip_value

STEP = 2.0**-15
SIZES = [1, 7, 63, 1000]
RATE = 8000
simulator.set_up()
# Of numbers that are none numpy warns, where a device goes on.
pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")


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
