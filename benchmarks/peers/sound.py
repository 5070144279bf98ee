"""The car chain on clips, written out for each library: reverb → noise at an SNR → band → level, and each alone.

Alike for all: mono clips of 4 s at 16 kHz, 64 a batch, float32 in; out float32 in whole steps of 16 bit, rounded half
to even. Every step happens to every clip and every clip has its own numbers. Impulse responses last 0.5 s, 32 of them;
noises 30 s, 16 of them, from any offset; SNR −5…15 dB of RMS to RMS; band Butterworth, 4th order (24 dB an octave) at
each edge, low 50…300 Hz and high 3000…7500 Hz; level −35…−15 dBFS of RMS. Where a library is unlike that, its function
says so.
"""

from __future__ import annotations

import random
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.peers import ours
from benchmarks.peers.chain import RATE, SECONDS, Chain, Contender, Work

SNR, LOW, HIGH, LEVEL, FACTOR = (-5, 15), (50, 300), (3000, 7500), (-35, -15), (0.9, 1.1)

STEPS: dict[str, dict[str, Any]] = {
    "reverb": {"op": "audio/reverb", "source": "bank"},
    "mix": {"op": "audio/mix", "source": "bank", "snr": [*SNR], "reference": "rms"},
    "band": {"op": "audio/band", "low": ["log", *LOW], "high": ["log", *HIGH], "order": 4},
    "level": {"op": "audio/level", "level": [*LEVEL]},
    "speed": {"op": "audio/speed", "factor": [*FACTOR]},
}
"""Ours: the guard at −0.1 dBFS comes on top."""

SHAPE = (round(SECONDS * RATE),)
CHAINS = (
    Chain("car chain", "audio", ("reverb", "mix", "band", "level"), SHAPE),
    *(Chain(name, "audio", (name,), SHAPE) for name in ("reverb", "mix", "band", "speed")),
)


def whole_steps(x: np.ndarray) -> np.ndarray:
    """(…, T) float32 rounded to 16 bit."""
    return (np.clip(np.rint(x * np.float32(32768)), -32768, 32767) / np.float32(32768)).astype(np.float32)


def audiomentations(chain: Chain, folder: Path, threads: int) -> Work:
    """audiomentations, clip by clip.

    Its banks are files: they lie in memory (RAM-backed folder), responses stay in its LRU cache, noise is read as the
    excerpt that is needed, since 0.43 has no cache for it. Edges are drawn evenly in mel. It has no RMS level
    (`LoudnessNormalization` measures LUFS and needs more): two lines of numpy stand for it. Speed is its `Resample`.
    """
    import audiomentations as am

    def level(x: np.ndarray, rate: int) -> np.ndarray:
        return x * np.float32(10 ** (random.uniform(*LEVEL) / 20) / np.sqrt(np.mean(np.square(x))))

    rolloff = {"min_rolloff": 24, "max_rolloff": 24, "p": 1.0}
    makes: dict[str, Any] = {
        "reverb": lambda: [am.ApplyImpulseResponse(folder / "rirs", p=1.0, lru_cache_size=128)],
        "mix": lambda: [am.AddBackgroundNoise(folder / "noise", min_snr_db=SNR[0], max_snr_db=SNR[1], p=1.0)],
        "band": lambda: [
            am.HighPassFilter(min_cutoff_freq=LOW[0], max_cutoff_freq=LOW[1], **rolloff),
            am.LowPassFilter(min_cutoff_freq=HIGH[0], max_cutoff_freq=HIGH[1], **rolloff),
        ],
        "level": lambda: [level],
        "speed": lambda: [am.Resample(round(RATE / FACTOR[1]), round(RATE / FACTOR[0]), p=1.0)],
    }
    steps = [one for name in chain.steps for one in makes[name]()]

    def work(batch: np.ndarray, number: int) -> list[np.ndarray]:
        made = []
        for x in batch:
            for step in steps:
                x = step(x, RATE)
            made.append(whole_steps(x))
        return made

    return work


def torch_audiomentations(chain: Chain, folder: Path, threads: int) -> Work:
    """torch-audiomentations, a batch at once, per-example mode, dict output.

    Its banks are tensors in memory, which its reader takes and which is faster than files (its own file reading ended
    with torchaudio 2.9). Its filters are windowed sincs of julius, not Butterworth, and not causal. It has no RMS
    level: two lines of torch stand for it.
    """
    import torch
    import torch_audiomentations as ta

    torch.set_num_threads(threads)
    common = {"mode": "per_example", "p": 1.0, "sample_rate": RATE, "output_type": "dict"}

    def reverb() -> list[Any]:
        step = ta.ApplyImpulseResponse(folder / "rirs", **common)
        step.ir_paths = _in_memory(folder / "rirs")
        return [step]

    def mix() -> list[Any]:
        step = ta.AddBackgroundNoise(folder / "noise", SNR[0], SNR[1], **common)
        step.background_paths = _in_memory(folder / "noise")
        return [step]

    makes: dict[str, Any] = {
        "reverb": reverb,
        "mix": mix,
        "band": lambda: [ta.HighPassFilter(*map(float, LOW), **common), ta.LowPassFilter(*map(float, HIGH), **common)],
        "level": list,
    }
    steps = [one for name in chain.steps for one in makes[name]()]

    def work(batch: np.ndarray, number: int) -> Any:
        x = torch.from_numpy(batch.copy())[:, None]  # its filters write into their input
        for step in steps:
            x = step(x, sample_rate=RATE).samples
        return _torch_out(_torch_level(x[:, 0]) if "level" in chain.steps else x[:, 0])

    return work


def torchaudio(chain: Chain, folder: Path, threads: int) -> Work:
    """torchaudio's functions by hand: `fftconvolve` and `add_noise` on the batch, two biquads an edge clip by clip.

    A biquad takes one cutoff, so that clips with edges of their own go one by one. Speed is `resample` at factors in
    hundredths, since others would need filters of thousands of phases, with its default width of 6 zero crossings.
    """
    import torch
    import torchaudio.functional as F

    torch.set_num_threads(threads)
    rirs, noises = ([one["samples"][0] for one in _in_memory(folder / name)] for name in ("rirs", "noise"))

    def reverb(x: Any) -> Any:
        # A zero more: 64 000 + 8 001 − 1 points are a quick transform, and one fewer, a prime, is a slow one.
        some = torch.nn.functional.pad(torch.stack(random.choices(rirs, k=len(x))), (0, 1))
        return F.fftconvolve(x, some)[:, : x.shape[1]]

    def mix(x: Any) -> Any:
        length, some = x.shape[1], random.choices(noises, k=len(x))
        at = [random.randrange(len(noise) - length + 1) for noise in some]
        noise = torch.stack([wave[i : i + length] for wave, i in zip(some, at, strict=True)])
        return F.add_noise(x, noise, torch.empty(len(x)).uniform_(*SNR))

    def band(x: Any) -> Any:
        made = []
        for clip in x:
            low, high = (float(np.exp(random.uniform(*np.log(edge)))) for edge in (LOW, HIGH))
            for q in (0.54119610, 1.30656296):  # the two pole pairs of a Butterworth filter of order 4
                clip = F.lowpass_biquad(F.highpass_biquad(clip, RATE, low, q), RATE, high, q)
            made.append(clip)
        return torch.stack(made)

    def speed(x: Any) -> list[Any]:
        return [F.resample(clip, random.randint(90, 110), 100) for clip in x]

    does = {"reverb": reverb, "mix": mix, "band": band, "level": _torch_level, "speed": speed}

    def work(batch: np.ndarray, number: int) -> Any:
        x: Any = torch.from_numpy(batch)
        for name in chain.steps:
            x = does[name](x)
        return [_torch_out(one) for one in x] if isinstance(x, list) else _torch_out(x)

    return work


def _in_memory(folder: Path) -> list[dict[str, Any]]:
    import soundfile
    import torch

    waves = [soundfile.read(path, dtype="float32")[0] for path in sorted(folder.glob("*.wav"))]
    return [{"samples": torch.from_numpy(wave)[None], "sample_rate": RATE} for wave in waves]


def _torch_level(x: Any) -> Any:
    import torch

    wanted = 10 ** (torch.empty(len(x), 1).uniform_(*LEVEL) / 20)
    return x * (wanted / x.square().mean(-1, keepdim=True).sqrt())


def _torch_out(x: Any) -> Any:
    return (x * 32768).round().clamp(-32768, 32767) / 32768


OURS = Contender("sliceforge", partial(ours.prepare, steps=STEPS, plain=False), frozenset(STEPS), ("threads",))
PLAIN = Contender("sliceforge, step by step", partial(ours.prepare, steps=STEPS, plain=True), frozenset(STEPS))
BOTH = ("processes", "threads")
PEERS = (
    Contender("audiomentations 0.43", audiomentations, frozenset(STEPS)),
    Contender("torch-audiomentations 0.12", torch_audiomentations, frozenset(STEPS) - {"speed"}, BOTH),
    Contender("torchaudio 2.11", torchaudio, frozenset(STEPS), BOTH),
)
