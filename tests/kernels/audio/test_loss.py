"""Packets are lost by the chain that was drawn, and what stands in for them is the sound before, without a seam."""

from typing import Any

import numpy as np
import pytest

from sliceforge.engine.alone import apply_sound
from sliceforge.engine.build import build
from sliceforge.kernels.audio.loss import Loss, concealed, lost

RATE, SIZE = 8000, 160


def fates(loss: float, burst: float, clips: int = 300, packets: int = 200) -> list[np.ndarray]:
    return [lost(SIZE * packets, SIZE, loss, burst, 7919 * key + 1)[1] for key in range(clips)]


def runs(states: np.ndarray) -> np.ndarray:
    """Lengths of bursts that neither begin nor end with the clip."""
    edges = np.flatnonzero(np.diff(states.astype(np.int8)))
    inside = edges[int(states[0]) :]
    return np.diff(inside)[::2]


@pytest.mark.parametrize(("loss", "burst"), [(0.02, 1.0), (0.1, 1.0), (0.1, 4.0), (0.3, 2.5)])
def test_share_and_bursts_are_those_of_the_chain(loss: float, burst: float) -> None:
    states = fates(loss, burst)
    # The spread of a chain's share is that of a coin's, times √((1 + r)/(1 − r)) of its memory r.
    memory = 1 - 1 / burst - loss / burst / (1 - loss)
    spread = np.sqrt(loss * (1 - loss) / (300 * 200) * (1 + memory) / (1 - memory))
    assert np.mean(states) == pytest.approx(loss, abs=4 * spread)
    lengths = np.concatenate([runs(one) for one in states])
    assert lengths.mean() == pytest.approx(burst, rel=0.12)
    # The time in a burst has no memory: geometric.
    assert np.mean(lengths == 1) == pytest.approx(1 / burst, abs=0.06)
    assert np.mean([one[0] for one in states]) == pytest.approx(loss, abs=0.08)


def test_packets_begin_anywhere_and_cover_the_clip() -> None:
    begins = [lost(SIZE * 3, SIZE, 0.1, 2.0, 17 * key)[0] for key in range(400)]
    assert -SIZE < min(begins) < -0.97 * SIZE
    assert max(begins) > -0.03 * SIZE
    begin, states = lost(1, SIZE, 0.1, 2.0, 5)
    assert begin + len(states) * SIZE >= 1


def played(x: np.ndarray, states: list[int], begin: int = 0, repeat: bool = True) -> np.ndarray:
    return concealed(x.astype(np.float32), RATE, SIZE, (begin, np.array(states, bool)), repeat)


def test_silence_is_silence_and_the_rest_keeps_every_bit() -> None:
    x = np.random.default_rng(0).uniform(0.2, 0.8, 6 * SIZE).astype(np.float32)
    made = played(x, [0, 1, 0, 0, 1, 1], repeat=False)
    gone = np.repeat([0, 1, 0, 0, 1, 1], SIZE).astype(bool)
    assert (made[gone] == 0).all()
    assert (made[~gone] == x[~gone]).all()


@pytest.mark.parametrize("hertz", [200.0, 437.0])
def test_a_repeated_packet_has_no_seam(hertz: float) -> None:
    x = 0.5 * np.sin(2 * np.pi * hertz * np.arange(9 * SIZE) / RATE)
    made = played(x, [0, 0, 0, 1, 1, 0, 0, 0, 0]).astype(np.float64)
    steepest = np.abs(np.diff(x)).max()
    assert np.abs(np.diff(made)).max() < 1.6 * steepest  # a join of 16 samples may add 1/16 of the amplitude
    changed = np.flatnonzero(np.abs(made - x) > 1e-6)
    assert changed.min() >= 3 * SIZE - 16
    assert changed.max() < 5 * SIZE + 16
    if hertz == 200.0:  # a packet holds whole periods: what is repeated goes on as the tone
        assert np.abs(made - x)[3 * SIZE : 3 * SIZE + 80].max() < 1e-5


def test_a_burst_fades_from_10_to_60_milliseconds() -> None:
    x = 0.5 * np.sin(2 * np.pi * 200 * np.arange(12 * SIZE) / RATE)
    made = played(x, [0, 0] + [1] * 6 + [0] * 4)
    begin = 2 * SIZE
    level = [np.abs(made[begin + at : begin + at + 40]).max() for at in range(0, 6 * SIZE - 40, 40)]
    assert level[0] == pytest.approx(0.5, abs=0.01)
    assert (np.diff(level) <= 1e-6).all()
    assert level[35 * RATE // 1000 // 40] == pytest.approx(0.25, abs=0.04)
    assert max(level[60 * RATE // 1000 // 40 :]) == 0
    assert np.abs(made[8 * SIZE + 16 :] - x[8 * SIZE + 16 :]).max() < 1e-6


def test_losses_at_the_ends_leave_nothing_undefined() -> None:
    x = np.random.default_rng(0).uniform(0.2, 0.8, 3 * SIZE).astype(np.float32)
    for states in ([1, 1, 1], [1, 0, 1], [0, 0, 1], [0, 1, 1]):
        for begin in (0, -1, -SIZE + 1):
            for repeat in (False, True):
                made = played(x, [*states, 1], begin, repeat)
                assert made.shape == x.shape
                assert np.isfinite(made).all()
                assert np.abs(made).max() <= 0.8 + 1e-6
    assert not played(x, [1, 1, 1, 1]).any()  # nothing came that could be repeated


@pytest.mark.parametrize(("length", "rate"), [(1, 8000), (7, 44100), (100, 16000)])
def test_short_clips_pass(length: int, rate: int) -> None:
    row: dict[str, Any] = {"loss": 0.5, "burst": 3.0, "packet": 0.02, "key": 5}
    made = apply_sound(build(Loss, {}, "steps.loss"), np.full(length, 0.3, np.float32), rate, row)
    assert made.shape == (length,)
